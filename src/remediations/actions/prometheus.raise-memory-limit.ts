import type { Action } from '../../model/remediation.ts';
import { limitWasHit, nextMemory, nodeHasRoom, notRaisedTwice, outlasts } from '../memory.ts';
import { PROMETHEUS_ACCESS, prometheusResource, resourceDraft } from '../prometheus-resource.ts';
import { controllerOf } from '../workloads.ts';

export const action: Action = {
  id: 'prometheus.raise-memory-limit',
  title: 'raise the memory limit',
  risk: 'restart',
  parameters: { prometheus: 'needed' },
  access: [
    ...PROMETHEUS_ACCESS,
    { verbs: ['get', 'list'], group: '', resource: 'pods' },
    { verbs: ['get'], group: '', resource: 'nodes' },
  ],
  async plan(input) {
    const resource = await prometheusResource(input);
    const { target, object } = resource;
    const { limit, request, more } = nextMemory(input, object.spec?.resources);
    const pods = await input.api.list('', 'pods', target.namespace, `operator.prometheus.io/name=${target.name}`);
    const owners = pods.map(controllerOf).filter(owner => owner !== undefined);
    const sets = [...new Set(owners.map(({ kind, name }) => `${kind} ${target.namespace}/${name}`))];
    return resourceDraft(
      resource,
      `raise the memory limit of Prometheus ${target.name} to ${limit}`,
      [
        [['spec', 'resources', 'limits', 'memory'], limit],
        ...(request ? [[['spec', 'resources', 'requests', 'memory'], request] as const] : []),
      ],
      {
        guards: [
          await limitWasHit(pods, 'prometheus'),
          await nodeHasRoom(input, pods, more),
          await notRaisedTwice(input, action.id, target),
        ],
        riskText: 'the pods restart one after another, and each replays its log first',
        verify: outlasts(input.finding.rule, sets, 'prometheus', pods),
        mends: true,
      },
    );
  },
};
