import { type Gap, GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as expectationsCollector } from '../collectors/fleet.expectations.ts';
import { gapElement, gapsIn, known, withUnknownFields } from '../gaps.ts';
import { type Producer, collector as producersCollector } from './fleet.producers.ts';

const ROW = {
  cluster: 'str',
  /** The label by which clusters are told apart; '' where there is no such label. */
  label: 'str',
  /** stated or found */
  by: 'str',
  /** Values of it in this cluster. */
  values: ['str'],
  lacks: 'bool',
  /** Its value is that of another cluster. */
  taken: 'bool',
  others: [{ cluster: 'str', value: 'str' }],
  owners: ['str'],
} as const;

type Row = ShapeOf<typeof ROW>;

export const collector = derived({
  id: 'fleet.cluster-label',
  about: 'The external label by which clusters are told apart, and which cluster lacks it.',
  scope: 'fleet',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const [producers, expectations] = await Promise.all([
      context.get(producersCollector),
      context.get(expectationsCollector),
    ]);
    const byCluster = new Map<string, Producer[]>();
    for (const producer of known(producers)) {
      if (producer.kind !== 'sidecar') continue;
      byCluster.set(producer.cluster, [...(byCluster.get(producer.cluster) ?? []), producer]);
    }
    const labels = new Map<string, readonly Readonly<Record<string, string>>[]>();
    const gaps = new Map<string, Gap>();
    for (const [cluster, own] of byCluster) {
      try {
        labels.set(
          cluster,
          own.map(producer => producer.labels),
        );
      } catch (error) {
        if (!(error instanceof GapSignal)) throw error;
        gaps.set(cluster, error.gap);
      }
    }
    const rows = [...byCluster].map(([cluster, own]): Row => {
      const base = { cluster, owners: [...new Set(own.map(producer => producer.owner.key))] };
      const gap = gaps.get(cluster);
      if (gap) return withUnknownFields<Row>(base, gap, ['label', 'by', 'values', 'lacks', 'taken', 'others']);
      return { ...base, ...judge(cluster, labels, expectations.clusterLabel) };
    });
    return [...rows, ...gapsIn(producers).map(one => gapElement(one) as Row)];
  },
});

type Labels = ReadonlyMap<string, readonly Readonly<Record<string, string>>[]>;

/** Without a statement the label is the one that tells all other clusters apart, of which there have to be two. */
function judge(cluster: string, labels: Labels, stated: string): Omit<Row, 'cluster' | 'owners'> {
  const others = [...labels].filter(([name]) => name !== cluster);
  const label = stated || found(others.map(([, sets]) => sets));
  const own = labels.get(cluster) ?? [];
  const values = [...new Set(own.flatMap(set => (label && set[label] !== undefined ? [set[label]!] : [])))];
  const elsewhere = others.flatMap(([name, sets]) => sets.map(set => ({ cluster: name, value: set[label] ?? '' })));
  return {
    label,
    by: stated ? 'stated' : 'found',
    values,
    lacks: label !== '' && values.length === 0,
    taken: values.some(value => elsewhere.some(other => other.value === value)),
    others: elsewhere,
  };
}

function found(clusters: readonly (readonly Readonly<Record<string, string>>[])[]): string {
  if (clusters.length < 2) return '';
  const names = Object.keys(clusters[0]?.[0] ?? {}).sort((first, second) =>
    first === 'cluster' ? -1 : second === 'cluster' ? 1 : first < second ? -1 : 1,
  );
  const tells = (name: string) => {
    const values = clusters.map(sets => new Set(sets.map(set => set[name])));
    const single = values.every(value => value.size === 1 && !value.has(undefined));
    return single && new Set(values.map(value => [...value][0])).size === clusters.length;
  };
  return names.find(tells) ?? '';
}
