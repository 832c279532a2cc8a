import { describe, expect, it } from 'vitest';
import { collector as deleted } from '../../src/evidence/derived/prometheus.deleted-blocks.ts';
import { gapOf } from '../../src/evidence/gaps.ts';
import { derive, gap } from './derive.ts';
import { ago } from './fake-source.ts';

/** Made six hours before the evidence was taken. */
const ID = ulid(Date.parse(ago(6 * 3600)));

function ulid(time: number): string {
  let text = '';
  let rest = time;
  for (let at = 0; at < 10; at++) {
    text = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'[rest % 32] + text;
    rest = Math.floor(rest / 32);
  }
  return `${text}${'0'.repeat(16)}`;
}

const replica = (more: object = {}) => ({
  prometheus: { kind: 'Prometheus', namespace: 'm', name: 'p', key: 'Prometheus m/p' },
  pod: { kind: 'Pod', namespace: 'm', name: 'p-0', key: 'Pod m/p-0' },
  container: 'prometheus',
  uploading: true,
  state: 'running',
  minBlock: 7200,
  maxBlock: 7200,
  ...more,
});
const block = (more: object = {}) => ({
  id: 'X',
  state: 'complete',
  labelText: '{a="1"}',
  minTime: ago(30 * 3600),
  maxTime: ago(28 * 3600),
  ...more,
});

function given(blocks: readonly object[], more: object = {}) {
  return {
    a: {
      evidence: {
        'prometheus.replicas': [replica()],
        'logs.signatures': { hits: [{ id: 'block-deleted-locally', last: ago(60), captured: { block: ID } }] },
        'fleet.producers': [
          {
            pod: { key: 'Pod m/p-0 @a' },
            kind: 'sidecar',
            place: 'b@s:80',
            labelText: '{a="1"}',
            labelsKey: 'ExternalLabels {a="1"}',
          },
        ],
        'bucket.blocks': [{ place: 'b@s:80', blocks }],
        'thanos.workloads': [{ component: 'compact', place: 'b@s:80', retentionRaw: 86_400 }],
        ...more,
      },
    },
  };
}

const lost = async (blocks: readonly object[], more: object = {}) =>
  (await derive(deleted, given(blocks, more))).map(row => row.lost);

describe('prometheus.deleted-blocks', () => {
  it('is lost where the bucket never had it', async () => {
    expect(await derive(deleted, given([block()]))).toMatchObject([
      {
        block: ID,
        place: 'b@s:80',
        from: ago(9 * 3600),
        to: ago(7 * 3600),
        labelsKey: 'ExternalLabels {a="1"}',
        lost: true,
      },
    ]);
  });

  it('is not where a block is it, was made of it, or has its time', async () => {
    expect(await lost([block({ id: ID })])).toEqual([false]);
    expect(await lost([block({ sources: ['Y', ID] })])).toEqual([false]);
    expect(await lost([block({ minTime: ago(9 * 3600 - 60), maxTime: ago(7 * 3600) })])).toEqual([false]);
    expect(await lost([block({ labelText: '{a="2"}', minTime: ago(10 * 3600), maxTime: ago(3600) })])).toEqual([true]);
    const short = { 'thanos.workloads': [{ component: 'compact', place: 'b@s:80', retentionRaw: 3600 }] };
    expect(await lost([block()], short)).toEqual([false]);
  });

  it('asks nothing of a Prometheus that joins blocks or uploads none', async () => {
    for (const more of [{ maxBlock: 86_400 }, { uploading: false }, { state: 'waiting' }]) {
      expect(await lost([], { 'prometheus.replicas': [replica(more)] })).toEqual([]);
    }
    expect(await lost([], { 'logs.signatures': { hits: [] } })).toEqual([]);
  });

  it('leaves open what could not be read', async () => {
    for (const reason of ['unauthenticated', 'forbidden', 'not-found', 'server-error', 'timed-out'] as const) {
      for (const id of ['bucket.blocks', 'fleet.producers', 'thanos.workloads']) {
        const [row] = await derive(deleted, given([block()], { [id]: gap(reason) }));
        expect(() => row?.lost).toThrow(expect.objectContaining({ gap: expect.objectContaining({ reason }) }));
      }
      const [unheard] = await derive(deleted, given([block()], { 'logs.signatures': gap(reason) }));
      expect(gapOf(unheard)).toMatchObject({ reason });
    }
  });
});
