import { describe, expect, it } from 'vitest';
import { collector as server } from '../../src/evidence/collectors/kubernetes.server.ts';
import { collector as clocks } from '../../src/evidence/derived/fleet.clocks.ts';
import { derive, gap } from './derive.ts';
import { collect } from './fake-source.ts';

const cluster = (difference: number, store?: number, within = 0.1) => ({
  evidence: {
    'kubernetes.server': { clockDifference: difference, clockWithin: within },
    'bucket.answer': store === undefined ? [] : [{ store: 'n/s/k', clockDifference: store }],
  },
});

const apart = async (clusters: Parameters<typeof derive>[1]) =>
  (await derive(clocks, clusters)).flatMap(row => (row.apart ? [`${row.name} ${row.distance} ${row.against}`] : []));

describe('fleet.clocks', () => {
  it('names the one that is away from the middle of three', async () => {
    expect(await apart({ a: cluster(3600), b: cluster(3602), c: cluster(3500) })).toEqual(['c 100 median']);
    expect(await apart({ a: cluster(0), b: cluster(29), c: cluster(-1) })).toEqual([]);
    expect((await derive(clocks, { a: cluster(0), b: cluster(2) }))[1]).toMatchObject({ others: ['a: 0 s'] });
  });

  it('asks the object store which of two is wrong', async () => {
    expect(await apart({ a: cluster(0, 1), b: cluster(200) })).toEqual(['b 199 store']);
    expect(await apart({ a: cluster(0, 199), b: cluster(200) })).toEqual(['a 199 store']);
    expect(await apart({ a: cluster(10), b: cluster(20) })).toEqual([]);
  });

  it('leaves open what nothing tells, and does not call a run unhealthy for it', async () => {
    for (const clusters of [
      { a: cluster(0), b: cluster(200) },
      { a: cluster(0, 101), b: cluster(200) },
      { a: cluster(0, 5000), b: cluster(200) },
      { a: cluster(0), b: cluster(200, undefined, 2.5) },
      { a: cluster(0), b: { evidence: { 'kubernetes.server': gap('timed-out') } } },
    ]) {
      const [row] = await derive(clocks, clusters);
      expect(() => row?.apart).toThrow(
        expect.objectContaining({ gap: expect.objectContaining({ notLookedAt: true }) }),
      );
    }
    expect(await apart({ a: cluster(5000) })).toEqual([]);
  });
});

describe('kubernetes.server', () => {
  const credential = { kind: 'token' as const, user: 'sre', expires: '2026-05-05T12:00:00Z' };

  it('tells its clock and the end of the credential', async () => {
    const found = await collect(server, { server: { clock: { difference: -3, within: 0.2 }, credential } });
    expect(found).toMatchObject({
      clockDifference: -3,
      credential: { user: 'sre', expired: false, remaining: 86_400 },
    });
    const past = { ...credential, expires: '2026-05-01T00:00:00Z' };
    expect((await collect(server, { server: { credential: past } })).credential).toMatchObject({
      expired: true,
      remaining: 0,
    });
  });

  it('does not make up what a bundle did not keep', async () => {
    const found = await collect(server, {});
    expect(found.version).toBe('v1.34.4');
    for (const field of ['clockDifference', 'clockWithin', 'credential'] as const) {
      expect(() => found[field]).toThrow(
        expect.objectContaining({ gap: expect.objectContaining({ reason: 'not-in-bundle' }) }),
      );
    }
  });
});
