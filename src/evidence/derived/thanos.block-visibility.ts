import { GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { flagValue } from '../components/command-line.ts';
import { gapElement, gapOf, gapsIn, known, listOrGap, mapKnown } from '../gaps.ts';
import { lazily } from '../lazily.ts';
import { REF } from '../objects.ts';
import { seconds } from '../quantities.ts';
import { collector as producersCollector } from './fleet.producers.ts';
import { collector as replicasCollector } from './prometheus.replicas.ts';
import { type ThanosWorkload, collector as workloadsCollector } from './thanos.workloads.ts';

const ROW = {
  subject: REF,
  objects: ['str'],
  place: 'str',
  bucketKey: 'str',
  /** Seconds that a block waits by `--consistency-delay`, and by the interval of looking. */
  consistencyDelay: 'int',
  syncDelay: 'int',
  /** Seconds for which the Prometheus with the shortest retention that writes to this bucket keeps a block; 0 for none. */
  shortest: 'int',
  shortestOf: 'str',
} as const;

type Row = ShapeOf<typeof ROW>;

export const collector = derived({
  id: 'thanos.block-visibility',
  about: 'How long each Store Gateway waits with a new block, against how long Prometheus still has it.',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const workloads = await context.get(workloadsCollector);
    const waiting = workloads.filter(one => gapOf(one) || (one.component === 'store' && delayOf(one) > 0));
    if (waiting.length === 0) return [];
    const kept = await keptBlocks(context);
    return mapKnown(waiting, store => {
      const shortest = () => shortestFor(store.place, kept);
      return lazily<Row>(
        {
          subject: store.subject,
          objects: store.objects,
          consistencyDelay: delayOf(store),
          syncDelay: store.syncBlockDuration,
        },
        {
          place: () => store.place,
          bucketKey: () => store.bucketKey,
          shortest: () => shortest()?.seconds ?? 0,
          shortestOf: () => shortest()?.owner ?? '',
        },
      );
    });
  },
});

function delayOf({ args }: ThanosWorkload): number {
  try {
    return seconds(flagValue(args, '--consistency-delay', '0s'));
  } catch (error) {
    if (error instanceof GapSignal) return 0;
    throw error;
  }
}

interface Kept {
  readonly place: string;
  readonly owner: string;
  readonly seconds: number;
}

/** Where each Prometheus writes, and for how long it keeps a block; a retention by size alone tells no time. */
async function keptBlocks(context: Context): Promise<readonly Kept[]> {
  const producers = await listOrGap(context.get(producersCollector));
  const kept: Kept[] = gapsIn(producers).map(gap => gapElement(gap));
  for (const cluster of context.clusters) {
    const replicas = await listOrGap(cluster.get(replicasCollector));
    kept.push(...gapsIn(replicas).map(gap => gapElement(gap) as Kept));
    for (const replica of known(replicas)) {
      const writer = known(producers).find(one => one.pod.key === `${replica.pod.key} @${cluster.cluster}`);
      if (!writer || replica.retention === 0) continue;
      const block = Math.max(replica.minBlock, 1);
      const whole = Math.ceil(replica.retention / block) * block;
      kept.push(...mapKnown([writer], one => ({ place: one.place, owner: one.owner.key, seconds: whole })));
    }
  }
  return kept;
}

function shortestFor(place: string, kept: readonly Kept[]): Kept | undefined {
  const own = known(kept).filter(one => one.place === place);
  const gap = gapsIn(kept)[0];
  if (own.length === 0 && gap) throw new GapSignal(gap);
  return own.sort((first, second) => first.seconds - second.seconds)[0];
}
