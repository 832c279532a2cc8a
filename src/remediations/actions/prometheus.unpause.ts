import type { Action } from '../../model/remediation.ts';
import { same } from '../changes.ts';
import { guard } from '../guards.ts';
import { PROMETHEUS_ACCESS, prometheusResource, resourceDraft } from '../prometheus-resource.ts';
import { bytesOf } from '../quantities.ts';
import { nameOf, targetOf } from '../targets.ts';

export const action: Action = {
  id: 'prometheus.unpause',
  title: 'let the operator work on it again',
  risk: 'change',
  parameters: { prometheus: 'needed' },
  access: [
    ...PROMETHEUS_ACCESS,
    { verbs: ['get'], group: 'apps', resource: 'statefulsets' },
    { verbs: ['list'], group: '', resource: 'persistentvolumeclaims' },
  ],
  async plan(input) {
    const resource = await prometheusResource(input);
    const { target, object } = resource;
    const set = await input.api.get(targetOf('StatefulSet', target.namespace, `prometheus-${target.name}`));
    return resourceDraft(resource, `unpause Prometheus ${target.name}`, [[['spec', 'paused'], false]], {
      guards: [
        await guard('no-resize-open', 'no claim of it is being grown', async () => {
          const claims = await input.api.list(
            '',
            'persistentvolumeclaims',
            target.namespace,
            `operator.prometheus.io/name=${target.name}`,
          );
          const growing = claims.find(
            claim =>
              (bytesOf(claim.spec?.resources?.requests?.storage) ?? 0) >
              (bytesOf(claim.status?.capacity?.storage) ?? 0),
          );
          return growing ? `claim ${growing.metadata.name} asks for more than it has` : true;
        }),
        await guard('no-immutable-change', 'the operator would not have to make the StatefulSet anew', () => {
          const live = set?.spec?.volumeClaimTemplates?.[0]?.spec?.resources?.requests?.storage;
          const wanted = object.spec?.storage?.volumeClaimTemplate?.spec?.resources?.requests?.storage;
          if (!set) return 'its StatefulSet does not exist: it may be in the middle of prometheus.grow-claim';
          return (
            same(live, wanted) ||
            `its claims are of ${live}, and the resource says ${wanted}: the operator would delete the StatefulSet with its pods; grow the claims with prometheus.grow-claim`
          );
        }),
      ],
      riskText: 'everything that was changed meanwhile takes effect at once, and pods may restart',
      verify: {
        what: `${input.finding.rule} is healthy, and the operator has reconciled it`,
        seconds: 180,
        signals: [{ is: 'prometheus-reconciled', prometheus: nameOf(target) }],
      },
      undo: 'pauses it again',
      mends: true,
    });
  },
};
