import type { Action, Step } from '../../model/remediation.ts';
import { claimGuards, newSize } from '../claims.ts';
import { guard } from '../guards.ts';
import { PROMETHEUS_ACCESS, prometheusResource } from '../prometheus-resource.ts';
import { bytesOf } from '../quantities.ts';
import { Refusal } from '../refusal.ts';
import { changeStep, existing } from '../steps.ts';
import { nameOf, targetOf } from '../targets.ts';

const SIZE = ['spec', 'storage', 'volumeClaimTemplate', 'spec', 'resources', 'requests', 'storage'];

export const action: Action = {
  id: 'prometheus.grow-claim',
  title: 'grow the claims, in the four steps of the operator',
  risk: 'change',
  parameters: { prometheus: 'needed' },
  access: [
    ...PROMETHEUS_ACCESS,
    { verbs: ['get', 'list', 'patch'], group: '', resource: 'persistentvolumeclaims' },
    { verbs: ['get', 'delete'], group: 'apps', resource: 'statefulsets' },
    { verbs: ['get'], group: 'storage.k8s.io', resource: 'storageclasses' },
  ],
  async plan(input) {
    const { target, object } = await prometheusResource(input);
    if ((object.spec?.shards ?? 1) > 1)
      throw new Refusal('one-shard', 'it has several shards: grow them by hand, in the same four steps');
    const claims = await input.api.list(
      '',
      'persistentvolumeclaims',
      target.namespace,
      `operator.prometheus.io/name=${target.name}`,
    );
    if (claims.length === 0) throw new Refusal('object-there', `${nameOf(target)} has no claims`);
    const largest = claims
      .map(claim => bytesOf(claim.spec?.resources?.requests?.storage) ?? 0)
      .sort((a, b) => b - a)[0]!;
    const size = newSize(input, largest);
    const set = targetOf('StatefulSet', target.namespace, `prometheus-${target.name}`);
    const live = await existing(input.api, set);
    const paused = object.spec?.paused;
    const claimTargets = claims.map(claim => ({
      claim,
      target: targetOf('PersistentVolumeClaim', target.namespace, claim.metadata.name),
    }));
    const request = ['spec', 'resources', 'requests', 'storage'];
    const unpause: Step = {
      do: 'change',
      title: `unpause ${nameOf(target)}: the operator makes the StatefulSet anew, around the same pods`,
      target,
      uid: object.metadata.uid,
      changes: [{ path: ['spec', 'paused'], before: true, after: false }],
    };
    const steps: readonly Step[] = [
      changeStep(target, object, `pause ${nameOf(target)}, and write ${size} into it`, [
        [['spec', 'paused'], true],
        [SIZE, size],
      ]),
      ...claimTargets.flatMap(({ claim, target: of }): readonly Step[] => [
        changeStep(of, claim, `grow ${nameOf(of)} to ${size}`, [[request, size]]),
        {
          do: 'wait',
          title: `${nameOf(of)} has ${size}`,
          target: of,
          until: { is: 'at-least', path: ['status', 'capacity', 'storage'], quantity: size },
          seconds: 300,
        },
      ]),
      {
        do: 'delete',
        title: `delete ${nameOf(set)} and leave its pods running`,
        target: set,
        uid: live.metadata.uid,
        orphan: true,
      },
      unpause,
      {
        do: 'wait',
        title: `${nameOf(set)} is there again, and its pods are ready`,
        target: set,
        until: { is: 'rolled-out' },
        seconds: 300,
      },
    ];
    return {
      steps,
      guards: [
        await guard(
          'not-paused',
          'it is not paused',
          () => paused !== true || 'it is paused: by whom, and why, has to be told first',
        ),
        ...(await claimGuards(input, claims, size)),
      ],
      riskText:
        'a claim cannot be made smaller again; the pods go on running, and between the last two steps nothing would restart them',
      verify: {
        what: `${input.finding.rule} is healthy, and the operator has reconciled it`,
        seconds: 900,
        signals: [{ is: 'prometheus-reconciled', prometheus: nameOf(target) }],
      },
      undo: { what: 'none: after the first step the only way is forward, with fix --resume', steps: [] },
      notes: ['write the same size where the resource comes from: a smaller one there breaks the next apply'],
    };
  },
};
