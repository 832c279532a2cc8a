import { GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as blocksCollector } from '../collectors/bucket.blocks.ts';
import { collector as claimsCollector } from '../collectors/kubernetes.persistent-volume-claims.ts';
import { collector as metricsCollector } from '../collectors/thanos.metrics.ts';
import { byGroup } from '../components/block-groups.ts';
import type { Block } from '../components/blocks.ts';
import { flagValue } from '../components/command-line.ts';
import { gapOf, gapsIn, known, listOrGap } from '../gaps.ts';
import { REF } from '../objects.ts';
import { attempt, merged, part } from '../partial-rows.ts';
import { collector as groupsCollector } from './bucket.groups.ts';
import { type Component, collector as componentsCollector } from './thanos.components.ts';
import { collector as logCollector } from './thanos.log.ts';
import { type ThanosWorkload, collector as workloadsCollector } from './thanos.workloads.ts';

const HIT = {
  id: 'str',
  count: 'int',
  first: 'time',
  last: 'time',
  lastAge: 'int',
  sample: 'str',
  containerKey: 'str',
} as const;

const ROW = {
  subject: REF,
  workload: REF,
  pod: REF,
  container: 'str',
  containerKey: 'str',
  running: 'bool',
  runningAge: 'int',
  settled: 'bool',
  place: 'str',
  bucketKey: 'str',
  endpointKey: 'str',
  objects: ['str'],
  claimKeys: ['str'],
  waitInterval: 'int',
  concurrency: 'int',
  /** It has stopped on an error, or stopped before it was restarted and will again. */
  halted: 'bool',
  haltedBefore: 'bool',
  /** overlap, disk-full, block-damaged, out-of-order, result-overlaps: what the line says, comma separated. */
  haltClass: 'str',
  /** ULIDs in the line. */
  haltBlocks: ['str'],
  haltLabels: ['str'],
  haltLines: [HIT],
  since: 'time',
  /** Runs, and does not get through an iteration. */
  retries: 'float',
  iterations: 'float',
  cannotFinish: 'bool',
  retryLines: [HIT],
  /** More waits than it works off: by the bucket, else by its own count of plans. */
  behind: 'bool',
  backlog: 'int',
  groupsBehind: 'int',
  backlogBytes: 'int',
  oldestBacklogAge: 'int',
  todo: 'float',
  /** Bytes that its next compactions need on its volume, and what that holds; 0 where it is no claim. */
  diskNeeded: 'int',
  diskCapacity: 'int',
} as const;

type Row = ShapeOf<typeof ROW>;

const BACKLOG_BLOCKS = 4;
const BACKLOG_PLANS = 8;
const RETRIES = 3;
/** Seconds until its own count of plans means something: two progress intervals. */
const COUNTED = 600;
const DISK_MARGIN = 1.2;
const TWO_DAYS = 2 * 86_400_000;

export const collector = derived({
  id: 'thanos.compactors',
  about: 'Of each Compactor, whether it has halted, whether it gets through its iterations, and whether it keeps up.',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const [workloads, components] = await Promise.all([
      context.get(workloadsCollector),
      context.get(componentsCollector),
    ]);
    const compactors = workloads.filter(one => gapOf(one) || (one.component === 'compact' && !one.ends));
    if (compactors.length === 0) return [];
    const [metrics, groups, buckets, claims] = await Promise.all([
      listOrGap(context.get(metricsCollector)),
      listOrGap(context.get(groupsCollector)),
      listOrGap(context.get(blocksCollector)),
      listOrGap(context.get(claimsCollector)),
    ]);
    return Promise.all(
      compactors.map(async workload => {
        if (gapOf(workload)) return workload as never;
        const own = known(components).filter(
          one => one.workload.key === workload.workload.key && one.container === workload.container && !one.podDeleting,
        );
        const component = own.find(one => one.running) ?? own[0];
        const hits = component ? await hitsOf(context, component) : [];
        return rowOf(workload, component, hits, { metrics, groups, buckets, claims });
      }),
    );
  },
});

interface Around {
  readonly metrics: readonly ShapeOf<typeof metricsCollector.shape>[number][];
  readonly groups: readonly ShapeOf<typeof groupsCollector.shape>[number][];
  readonly buckets: readonly ShapeOf<typeof blocksCollector.shape>[number][];
  readonly claims: readonly ShapeOf<typeof claimsCollector.shape>[number][];
}

type Hits = ShapeOf<typeof logCollector.shape>['hits'];

async function hitsOf(context: Context, component: Component): Promise<Hits> {
  if (component.containerKey === '') return [];
  const { namespace, name } = component.pod;
  const log = context.get(logCollector, { namespace, pod: name, container: component.container });
  return listOrGap(log.then(({ hits }) => hits));
}

