import { expect, test } from 'vitest';
import { stage } from './harness.ts';
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
