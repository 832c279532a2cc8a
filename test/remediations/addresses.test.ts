import { expect, test } from 'vitest';
import { refusals, stage } from './harness.ts';
import { SCENES } from './scenes.ts';

const EXTENDED = SCENES['cilium.extend-address-pool']!;

const service = (ip: string) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'edge', namespace: 'ns' },
  spec: { type: 'LoadBalancer', ports: [{ port: 10901 }] },
  status: { loadBalancer: { ingress: [{ ip }] } },
});

test('a block of addresses is not taken back while a Service has one of them', async () => {
  const { server, plan, apply, undo } = await stage(EXTENDED);
  expect(await apply(await plan())).toMatchObject({ outcome: 'fixed' });
  const used = server.put(service('10.0.0.21'));
  await expect(undo()).rejects.toThrow(/addresses-unused: Service ns\/edge has 10.0.0.21/);
  server.put({ ...used, status: service('10.0.0.9').status });
  expect(await undo()).toMatchObject({ outcome: 'fixed' });
});

test.each([
  ['a node', 'kubernetes.nodes', { name: 'far-1', addresses: ['far-1.example', '10.0.0.20'] }, 'node far-1'],
  [
    'a Service',
    'kubernetes.services',
    { namespace: 'far', name: 'query', externalIps: ['10.0.0.21'] },
    'Service far/query',
  ],
])('an address that %s of another cluster has is not free', async (_, id, row, who) => {
  const evidence = { ...EXTENDED.evidence, [id]: [{ ...row, cluster: 'far' }] };
  const { plan } = await stage({ ...EXTENDED, evidence });
  expect(refusals(await plan())).toEqual([
    expect.stringMatching(new RegExp(`^free-in-all-clusters failed: 10\\.0\\.0\\.2[01] is ${who} of cluster far`)),
  ]);
});
