import type { ShapeOf } from '../../model/shape.ts';
import type { RawObject } from '../../model/source.ts';
import { ciliumLabels, ciliumSelector, nodeOnly } from '../cilium-selectors.ts';
import { type Context, listOf } from '../collector.ts';
import { conditionsOf } from '../conditions.ts';
import { gapOf, gapsIn, known, listOrGap, mapKnown, withUnknownFields } from '../gaps.ts';
import { list, REF, ref } from '../objects.ts';
import { collector as namespacesCollector } from './kubernetes.namespaces.ts';
import { collector as podsCollector } from './kubernetes.pods.ts';

const FIELDS = {
  kind: 'str',
  clusterWide: 'bool',
  /** As in the API: `spec` and `specs` in one list. */
  specs: ['any'],
  /** True, False, or '' where the operator has said nothing. */
  valid: 'str',
  validMessage: 'str',
  validSince: 'time',
  validAge: 'int',
  selects: [REF],
} as const;

function rows(kind: string, resource: string) {
  return listOf({
    id: 'cilium.network-policies',
    about: "Cilium's network policies, of namespaces and of the whole cluster, and the pods that they select.",
    group: 'cilium.io',
    resource,
    kind,
    fields: FIELDS,
    row({ spec, specs, status }: RawObject, context) {
      const valid = conditionsOf(status?.conditions, context).find(one => one.type === 'Valid');
      return {
        kind,
        clusterWide: kind === 'CiliumClusterwideNetworkPolicy',
        specs: [...(spec ? [spec] : []), ...list(specs)],
        valid: valid?.status ?? '',
        validMessage: valid?.message ?? '',
        validSince: valid?.since ?? '',
        validAge: valid?.age ?? -1,
        selects: [],
      };
    },
  });
}

const namespaced = rows('CiliumNetworkPolicy', 'ciliumnetworkpolicies');
const clusterWide = rows('CiliumClusterwideNetworkPolicy', 'ciliumclusterwidenetworkpolicies');

type Policy = ShapeOf<typeof namespaced.shape>[number];

export const collector = {
  ...namespaced,
  needs: [...namespaced.needs, ...clusterWide.needs],
  async collect(context: Context): Promise<readonly Policy[]> {
    const policies = [
      ...(await listOrGap(namespaced.collect(context))),
      ...(await listOrGap(clusterWide.collect(context))),
    ];
    if (policies.every(policy => gapOf(policy) !== undefined)) return policies;
    const [pods, namespaces] = await Promise.all([
      listOrGap(context.get(podsCollector)),
      listOrGap(context.get(namespacesCollector)),
    ]);
    const [gap] = gapsIn(pods);
    const labelsOf = new Map(known(namespaces).map(one => [one.name, one.labels]));
    return mapKnown(policies, policy => {
      if (gap) {
        const { selects: _, ...rest } = policy;
        return withUnknownFields<Policy>(rest, gap, ['selects']);
      }
      const selected = known(pods).filter(
        pod =>
          !pod.history &&
          !pod.hostNetwork &&
          (policy.clusterWide || pod.namespace === policy.namespace) &&
          policy.specs.some(
            spec =>
              !nodeOnly(spec) &&
              ciliumSelector(spec?.endpointSelector, policy.namespace).selects(
                ciliumLabels(pod, labelsOf.get(pod.namespace) ?? {}),
              ),
          ),
      );
      return { ...policy, selects: selected.map(pod => ref('Pod', pod.namespace, pod.name, pod.uid)) };
    });
  },
};
