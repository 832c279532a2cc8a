import type { ShapeOf } from '../../model/shape.ts';
import { type Context, listOf } from '../collector.ts';
import { gapsIn, known, listOrGap, mapKnown, withUnknownFields } from '../gaps.ts';
import { list, number, REF, ref, strings, text, textOrNumber } from '../objects.ts';
import { selectsLabels } from '../selectors.ts';
import { collector as podsCollector } from './kubernetes.pods.ts';

const listed = listOf({
  id: 'kubernetes.pod-disruption-budgets',
  about: 'Disruption budgets, what they allow now, and the pods that they guard.',
  group: 'policy',
  resource: 'poddisruptionbudgets',
  kind: 'PodDisruptionBudget',
  fields: {
    selector: 'map',
    expressions: [{ key: 'str', operator: 'str', values: ['str'] }],
    minAvailable: 'str',
    maxUnavailable: 'str',
    healthy: 'int',
    desired: 'int',
    allowed: 'int',
    expected: 'int',
    /** It can never allow anything while the number of pods stays as it is. */
    never: 'bool',
    /** Longhorn guards its instance managers with budgets that allow nothing while volumes are attached. */
    byDesign: 'bool',
    pods: [{ pod: REF, workload: REF, node: 'str' }],
    /** Other budgets that guard one of its pods: then it cannot be evicted at all. */
    sharedWith: ['str'],
  },
  row({ metadata, spec, status }) {
    const minAvailable = textOrNumber(spec?.minAvailable);
    const maxUnavailable = textOrNumber(spec?.maxUnavailable);
    const expected = number(status?.expectedPods);
    return {
      selector: strings(spec?.selector?.matchLabels),
      expressions: list(spec?.selector?.matchExpressions).map(one => ({
        key: text(one?.key),
        operator: text(one?.operator),
        values: list(one?.values).map(text),
      })),
      minAvailable,
      maxUnavailable,
      healthy: number(status?.currentHealthy),
      desired: number(status?.desiredHealthy),
      allowed: number(status?.disruptionsAllowed),
      expected,
      never: expected > 0 && (maxUnavailable ? isNothing(maxUnavailable) : isEverything(minAvailable, expected)),
      byDesign: isInstanceManager(metadata.labels) || isInstanceManager(spec?.selector?.matchLabels),
      pods: [],
      sharedWith: [],
    };
  },
});

function isNothing(maxUnavailable: string): boolean {
  return maxUnavailable === '0' || maxUnavailable === '0%';
}

function isEverything(minAvailable: string, expected: number): boolean {
  if (minAvailable.endsWith('%')) return Number.parseInt(minAvailable, 10) >= 100;
  return minAvailable !== '' && Number(minAvailable) >= expected;
}

function isInstanceManager(labels: Readonly<Record<string, unknown>> | undefined): boolean {
  return (
    labels?.['longhorn.io/component'] === 'instance-manager' ||
    labels?.['longhorn.io/instance-manager-type'] !== undefined
  );
}

type Budget = ShapeOf<typeof listed.shape>[number];

export const collector = {
  ...listed,
  async collect(context: Context): Promise<readonly Budget[]> {
    const rows = await listed.collect(context);
    if (rows.length === 0) return rows;
    const pods = await listOrGap(context.get(podsCollector));
    const [gap] = gapsIn(pods);
    const guarded = mapKnown(rows, row => {
      const own = known(pods).filter(
        pod =>
          pod.namespace === row.namespace && !pod.history && selectsLabels(row.selector, row.expressions, pod.labels),
      );
      return {
        ...row,
        pods: own.map(pod => ({
          pod: ref('Pod', pod.namespace, pod.name, pod.uid),
          workload: pod.workload,
          node: pod.node,
        })),
      };
    });
    const together = mapKnown(guarded, row => ({ ...row, sharedWith: sharing(row, known(guarded)) }));
    if (!gap) return together;
    return mapKnown(together, ({ pods: _, sharedWith: __, ...rest }) =>
      withUnknownFields<Budget>(rest, gap, ['pods', 'sharedWith']),
    );
  },
};

function sharing(row: Budget, all: readonly Budget[]): readonly string[] {
  const own = new Set(row.pods.map(({ pod }) => pod.key));
  return all
    .filter(other => other.key !== row.key && other.pods.some(({ pod }) => own.has(pod.key)))
    .map(other => other.key);
}
