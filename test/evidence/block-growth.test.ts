import { expect, test } from 'vitest';
import {
  backlogOf,
  byGroup,
  holesIn,
  overlapsIn,
  withoutDuplicates,
} from '../../src/evidence/components/block-groups.ts';
import { type Block, blockMaker } from '../../src/evidence/components/blocks.ts';
import { dueForDownsampling, overlapping } from '../../src/evidence/components/bucket-states.ts';

const NOW = Date.parse('2026-05-04T12:00:00Z');
const DAYS = 3 * 86_400_000;
const UPKEEP = {
  deleteDelay: 0,
  consistencyDelay: 0,
  retention: {},
  downsamples: true,
  joinsOverlaps: false,
  indexLimit: Number.POSITIVE_INFINITY,
};

/** Blocks of one producer, three days each, a copy of every second one in the next resolution. */
function blocksOf(count: number, onRead: () => void): readonly Block[] {
  const make = blockMaker({ takenAt: NOW });
  return Array.from({ length: count }, (_, index) => {
    const id = `01HZ${String(index).padStart(22, '0')}`;
    const maxTime = NOW - Math.floor(index / 2) * DAYS;
    const meta = {
      minTime: maxTime - DAYS,
      maxTime,
      compaction: { level: 3, sources: [`of-${Math.floor(index / 4)}`] },
      thanos: { labels: { a: 'b' }, downsample: { resolution: index % 4 === 1 ? 300_000 : 0 } },
    };
    const file = (path: string) => ({
      path,
      listed: { key: `${id}/${path}`, size: 1, lastModified: '2026-01-01T00:00:00Z' },
    });
    const texts = { meta: JSON.stringify(meta), deletion: null, noCompact: null, noDownsample: null };
    const block = make(id, ['chunks/000001', 'index', 'meta.json'].map(file), texts);
    return new Proxy(block, {
      get(target, name) {
        onRead();
        return Reflect.get(target, name);
      },
    });
  });
}

test('twice the blocks are little more than twice the work', () => {
  const work = (count: number): number => {
    let reads = 0;
    const blocks = blocksOf(count, () => {
      reads += 1;
    });
    withoutDuplicates(blocks);
    for (const group of byGroup(blocks).values()) {
      backlogOf(group, NOW, 0);
      holesIn(group);
      overlapsIn(group);
    }
    dueForDownsampling(blocks, UPKEEP);
    overlapping(blocks, UPKEEP);
    return reads;
  };
  expect(work(1600) / work(800)).toBeLessThan(2.4);
});
