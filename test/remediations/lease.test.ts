import { expect, test } from 'vitest';
import { stage } from './harness.ts';
import { PLAIN_HTTP } from './scenes.ts';

type Server = Awaited<ReturnType<typeof stage>>['server'];

const leaseIn = (server: Server) => server.find('Lease', 'ns', 'thanos-doctor');
const leaseWrites = (server: Server) => server.writes.filter(write => write.includes('/leases'));

/** The symptom stays, and something happens at the n-th look whether it does. */
function atLook(number: number, happens: (server: Server) => void) {
  let looks = 0;
  return (server: Server) => {
    looks += 1;
    if (looks === number) happens(server);
    return false;
  };
}

test('the Lease is renewed as long as the work goes on: it outlives what it is valid for', async () => {
  let renewals = 0;
  const { plan, apply } = await stage({
    ...PLAIN_HTTP,
    healed: atLook(100, server => {
      renewals = leaseWrites(server).length - 1;
    }),
  });
  expect(await apply(await plan())).toMatchObject({ outcome: 'unverified' });
  expect(renewals).toBeGreaterThan(5);
});

test('a run that has lost its Lease to another writes nothing more', async () => {
  const { server, plan, apply, journal } = await stage(PLAIN_HTTP);
  const planned = await plan();
  let isTaken = false;
  const isWaitedFor = () => {
    const lease = leaseIn(server)!;
    if (isTaken || !server.writes.some(write => write.endsWith('/statefulsets/store'))) return;
    isTaken = true;
    const spec = { ...lease.spec, holderIdentity: 'another', renewTime: '2026-11-23T23:00:00.000000Z' };
    server.put({ ...lease, spec });
  };
  const append = journal.append;
  journal.append = async entry => {
    isWaitedFor();
    await append(entry);
  };
  const report = await apply(planned);
  expect(report).toMatchObject({ outcome: 'failed' });
  expect(report.detail).toContain('plan another holds the Lease ns/thanos-doctor now');
  expect(server.writes.some(write => write.endsWith('/statefulsets/prometheus-main'))).toBe(false);
  expect(leaseIn(server)?.spec.holderIdentity).toBe('another');
});