function rowOf(workload: ThanosWorkload, component: Component | undefined, hits: Hits, around: Around): Row {
  const running = component?.running ?? false;
  const metrics = () => {
    const found = known(around.metrics).find(one => one.containerKey === component?.containerKey);
    if (found) return found;
    throw new GapSignal(
      gapsIn(around.metrics)[0] ?? { reason: 'unreachable', detail: 'the Compactor was not asked for its metrics' },
    );
  };
  const placeFields = Object.getOwnPropertyDescriptors(workload) as Record<string, PropertyDescriptor>;
  const base = {
    subject: workload.subject,
    workload: workload.workload,
    pod: component?.pod ?? { kind: '', namespace: '', name: '', uid: '', key: '' },
    container: workload.container,
    containerKey: component?.containerKey ?? '',
    running,
    runningAge: component?.runningAge ?? -1,
    settled: component?.settled ?? false,
    objects: workload.objects,
    claimKeys: workload.claimKeys,
    waitInterval: workload.waitInterval,
    concurrency: Number(flagValue(workload.args, '--compact.concurrency', '1')) || 1,
  };
  const withPlace = Object.defineProperties(base, {
    place: placeFields.place!,
    bucketKey: placeFields.bucketKey!,
    endpointKey: placeFields.endpointKey!,
  });
  return merged<Row>(
    withPlace,
    part(['halted', 'haltedBefore', 'haltClass', 'haltBlocks', 'haltLabels', 'haltLines', 'since'], () =>
      haltOf(component, workload, hits, metrics, around),
    ),
    part(['retries', 'iterations'], () => ({ retries: metrics().retries, iterations: metrics().iterations })),
    part(['cannotFinish', 'retryLines'], () => retriesOf(component, hits, metrics)),
    part(['todo'], () => ({ todo: metrics().todoCompactions })),
    part(['behind', 'backlog', 'groupsBehind', 'backlogBytes', 'oldestBacklogAge'], () =>
      backlogOf(workload, component, around, metrics),
    ),
    part(['diskNeeded', 'diskCapacity'], () => diskOf(workload, around)),
  );
}

const CLASSES: Readonly<Record<string, string>> = {
  'compact-overlap': 'overlap',
  'compact-result-overlaps': 'result-overlaps',
  'compact-disk-full': 'disk-full',
  'compact-block-damaged': 'block-damaged',
  'compact-out-of-order-chunks': 'out-of-order',
};

type Metrics = Around['metrics'][number];
type Halt = Pick<Row, 'halted' | 'haltedBefore' | 'haltClass' | 'haltBlocks' | 'haltLabels' | 'haltLines' | 'since'>;

const NOT_HALTED: Halt = {
  halted: false,
  haltedBefore: false,
  haltClass: '',
  haltBlocks: [],
  haltLabels: [],
  haltLines: [],
  since: '',
};

/** Ready, running and logging are no signs of life here: a halted Compactor does all of it. */
function haltOf(
  component: Component | undefined,
  workload: ThanosWorkload,
  hits: Hits,
  metrics: () => Metrics,
  around: Around,
): Halt {
  if (!component?.running) return NOT_HALTED;
  const all = known(hits);
  const lines = all.filter(hit => hit.id === 'compact-halted' || hit.id === 'compact-exits-on-critical-error');
  const now = lines.find(hit => hit.id === 'compact-halted' && !hit.previous);
  const finished = all.some(hit => hit.id === 'compact-iteration-done' && !hit.previous);
  const before = lines.find(hit => hit.previous);
  const early = component.runningAge < 2 * workload.waitInterval;
  const ask = attempt(() => metrics().halted);
  if (ask.value !== undefined && ask.value >= 1) return told(all, now ?? before, component, around, false);
  if (ask.value === undefined && now?.open) return told(all, now, component, around, false);
  if (before && early && !finished) return told(all, before, component, around, true);
  if (ask.value === undefined && (ask.gap || gapsIn(hits)[0])) {
    // Without the metric the log decides, and only a log that could be read says no.
    const gap = gapsIn(hits)[0];
    if (gap) throw new GapSignal(gap);
  }
  return NOT_HALTED;
}

function told(hits: Hits, line: Hits[number] | undefined, component: Component, around: Around, before: boolean): Halt {
  const same = hits.filter(hit => hit.previous === (line?.previous ?? false));
  const classes = same.filter(
    hit => CLASSES[hit.id] !== undefined && (!line || hit.sample === line.sample || sameLine(hit, line)),
  );
  const blocks = [...new Set((line?.sample ?? '').match(/\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b/g) ?? [])];
  const labels = known(around.buckets).flatMap(bucket => {
    const read = attempt(() => known(bucket.blocks));
    return (read.value ?? [])
      .filter(block => blocks.includes(block.id))
      .map(block => `ExternalLabels ${block.labelText}`);
  });
  return {
    halted: true,
    haltedBefore: before,
    haltClass: [...new Set(classes.map(hit => CLASSES[hit.id]!))].join(','),
    haltBlocks: blocks,
    haltLabels: [...new Set(labels)],
    haltLines: line ? [hitRow(line, component)] : [],
    since: line?.first ?? '',
  };
}

