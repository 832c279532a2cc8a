import { expect, test } from 'vitest';
import { resumableAttempts } from '../../src/remediations/history.ts';
import { operator, replacePods, resize } from '../mutable-server/controllers.ts';
import { stage } from './harness.ts';
import { PLAIN_HTTP, SCENES } from './scenes.ts';

const GROWN = SCENES['prometheus.grow-claim']!;

test('what failed half-way and cannot be taken back is gone on with: it leaves the operator paused', async () => {
  let works = false;
  const { server, plan, apply, resume, journal } = await stage({
    ...GROWN,
    server: { controllers: [replacePods, (...given) => (works ? resize(...given) : undefined), operator] },
  });
  const report = await apply(await plan());
  expect(report).toMatchObject({ outcome: 'failed', undo: expect.stringContaining('fix --resume') });
  expect(server.find('Prometheus', 'ns', 'main')?.spec.paused).toBe(true);
  expect(resumableAttempts(journal.lines).map(({ begin }) => begin.id)).toEqual([report.id]);
  works = true;
  const claim = server.find('PersistentVolumeClaim', 'ns', 'db-prometheus-main-0')!;
  server.put({ ...claim, status: { ...claim.status, capacity: { storage: claim.spec.resources.requests.storage } } });
  expect(await resume()).toMatchObject({ outcome: 'fixed' });
  expect(server.find('Prometheus', 'ns', 'main')?.spec.paused).toBe(false);
  expect(resumableAttempts(journal.lines)).toEqual([]);
});

test('what was fixed in vain, or is half taken back, is not gone on with', async () => {
  const unhealed = await stage({ ...PLAIN_HTTP, healed: () => false });
  await unhealed.apply(await unhealed.plan());
  expect(resumableAttempts(unhealed.journal.lines)).toEqual([]);

  const broken = await stage({ ...PLAIN_HTTP, server: { controllers: [] } });
  expect(await broken.apply(await broken.plan())).toMatchObject({ outcome: 'failed' });
  expect(resumableAttempts(broken.journal.lines).map(({ begin }) => begin.mode)).toEqual(['undo']);
});
