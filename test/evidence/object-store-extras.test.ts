import { describe, expect, it } from 'vitest';
import { collector as settings } from '../../src/evidence/collectors/bucket.settings.ts';
import { collector as metrics } from '../../src/evidence/collectors/minio.metrics.ts';
import { GapSignal } from '../../src/model/gap.ts';
import { derive, gap } from './derive.ts';
import { collect, fakeSource } from './fake-source.ts';
import { pod } from './raw-objects.ts';

const STORE = {
  name: 'st',
  image: 'quay.io/thanos/thanos:v0.39.2',
  args: ['store', '--objstore.config=$(CONFIG)'],
  env: [{ name: 'CONFIG', valueFrom: { secretKeyRef: { name: 's3', key: 'k.yml' } } }],
};

function cluster(lifecycle: readonly object[] | undefined, prefix = '') {
  return {
    name: 'a',
    objects: {
      pods: [pod('st-0', { containers: [STORE], owner: { kind: 'StatefulSet', name: 'st' } })],
      'apps/statefulsets': [],
      'apps/deployments': [],
      'apps/replicasets': [],
      services: [],
      'monitoring.coreos.com/prometheuses': null,
      'monitoring.coreos.com/thanosrulers': null,
    },
    objectStore: () => ({ config: { type: 'S3', config: { bucket: 'b', endpoint: 'h:80', insecure: true }, prefix } }),
    bucketSettings: () =>
      lifecycle?.map(rule => ({
        id: 'r',
        enabled: true,
        prefix: '',
        tags: [],
        expireDays: 0,
        expireDate: '',
        ...rule,
      })),
  };
}

describe('bucket.settings', () => {
  const expiring = async (rule: object, prefix = '') =>
    (await collect(settings, cluster([rule], prefix)))[0]?.expiring.length;

  it('keeps the rules that delete objects of blocks', async () => {
    expect(await collect(settings, cluster([{ expireDays: 30 }]))).toMatchObject([
      { place: 'b@h:80', rules: 1, expiring: [{ id: 'r', days: 30 }] },
    ]);
    expect(await expiring({ expireDate: '2027-01-01T00:00:00Z' })).toBe(1);
    expect(await expiring({ expireDays: 30, prefix: '01' })).toBe(1);
    expect(await expiring({ expireDays: 30, prefix: 'team/' }, 'team')).toBe(1);
    expect(await expiring({ expireDays: 30, prefix: 'te' }, 'team')).toBe(1);
  });

  it('leaves those that cannot', async () => {
    for (const rule of [
      {},
      { expireDays: 30, enabled: false },
      { expireDays: 30, tags: ['k'] },
      { expireDays: 30, prefix: 'logs/' },
    ]) {
      expect(await expiring(rule)).toBe(0);
    }
    expect(await expiring({ expireDays: 30, prefix: 'other/' }, 'team')).toBe(0);
  });

  it('is an extra: what cannot be read was not looked at', async () => {
    const [unkept] = await collect(settings, cluster(undefined));
    expect(() => unkept?.expiring).toThrow(
      expect.objectContaining({ gap: expect.objectContaining({ notLookedAt: true, reason: 'not-in-bundle' }) }),
    );
    for (const reason of ['forbidden', 'unauthenticated', 'server-error', 'timed-out'] as const) {
      const denied = {
        ...cluster([]),
        bucketSettings: () => {
          throw new GapSignal({ reason, detail: 'no' });
        },
      };
      const [row] = await collect(settings, denied);
      expect(() => row?.expiring).toThrow(
        expect.objectContaining({ gap: expect.objectContaining({ notLookedAt: true, reason }) }),
      );
    }
    const found = await derive(settings, { a: { evidence: { 'thanos.object-stores': gap('forbidden') } } });
    expect(found).toHaveLength(1);
    expect(fakeSource({}).bucketSettings).toBeDefined();
  });
});

describe('minio.metrics', () => {
  const minio = {
    name: 'minio',
    image: 'quay.io/minio/minio:latest',
    args: ['server', '/data'],
    ports: [{ name: 's3', containerPort: 9000 }],
  };
  const server = (answer: { status?: number; body?: string } | undefined) => ({
    objects: {
      pods: [pod('minio-0', { containers: [minio], owner: { kind: 'StatefulSet', name: 'minio' } })],
      'apps/statefulsets': [],
      'apps/deployments': [],
      'apps/replicasets': [],
    },
    http: ({ path }: { path: string }) => (path === '/minio/v2/metrics/cluster' ? answer : undefined),
  });

  it('tells how much room there is', async () => {
    const body = [
      'minio_cluster_capacity_usable_total_bytes{server="a"} 1000',
      'minio_cluster_capacity_usable_free_bytes{server="a"} 70',
      'minio_cluster_drive_offline_total{server="a"} 1',
      '',
    ].join('\n');
    expect(await collect(metrics, server({ body }))).toMatchObject([
      { pod: { name: 'minio-0' }, capacity: 1000, free: 70, freePercent: 7, drivesOffline: 1, nodesOffline: 0 },
    ]);
  });

  it('is an extra: without a token nothing is known, and nothing is wrong', async () => {
    for (const [answer, reason] of [
      [{ status: 401 }, 'unauthenticated'],
      [{ status: 403, body: 'AccessDenied' }, 'forbidden'],
      [{ status: 404 }, 'not-found'],
      [{ status: 500 }, 'server-error'],
      [{ body: '<html>' }, 'malformed'],
      [{ body: 'up 1\n' }, 'malformed'],
      [undefined, 'not-in-bundle'],
    ] as const) {
      const [row] = await collect(metrics, server(answer));
      expect(row?.pod.name).toBe('minio-0');
      expect(() => row?.freePercent).toThrow(
        expect.objectContaining({ gap: expect.objectContaining({ reason, notLookedAt: true }) }),
      );
    }
  });
});
