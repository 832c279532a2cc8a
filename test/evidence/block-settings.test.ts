import { describe, expect, it } from 'vitest';
import { collector as joined } from '../../src/evidence/derived/bucket.local-compaction.ts';
import { collector as visibility } from '../../src/evidence/derived/thanos.block-visibility.ts';
import { gapOf } from '../../src/evidence/gaps.ts';
import { derive, gap } from './derive.ts';

const BUCKET = {
  place: 'b@s:80',
  bucketKey: 'Bucket b@s:80',
  writers: [{ containerKeys: ['Container m/p-0/s @edge'] }],
  compactors: [{ workload: { key: 'StatefulSet m/c @hub' } }],
};
const sidecar = (...flags: readonly string[]) => ({
  component: 'sidecar',
  containerKey: 'Container m/p-0/s',
  pod: { key: 'Pod m/p-0' },
  subject: { kind: 'Prometheus', namespace: 'm', name: 'p', key: 'Prometheus m/p' },
  args: flags.map(flag => ({ flag, value: '' })),
});
const block = (more: object = {}) => ({
  id: 'A',
  state: 'complete',
  source: 'sidecar',
  level: 2,
  lastModifiedAge: 3600,
  labelText: '{a="1"}',
  ...more,
});

describe('bucket.local-compaction', () => {
  const edge = (component: object, more: object = {}) => ({
    evidence: {
      'fleet.buckets': [BUCKET],
      'bucket.blocks': [{ place: 'b@s:80', blocks: [] }],
      'thanos.components': [component],
      'prometheus.flags': [{ pod: { key: 'Pod m/p-0' }, minBlock: 7200, maxBlock: 86_400 }],
      ...more,
    },
  });
  const writers = async (component: object, more: object = {}) =>
    (await derive(joined, { edge: edge(component, more) }))[0]?.writers.map(
      writer => `${writer.ownerKey} ${writer.why}`,
    );

  it('finds sidecars that upload what Prometheus has joined', async () => {
    expect(await writers(sidecar('--shipper.upload-compacted'))).toEqual([
      'Prometheus m/p @edge --shipper.upload-compacted',
    ]);
    expect(await writers(sidecar('--shipper.ignore-unequal-block-size'))).toEqual([
      'Prometheus m/p @edge --shipper.ignore-unequal-block-size, blocks of 2 to 24 h',
    ]);
    expect(await writers(sidecar())).toEqual([]);
    const equal = { 'prometheus.flags': [{ pod: { key: 'Pod m/p-0' }, minBlock: 7200, maxBlock: 7200 }] };
    expect(await writers(sidecar('--shipper.ignore-unequal-block-size'), equal)).toEqual([]);
    expect(await writers({ ...sidecar('--shipper.upload-compacted'), containerKey: 'Container m/o-0/s' })).toEqual([]);
  });

  it('finds the blocks themselves, of the last week', async () => {
    const blocks = [
      block(),
      block({ id: 'B', level: 1 }),
      block({ id: 'C', source: 'compactor' }),
      block({ id: 'D', lastModifiedAge: 700_000 }),
      block({ id: 'E', marks: { deletion: true } }),
    ];
    const [row] = await derive(joined, { edge: edge(sidecar(), { 'bucket.blocks': [{ place: 'b@s:80', blocks }] }) });
    expect(row).toMatchObject({
      blockIds: ['A'],
      labelsKeys: ['ExternalLabels {a="1"}'],
      compactors: ['StatefulSet m/c @hub'],
    });
  });

  it('leaves open what could not be read', async () => {
    for (const reason of ['unauthenticated', 'forbidden', 'not-found', 'server-error', 'timed-out'] as const) {
      const [unread] = await derive(joined, { edge: edge(sidecar(), { 'thanos.components': gap(reason) }) });
      expect(gapOf(unread?.writers[0])).toMatchObject({ reason });
      const [unlisted] = await derive(joined, { edge: edge(sidecar(), { 'bucket.blocks': gap(reason) }) });
      expect(() => unlisted?.blockIds).toThrow(expect.objectContaining({ gap: expect.objectContaining({ reason }) }));
    }
  });
});

describe('thanos.block-visibility', () => {
  const store = (...values: readonly string[]) => ({
    component: 'store',
    subject: { kind: 'StatefulSet', namespace: 'm', name: 's', key: 'StatefulSet m/s' },
    place: 'b@s:80',
    syncBlockDuration: 900,
    args: values.map(value => ({ flag: '--consistency-delay', value })),
  });
  const cluster = (workload: object, more: object = {}) => ({
    evidence: {
      'thanos.workloads': [workload],
      'fleet.producers': [
        { pod: { key: 'Pod m/p-0 @hub' }, place: 'b@s:80', owner: { key: 'Prometheus m/p @hub' } },
        { pod: { key: 'Pod m/p-0 @edge' }, place: 'b@s:80', owner: { key: 'Prometheus m/p @edge' } },
        { pod: { key: 'Pod m/o-0 @edge' }, place: 'other@s:80', owner: { key: 'Prometheus m/o @edge' } },
      ],
      'prometheus.replicas': [],
      ...more,
    },
  });
  const replicas = (...rows: readonly (readonly [string, number])[]) => ({
    'thanos.workloads': [],
    'prometheus.replicas': rows.map(([name, retention]) => ({
      pod: { key: `Pod m/${name}` },
      retention,
      minBlock: 7200,
    })),
  });

  it('holds the wait against the shortest retention that writes there', async () => {
    const [row] = await derive(visibility, {
      hub: cluster(store('6h'), { 'prometheus.replicas': replicas(['p-0', 86_400])['prometheus.replicas'] }),
      edge: cluster(store('6h'), replicas(['p-0', 21_000], ['o-0', 7200])),
    });
    expect(row).toMatchObject({
      consistencyDelay: 21_600,
      syncDelay: 900,
      shortest: 21_600,
      shortestOf: 'Prometheus m/p @edge',
    });
  });

  it('asks nothing where no Store Gateway waits', async () => {
    expect(
      await derive(visibility, { hub: { evidence: { 'thanos.workloads': [store(), store('0s'), store('soon')] } } }),
    ).toEqual([]);
  });

  it('knows no retention where it is by size, or could not be read', async () => {
    const [bySize] = await derive(visibility, {
      hub: cluster(store('6h'), { 'prometheus.replicas': [{ pod: { key: 'Pod m/p-0' }, retention: 0 }] }),
    });
    expect(bySize?.shortest).toBe(0);
    for (const reason of ['unauthenticated', 'forbidden', 'not-found', 'server-error', 'timed-out'] as const) {
      for (const id of ['fleet.producers', 'prometheus.replicas']) {
        const [row] = await derive(visibility, { hub: cluster(store('6h'), { [id]: gap(reason) }) });
        expect(() => row?.shortest).toThrow(expect.objectContaining({ gap: expect.objectContaining({ reason }) }));
      }
    }
  });
});
