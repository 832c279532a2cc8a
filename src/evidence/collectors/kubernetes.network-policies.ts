import type { ShapeOf } from '../../model/shape.ts';
import { type Context, listOf } from '../collector.ts';
import { gapsIn, known, listOrGap, mapKnown, withUnknownFields } from '../gaps.ts';
import { list, REF, ref, strings, text } from '../objects.ts';
import { selectsLabels } from '../selectors.ts';
import { collector as podsCollector } from './kubernetes.pods.ts';

const listed = listOf({
  id: 'kubernetes.network-policies',
  about: 'NetworkPolicies, and the pods that they select.',
  group: 'networking.k8s.io',
  resource: 'networkpolicies',
  kind: 'NetworkPolicy',
  fields: {
    podSelector: 'map',
    expressions: [{ key: 'str', operator: 'str', values: ['str'] }],
    /** Ingress, Egress */
    types: ['str'],
    /** As in the API. */
    ingress: ['any'],
    egress: ['any'],
    selects: [REF],
  },
  row({ spec }) {
    const types = list(spec?.policyTypes).map(text);
    return {
      podSelector: strings(spec?.podSelector?.matchLabels),
      expressions: list(spec?.podSelector?.matchExpressions).map(one => ({
        key: text(one?.key),
        operator: text(one?.operator),
        values: list(one?.values).map(text),
      })),
      types: types.length > 0 ? types : ['Ingress', ...(spec?.egress ? ['Egress'] : [])],
      ingress: list(spec?.ingress),
      egress: list(spec?.egress),
      selects: [],
    };
  },
});

type Policy = ShapeOf<typeof listed.shape>[number];

export const collector = {
  ...listed,
  async collect(context: Context): Promise<readonly Policy[]> {
    const rows = await listed.collect(context);
    if (rows.length === 0) return rows;
    const pods = await listOrGap(context.get(podsCollector));
    const [gap] = gapsIn(pods);
    return mapKnown(rows, row => {
      if (gap) {
        const { selects: _, ...rest } = row;
        return withUnknownFields<Policy>(rest, gap, ['selects']);
      }
      const selects = known(pods)
        .filter(pod => pod.namespace === row.namespace && !pod.history && !pod.hostNetwork)
        .filter(pod => selectsLabels(row.podSelector, row.expressions, pod.labels))
        .map(pod => ref('Pod', pod.namespace, pod.name, pod.uid));
      return { ...row, selects };
    });
  },
};
