import { describe, expect, it } from 'vitest';
import { collector as ranges } from '../../src/evidence/derived/thanos.time-ranges.ts';
import { derive, gap } from './derive.ts';
import { ago } from './fake-source.ts';

const DAY = 86_400;
const limited = (name: string, from: string, to: string, more: object = {}) => ({
  component: 'store',
  subject: { kind: 'StatefulSet', namespace: 'm', name, key: `StatefulSet m/${name}` },
  place: 'b@s:80',
  syncBlockDuration: 900,
  args: [...(from ? [{ flag: '--min-time', value: from }] : []), ...(to ? [{ flag: '--max-time', value: to }] : [])],
  ...more,
});
const compactor = (days: number) => ({
  component: 'compact',
  place: 'b@s:80',
  retentionRaw: days * DAY,
  retentionFiveMinutes: days * DAY,
  retentionOneHour: days * DAY,
});
/** A block of a day that began so many days ago. */
const block = (days: number, more: object = {}) => ({
  id: `B${days}`,
  state: 'complete',
  minTime: ago(days * DAY),
  maxTime: ago((days - 1) * DAY),
  lastModifiedAge: (days - 1) * DAY,
  ...more,
});
const BLOCKS = Array.from({ length: 40 }, (_, index) => block(index + 2));

function given(workloads: readonly object[], blocks: readonly object[] = BLOCKS, more: object = {}) {
  return {
    evidence: {
      'thanos.workloads': workloads,
      'bucket.blocks': [{ place: 'b@s:80', blocks }],
      'thanos.query-stores': [
        {
          stores: [
            { type: 'sidecar', minTime: ago(DAY) },
            { type: 'store', minTime: ago(41 * DAY) },
          ],
        },
      ],
      ...more,
    },
  };
}

const holes = async (clusters: Parameters<typeof derive>[1]) =>
  (await derive(ranges, clusters)).map(row => `${row.subject.name} ${row.holeSeconds / DAY}`);

describe('thanos.time-ranges', () => {
  it('finds what a lone Store Gateway leaves out', async () => {
    const [row] = await derive(ranges, { a: given([limited('s', '-2w', '')]) });
    expect(row).toMatchObject({
      limited: true,
      holeSeconds: 27 * DAY,
      holeFrom: ago(41 * DAY),
      holeTo: ago(14 * DAY),
      flags: ['s: -2w to now'],
    });
    expect(row?.blockIds).toHaveLength(27);
    expect(await holes({ a: given([limited('s', ago(14 * DAY), '')]) })).toEqual(['s 27']);
  });

  it('blames the shard whose limit is next to the hole, in whichever cluster it runs', async () => {
    const shards = [limited('new', '-1w', ''), limited('old', '', '-3w')];
    expect(await holes({ a: given(shards) })).toEqual(['new 14', 'old 0']);
    expect(await holes({ a: given([shards[0]!]), b: given([shards[1]!]) })).toEqual(['new 14']);
    expect(await holes({ a: given([limited('new', '-1w', ''), limited('old', '', '-6d')]) })).toEqual([
      'new 0',
      'old 0',
    ]);
    expect(await holes({ a: given([limited('new', '-1w', ''), limited('all', '', '')]) })).toEqual(['new 0']);
  });

  it('leaves out what sidecars serve, what is young or marked, and what retention deletes', async () => {
    expect(await holes({ a: given([limited('s', '', '-24h'), compactor(30)], [block(1.5)]) })).toEqual(['s 0']);
    expect(await holes({ a: given([limited('s', '-2w', ''), compactor(14)]) })).toEqual(['s 0']);
    expect(await holes({ a: given([limited('s', '-2w', ''), compactor(0)]) })).toEqual(['s 27']);
    expect(await holes({ a: given([limited('s', '-2w', '')], [block(20, { lastModifiedAge: 1700 })]) })).toEqual([
      's 0',
    ]);
    expect(await holes({ a: given([limited('s', '-2w', '')], [block(20, { marks: { deletion: true } })]) })).toEqual([
      's 0',
    ]);
  });

  it('claims nothing of shards by labels, and asks nothing without limits', async () => {
    const byLabel = limited('s', '-2w', '', {
      args: [
        { flag: '--min-time', value: '-2w' },
        { flag: '--selector.relabel-config', value: 'x' },
      ],
    });
    expect(await holes({ a: given([byLabel]) })).toEqual(['s 0']);
    expect(await derive(ranges, { a: { evidence: { 'thanos.workloads': [limited('s', '', '')] } } })).toEqual([]);
  });

  it('is open where the bucket, the sidecars or another cluster could not be read', async () => {
    const store = limited('s', '-2w', '');
    for (const reason of [
      'unauthenticated',
      'forbidden',
      'not-found',
      'server-error',
      'timed-out',
      'malformed',
    ] as const) {
      for (const clusters of [
        { a: given([store], BLOCKS, { 'bucket.blocks': gap(reason) }) },
        { a: given([store], BLOCKS, { 'thanos.query-stores': gap(reason) }) },
        { a: given([store]), b: given([], [], { 'thanos.workloads': gap(reason) }) },
      ]) {
        const [row] = await derive(ranges, clusters);
        expect(() => row?.holeSeconds).toThrow(expect.objectContaining({ gap: expect.objectContaining({ reason }) }));
      }
    }
  });
});
