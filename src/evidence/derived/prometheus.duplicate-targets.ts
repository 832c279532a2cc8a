import type { Ref, ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as targetsCollector } from '../collectors/prometheus.targets.ts';
import { collector as monitorsCollector } from '../collectors/prometheus-operator.monitors.ts';
import { gapElement, gapOf, known, listOrGap, orGap } from '../gaps.ts';
import { REF } from '../objects.ts';

const SHAPE = [
  {
    prometheus: REF,
    url: 'str',
    pools: ['str'],
    monitors: [REF],
    /** The youngest of the monitors; of equally old ones the last by name. */
    youngest: REF,
    /** Every series is then written twice. */
    sameLabels: 'bool',
    /** Labels that differ. */
    differing: ['str'],
  },
] as const;

type Row = ShapeOf<typeof SHAPE>[number];
type Target = ShapeOf<typeof targetsCollector.shape>[number]['targets'][number];

export const collector = derived({
  id: 'prometheus.duplicate-targets',
  about: 'Addresses that one Prometheus scrapes more than once, and whether the series fall together.',
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const [replicas, monitors] = await Promise.all([
      context.get(targetsCollector),
      listOrGap(context.get(monitorsCollector)),
    ]);
    const created = new Map(known(monitors).map(monitor => [monitor.key, monitor.created]));
    const rows = new Map<string, Row>();
    const gaps: Row[] = [];
    for (const replica of replicas) {
      const targets = gapOf(replica) ? (replica as never) : orGap(() => replica.targets);
      const gap = gapOf(targets);
      if (gap) {
        if (gapOf(replica) || replica.running) gaps.push(gapElement(gap));
        continue;
      }
      for (const row of duplicates(replica.prometheus, targets, created))
        rows.set(`${row.prometheus.key} ${row.url}`, row);
    }
    return [...rows.values(), ...gaps];
  },
});

function duplicates(prometheus: Ref, targets: readonly Target[], created: ReadonlyMap<string, string>): readonly Row[] {
  const byUrl = new Map<string, Target[]>();
  for (const target of targets) byUrl.set(target.url, [...(byUrl.get(target.url) ?? []), target]);
  return [...byUrl].flatMap(([url, same]) => {
    if (same.length < 2 || new Set(same.map(target => target.pool)).size < 2) return [];
    const monitors = [...new Map(same.map(target => [target.monitor.key, target.monitor])).values()];
    const age = (monitor: Ref) => `${created.get(monitor.key) ?? ''} ${monitor.namespace}/${monitor.name}`;
    const youngest = [...monitors].sort((first, second) => (age(first) < age(second) ? 1 : -1))[0]!;
    const differing = differingLabels(same);
    const sameLabels = same.some((one, at) =>
      same.slice(at + 1).some(other => one.pool !== other.pool && text(one.labels) === text(other.labels)),
    );
    return [
      {
        prometheus,
        url,
        pools: [...new Set(same.map(target => target.pool))],
        monitors,
        youngest,
        sameLabels,
        differing,
      },
    ];
  });
}

function text(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort());
}

function differingLabels(targets: readonly Target[]): readonly string[] {
  const names = new Set(targets.flatMap(target => Object.keys(target.labels)));
  return [...names].filter(name => new Set(targets.map(target => target.labels[name] ?? '')).size > 1).sort();
}
