import { expect, test } from 'vitest';
import { type FixSetting, resumeFix } from '../../src/app/fix.ts';
import { resumableAttempts } from '../../src/remediations/history.ts';
import { operator, replacePods, resize } from '../mutable-server/controllers.ts';
import { Killed, stage } from './harness.ts';
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

test('what was begun long ago and never done is planned anew: its guards tell of then', async () => {
  const { server, plan, apply, killAt, revive, journal } = await stage(PLAIN_HTTP);
  const planned = await plan();
  killAt(2, 'before');
  await expect(apply(planned)).rejects.toThrow(Killed);
  revive();
  expect(journal.lines.map(({ is }) => is)).toEqual(['begin']);
  journal.lines[0] = { ...journal.lines[0]!, time: '2020-01-01T00:00:00Z' };
  const nobody = () => {
    throw new Error('nobody is asked');
  };
  const setting = { journal, confirm: nobody, openWriter: nobody } as unknown as FixSetting;
  expect(await resumeFix('', setting)).toMatchObject([
    { outcome: 'refused', detail: expect.stringContaining('nothing of it was done: plan anew') },
  ]);
  expect(server.writes).toEqual([]);
  expect(resumableAttempts(journal.lines)).toEqual([]);
});
