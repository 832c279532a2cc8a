import { describe, expect, it } from 'vitest';
import { collector as settings } from '../../src/evidence/derived/fleet.edge-settings.ts';
import { derive, gap } from './derive.ts';

const edge = (config: object, more: object = {}) => ({
  evidence: {
    'fleet.clusters': ['a', 'b', 'c'].map(name => ({ name, role: 'edge' })),
    'prometheus.config': [{ scrapeInterval: 30, evaluationInterval: 30, externalLabels: { cluster: 'x' }, ...config }],
    'prometheus.flags': [{ retention: 86_400, minBlock: 7200, maxBlock: 7200 }],
    'prometheus-operator.prometheuses': [{ replicas: 1, replicaLabel: 'replica' }],
    'thanos.components': [
      {
        component: 'sidecar',
        args: [
          { flag: '--grpc-address', value: JSON.stringify(config) },
          { flag: '--log.level', value: 'info' },
        ],
      },
      { component: 'query', args: [{ flag: '--log.level', value: 'debug' }] },
    ],
    'prometheus.rules': [{ rules: [{ name: 'a', expr: 'up == 0' }] }],
    ...more,
  },
});

const odd = async (clusters: Parameters<typeof derive>[1]) =>
  (await derive(settings, clusters)).flatMap(row => row.odd.map(one => `${row.setting}: ${one.cluster} ${one.value}`));

describe('fleet.edge-settings', () => {
  it('finds the one that is set otherwise', async () => {
    expect(await odd({ a: edge({}), b: edge({}), c: edge({ scrapeInterval: 60 }) })).toEqual([
      'scrape interval: c 60 s',
    ]);
    const flag = { 'thanos.components': [{ component: 'sidecar', args: [{ flag: '--log.level', value: 'debug' }] }] };
    expect(await odd({ a: edge({}), b: edge({}), c: edge({}, flag) })).toEqual([
      "the sidecar's flags: c --log.level=debug",
    ]);
    const rule = { 'prometheus.rules': [{ rules: [{ name: 'a', expr: 'up == 1' }] }] };
    expect(await odd({ a: edge({}), b: edge({}), c: edge({}, rule) })).toEqual([
      expect.stringMatching(/^rules: c 1 rules/),
    ]);
  });

  it('compares no values that have to differ, and needs a majority of three', async () => {
    expect(await odd({ a: edge({ externalLabels: { cluster: 'a' } }), b: edge({}), c: edge({}) })).toEqual([]);
    expect(await odd({ a: edge({ scrapeInterval: 10 }), b: edge({ scrapeInterval: 20 }), c: edge({}) })).toEqual([]);
    expect(await derive(settings, { a: edge({}), b: edge({ scrapeInterval: 60 }) })).toEqual([]);
  });

  it('leaves open what an edge is set to that could not be read', async () => {
    for (const reason of ['unauthenticated', 'forbidden', 'not-found', 'server-error', 'timed-out'] as const) {
      const rows = await derive(settings, {
        a: edge({}),
        b: edge({}),
        c: edge({}, { 'prometheus.config': gap(reason) }),
      });
      const row = rows.find(one => one.setting === 'scrape interval');
      expect(row?.read).toBe(2);
      expect(() => row?.odd).toThrow(
        expect.objectContaining({ gap: expect.objectContaining({ reason, notLookedAt: true }) }),
      );
      expect(rows.find(one => one.setting === 'replicas')?.odd).toEqual([]);
    }
  });
});
