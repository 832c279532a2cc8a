import { GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as blocksCollector } from '../collectors/bucket.blocks.ts';
import { collector as logsCollector } from '../collectors/logs.signatures.ts';
import { endOf, startOf } from '../components/block-groups.ts';
import { timeOf, ulidTime } from '../components/block-times.ts';
import type { Block } from '../components/blocks.ts';
import { findKnown, gapElement, gapOf, gapsIn, known, listOrGap } from '../gaps.ts';
import { lazily } from '../lazily.ts';
import { REF } from '../objects.ts';
import { type Producer, collector as producersCollector } from './fleet.producers.ts';
import { collector as replicasCollector } from './prometheus.replicas.ts';
import { type ThanosWorkload, collector as workloadsCollector } from './thanos.workloads.ts';

const ROW = {
  prometheus: REF,
  pod: REF,
  container: 'str',
  containerKey: 'str',
  /** The newest block that the log says was deleted here: of the older ones only that there were some is known. */
  block: 'str',
  deleted: 'time',
  /** What it held, by its name: a block is cut an hour after its end. */
  from: 'time',
  to: 'time',
  place: 'str',
  labelsKey: 'str',
  /** Seconds that this Prometheus keeps data for. */
  retention: 'int',
  /** Neither the bucket nor any block of the bucket has it, and no block under the same labels has its time. */
  lost: 'bool',
} as const;

type Row = ShapeOf<typeof ROW>;
type Replica = ShapeOf<typeof replicasCollector.shape>[number];

const HOUR = 3600_000;
/** Milliseconds: blocks begin and end with their first and last sample. */
const EDGE = 10 * 60_000;

export const collector = derived({
  id: 'prometheus.deleted-blocks',
  about: 'The block that each Prometheus deleted last, as its log says it, held against what the bucket has.',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const replicas = await context.get(replicasCollector);
    // Where Prometheus joins blocks itself, it deletes those that it has joined.
    const uploading = replicas.filter(
      one => gapOf(one) || (one.uploading && one.state === 'running' && one.minBlock === one.maxBlock),
    );
    const rows = await Promise.all(
      uploading.map(one => (gapOf(one) ? Promise.resolve([one as never]) : rowsOf(context, one))),
    );
    return rows.flat();
  },
});

async function rowsOf(context: Context, replica: Replica): Promise<readonly Row[]> {
  const { pod, container, containerKey, prometheus, retention } = replica;
  const base = { prometheus, pod, container, containerKey, retention };
  const deletion = await deletionOf(context, replica);
  if (deletion === undefined) return [];
  if (gapOf(deletion)) return [deletion as never];
  const [producers, buckets, workloads] = await Promise.all([
    listOrGap(context.get(producersCollector)),
    listOrGap(context.get(blocksCollector)),
    workloadsOf(context),
  ]);
  const { block } = deletion;
  const made = ulidTime(block);
  const [from, to] = [made - 3 * HOUR, made - HOUR];
  const producer = () => {
    const key = `${pod.key} @${context.cluster}`;
    const found = findKnown(producers, one => one.pod.key === key && one.kind === 'sidecar');
    if (!found) throw new GapSignal({ reason: 'not-found', detail: `${pod.name} is no producer`, notLookedAt: true });
    return found;
  };
  return [
    lazily<Row>(
      { ...base, block, deleted: deletion.last, from: timeOf(from), to: timeOf(to) },
      {
        place: () => producer().place,
        labelsKey: () => producer().labelsKey,
        lost: () => isLost({ id: block, from, to }, producer(), buckets, workloads, context.takenAt),
      },
    ),
  ];
}

async function deletionOf(context: Context, { pod, container }: Replica) {
  try {
    const { hits } = await context.get(logsCollector, { namespace: pod.namespace, pod: pod.name, container });
    const told = known(hits).find(hit => hit.id === 'block-deleted-locally' && (hit.captured.block ?? '') !== '');
    if (told) return { block: told.captured.block!, last: told.last };
    const gap = gapsIn(hits)[0];
    return gap ? gapElement(gap) : undefined;
  } catch (error) {
    if (error instanceof GapSignal)
      return gapElement({ ...error.gap, evidence: error.gap.evidence || 'logs.signatures' });
    throw error;
  }
}

async function workloadsOf(context: Context): Promise<readonly ThanosWorkload[]> {
  const all = await Promise.all(context.clusters.map(cluster => listOrGap(cluster.get(workloadsCollector))));
  return all.flat();
}

interface Deleted {
  readonly id: string;
  readonly from: number;
  readonly to: number;
}

function isLost(
  { id, from, to }: Deleted,
  producer: Producer,
  buckets: readonly ShapeOf<typeof blocksCollector.shape>[number][],
  workloads: readonly ThanosWorkload[],
  now: number,
): boolean {
  const { place, labelText } = producer;
  const bucket = findKnown(buckets, one => one.place === place);
  if (!bucket) throw new GapSignal({ reason: 'not-asked', detail: `${place} was not listed`, notLookedAt: true });
  const has = (block: Block) =>
    block.id === id ||
    block.sources.includes(id) ||
    (block.labelText === labelText && startOf(block) <= from + EDGE && endOf(block) >= to - EDGE);
  // A block that could not be read may be the one.
  if (findKnown(bucket.blocks, has)) return false;
  const compactor = findKnown(workloads, one => one.component === 'compact' && one.place === place);
  const kept = compactor?.retentionRaw ?? 0;
  return kept === 0 || now - to < kept * 1000;
}