function sameLine(first: Hits[number], second: Hits[number]): boolean {
  return Math.abs(Date.parse(first.last) - Date.parse(second.last)) < 2000;
}

function hitRow(
  { id, count, first, last, lastAge, sample }: Hits[number],
  component: Component,
): Row['haltLines'][number] {
  return { id, count, first, last, lastAge, sample, containerKey: component.containerKey };
}

function retriesOf(
  component: Component | undefined,
  hits: Hits,
  metrics: () => Metrics,
): Pick<Row, 'cannotFinish' | 'retryLines'> {
  if (!component?.running || !component.settled) return { cannotFinish: false, retryLines: [] };
  const lines = known(hits).filter(hit => hit.id === 'compact-retries' && hit.fresh && hit.open);
  const rows = lines.map(hit => hitRow(hit, component));
  if (lines.some(hit => hit.count >= RETRIES)) return { cannotFinish: true, retryLines: rows };
  const counts = attempt(() => ({ retries: metrics().retries, iterations: metrics().iterations }));
  if (counts.value)
    return { cannotFinish: counts.value.retries >= RETRIES && counts.value.iterations === 0, retryLines: rows };
  const gap = gapsIn(hits)[0];
  if (gap) throw new GapSignal(gap);
  return { cannotFinish: false, retryLines: rows };
}

type Backlog = Pick<Row, 'behind' | 'backlog' | 'groupsBehind' | 'backlogBytes' | 'oldestBacklogAge'>;

function backlogOf(
  workload: ThanosWorkload,
  component: Component | undefined,
  around: Around,
  metrics: () => Metrics,
): Backlog {
  const place = attempt(() => workload.place);
  const own = known(around.groups).filter(group => group.place === place.value && place.value !== '');
  const late = own.filter(group => group.backlog > BACKLOG_BLOCKS);
  const found = {
    backlog: own.reduce((sum, group) => sum + group.backlog, 0),
    groupsBehind: late.length,
    backlogBytes: own.reduce((sum, group) => sum + group.backlogBytes, 0),
    oldestBacklogAge: Math.max(-1, ...own.map(group => group.oldestBacklogAge)),
  };
  if (late.length > 0) return { ...found, behind: true };
  const listed = own.length > 0 && gapsIn(around.groups).length === 0;
  if (listed) return { ...found, behind: false };
  const plans = attempt(() => metrics().todoCompactions);
  if (plans.value !== undefined) {
    return { ...found, behind: plans.value > BACKLOG_PLANS && (component?.runningAge ?? 0) >= COUNTED };
  }
  const gap = gapsIn(around.groups)[0] ?? place.gap ?? plans.gap;
  if (gap && own.length === 0) throw new GapSignal(gap);
  return { ...found, behind: false };
}

/** Its largest next compactions: the blocks of a group that will become one of two days, and as much for the result. */
function diskOf(workload: ThanosWorkload, around: Around): Pick<Row, 'diskNeeded' | 'diskCapacity'> {
  const claim = known(around.claims).find(one => workload.claimKeys.includes(one.key));
  if (workload.dataVolume.kind !== 'claim' || !claim) return { diskNeeded: 0, diskCapacity: 0 };
  const bucket = known(around.buckets).find(one => one.place === workload.place);
  if (!bucket)
    throw new GapSignal(
      gapsIn(around.buckets)[0] ?? { reason: 'not-asked', detail: 'the bucket was not listed', notLookedAt: true },
    );
  const plans: number[] = [];
  for (const members of byGroup(known(bucket.blocks)).values()) plans.push(...plansOf(members));
  const concurrency = Number(flagValue(workload.args, '--compact.concurrency', '1')) || 1;
  const largest = plans.sort((first, second) => second - first).slice(0, concurrency);
  const needed = largest.reduce((sum, bytes) => sum + 2 * bytes, 0) * DISK_MARGIN;
  return { diskNeeded: Math.round(needed), diskCapacity: claim.capacity };
}

/** Bytes of the blocks of each two-day window that has more than one. */
function plansOf(members: readonly Block[]): readonly number[] {
  const windows = new Map<number, Block[]>();
  for (const block of members.filter(one => one.live)) {
    const window = Math.floor(Date.parse(block.minTime) / TWO_DAYS);
    windows.set(window, [...(windows.get(window) ?? []), block]);
  }
  return [...windows.values()]
    .filter(blocks => blocks.length > 1)
    .map(blocks => blocks.reduce((sum, block) => sum + block.size, 0));
}
