import type { ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as blocksCollector } from '../collectors/bucket.blocks.ts';
import { collector as flagsCollector } from '../collectors/prometheus.flags.ts';
import { switchedOn } from '../components/command-line.ts';
import { gapElement, gapOf, gapsIn, known, listOrGap, mapKnown } from '../gaps.ts';
import { lazily } from '../lazily.ts';
import { collector as bucketsCollector } from './fleet.buckets.ts';
import { type Component, collector as componentsCollector } from './thanos.components.ts';

const WRITER = {
  cluster: 'str',
  /** Container with its cluster. */
  key: 'str',
  ownerKey: 'str',
  why: 'str',
} as const;

const ROW = {
  /** `bucket@host:port` */
  place: 'str',
  bucketKey: 'str',
  /** Workloads that compact it, with their cluster. */
  compactors: ['str'],
  /** Sidecars that upload what Prometheus has joined. Not all are known where a gap element stands among them. */
  writers: [WRITER],
  /** Blocks of sidecars that were joined before they were uploaded, within the last week and not marked. */
  blockIds: ['str'],
  labelsKeys: ['str'],
} as const;

type Row = ShapeOf<typeof ROW>;

/** Seconds: what is older is a one-time import. */
const WEEK = 604_800;

export const collector = derived({
  id: 'bucket.local-compaction',
  about: 'Of each bucket with a Compactor: the sidecars that upload blocks which Prometheus has joined itself.',
  scope: 'fleet',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const [buckets, contents] = await Promise.all([
      context.get(bucketsCollector),
      listOrGap(context.get(blocksCollector)),
    ]);
    const joining = await joiningSidecars(context);
    return mapKnown(buckets, bucket => {
      const own = new Set(bucket.writers.flatMap(writer => writer.containerKeys));
      return lazily<Row>(
        {
          place: bucket.place,
          bucketKey: bucket.bucketKey,
          compactors: bucket.compactors.map(one => one.workload.key),
          writers: joining.filter(writer => gapOf(writer) || own.has(writer.key)),
        },
        {
          blockIds: () => joinedBlocks(bucket.place, contents).map(block => block.id),
          labelsKeys: () => [
            ...new Set(joinedBlocks(bucket.place, contents).map(block => `ExternalLabels ${block.labelText}`)),
          ],
        },
      );
    });
  },
});

function joinedBlocks(place: string, contents: readonly ShapeOf<typeof blocksCollector.shape>[number][]) {
  return contents
    .filter(one => gapOf(one) || one.place === place)
    .flatMap(one => one.blocks)
    .filter(
      block =>
        block.state === 'complete' &&
        !block.marks.deletion &&
        block.source === 'sidecar' &&
        block.level > 1 &&
        block.lastModifiedAge < WEEK,
    );
}

type Flags = readonly ShapeOf<typeof flagsCollector.shape>[number][];

async function joiningSidecars(context: Context): Promise<Row['writers']> {
  const writers: Row['writers'][number][] = [];
  for (const cluster of context.clusters) {
    const components = await listOrGap(cluster.get(componentsCollector));
    const flags = await listOrGap(cluster.get(flagsCollector));
    writers.push(...gapsIn(components).map(gap => gapElement(gap) as never));
    for (const component of known(components).filter(one => one.component === 'sidecar')) {
      const found = mapKnown([component], one => whyJoined(one, flags))[0]!;
      const gap = gapOf(found);
      if (gap) writers.push(gapElement(gap));
      else if (found !== '') {
        const at = (key: string) => `${key} @${cluster.cluster}`;
        const { containerKey, subject } = component;
        writers.push({ cluster: cluster.cluster, key: at(containerKey), ownerKey: at(subject.key), why: found });
      }
    }
  }
  return writers;
}

const IGNORE = '--shipper.ignore-unequal-block-size';

/** '' where it uploads only what Prometheus has cut. Without the one flag, unequal durations keep it from starting. */
function whyJoined({ args, pod }: Component, flags: Flags): string {
  if (switchedOn(args, '--shipper.upload-compacted')) return '--shipper.upload-compacted';
  if (!switchedOn(args, IGNORE)) return '';
  const own = known(flags).find(one => one.pod.key === pod.key);
  if (!own) return '';
  return own.minBlock === own.maxBlock ? '' : `${IGNORE}, blocks of ${own.minBlock / 3600} to ${own.maxBlock / 3600} h`;
}
