import { describe, expect, it } from 'vitest';
import { collector as accounts } from '../../src/evidence/derived/access.accounts.ts';
import { gapOf } from '../../src/evidence/gaps.ts';
import { derive, gap } from './derive.ts';

const container = (pod: string, image: string, more: object = {}) => ({
  pod: { kind: 'Pod', namespace: 'm', name: pod, key: `Pod m/${pod}` },
  container: 'c',
  containerKey: `Container m/${pod}/c`,
  image,
  state: 'running',
  workload: { kind: 'Deployment', namespace: 'm', name: 'w', key: 'Deployment m/w' },
  ...more,
});
const pod = (name: string, more: object = {}) => ({
  key: `Pod m/${name}`,
  namespace: 'm',
  name,
  serviceAccount: 'sa',
  ...more,
});
const denied = {
  id: 'api-access-forbidden',
  count: 4,
  captured: { user: 'system:serviceaccount:m:other', verb: 'list', resource: 'jobs' },
};

const rows = (containers: readonly object[], hits: unknown, pods: readonly object[] = [pod('a')]) =>
  derive(accounts, {
    x: {
      evidence: {
        'kubernetes.containers': containers,
        'kubernetes.pods': pods,
        'logs.signatures': () => (hits instanceof Error ? hits : { hits }),
      },
    },
  });

describe('access.accounts', () => {
  it('names the account that the API server names, else that of the pod', async () => {
    const [row] = await rows(
      [container('a', 'r/kube-state-metrics:v2')],
      [denied, { id: 'api-token-rejected', count: 3 }],
    );
    expect(row).toMatchObject({
      account: { key: 'ServiceAccount m/other' },
      denied: [{ id: 'api-access-forbidden', verb: 'list', resource: 'jobs' }],
      rejected: [{ id: 'api-token-rejected', count: 3 }],
    });
    const [none] = await rows([container('a', 'r/grafana:12')], []);
    expect(none).toMatchObject({ account: { key: 'ServiceAccount m/sa' }, denied: [], rejected: [] });
  });

  it('asks clients of the API server, one pod of a DaemonSet, and whatever cannot stay up', async () => {
    const daemon = { workload: { kind: 'DaemonSet', namespace: 'm', name: 'd', key: 'DaemonSet m/d' } };
    const found = await rows(
      [
        container('a', 'r/nginx:1'),
        container('b', 'r/coredns:1', daemon),
        container('c', 'r/coredns:1', daemon),
        container('x', 'r/cilium:v1', daemon),
        container('y', 'r/csi-provisioner:v1'),
        container('z', 'r/csi-snapshotter:v1'),
        container('d', 'r/nginx:1', { state: 'waiting', crashLooping: true }),
        container('e', 'r/coredns:1', { history: true }),
      ],
      [],
    );
    expect(found.map(row => row.pod.name)).toEqual(['b', 'd']);
  });

  it('asks controllers whose work is not done', async () => {
    const evidence = {
      'kubernetes.containers': [
        container('x', 'r/cilium:v1'),
        container('y', 'r/csi-provisioner:v1'),
        container('z', 'r/csi-snapshotter:v1'),
      ],
      'kubernetes.pods': [],
      'logs.signatures': { hits: [] },
      'cilium.load-balancers': [{ l2: { why: 'lease-absent' } }],
      'kubernetes.persistent-volume-claims': [{ phase: 'Pending' }],
    };
    expect((await derive(accounts, { x: { evidence } })).map(row => row.pod.name)).toEqual(['x', 'y']);
    const done = {
      ...evidence,
      'cilium.load-balancers': gap('forbidden'),
      'kubernetes.persistent-volume-claims': [{ phase: 'Bound' }],
    };
    expect(await derive(accounts, { x: { evidence: done } })).toEqual([]);
  });

  it('counts the run before only where the present one cannot last', async () => {
    const before = [{ ...denied, previous: true }];
    expect((await rows([container('a', 'r/grafana:12')], before))[0]?.denied).toEqual([]);
    const [looping] = await rows([container('a', 'r/nginx:1', { crashLooping: true })], before);
    expect(looping).toMatchObject({ crashing: true, denied: [{ count: 4 }] });
  });

  it('leaves what Prometheus and the operator lack to their own rules', async () => {
    for (const image of ['r/prometheus:v3', 'r/prometheus-operator:v0.86.0']) {
      const [row] = await rows([container('a', image)], [denied, { id: 'api-token-rejected', count: 3 }]);
      expect(row).toMatchObject({ denied: [], rejected: [{ count: 3 }] });
    }
  });

  it('tells a Secret in the place of the kubelet’s token', async () => {
    const mounts = [{ volume: 't', path: '/var/run/secrets/kubernetes.io/serviceaccount' }];
    const volumes = [{ name: 't', kind: 'secret', source: 'sa-token' }];
    const [row] = await rows([container('a', 'r/grafana:12', { mounts })], [], [pod('a', { volumes })]);
    expect(row?.tokenSecret).toBe('sa-token');
  });

  it('leaves open what a log says that could not be read', async () => {
    for (const reason of [
      'unauthenticated',
      'forbidden',
      'not-found',
      'server-error',
      'timed-out',
      'truncated',
    ] as const) {
      const [row] = await rows([container('a', 'r/grafana:12')], gap(reason));
      expect(row?.account.name).toBe('sa');
      expect(gapOf(row?.denied[0])).toMatchObject({ reason });
      expect(gapOf(row?.rejected[0])).toMatchObject({ reason });
    }
  });
});
