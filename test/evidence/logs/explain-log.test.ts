import { expect, test } from 'vitest';
import { explainLog } from '../../../src/evidence/logs/explain-log.ts';
import { AFTER_AN_EXIT, signatures } from './signatures-of-the-package.ts';

async function explain(text: string, component = '') {
  const log = await explainLog(signatures, [Buffer.from(text)], { component });
  return { ...log, hits: log.hits.filter(hit => !AFTER_AN_EXIT.has(hit.signature)) };
}

const REFUSED =
  'ts=2026-05-04T11:58:00.5Z caller=sidecar.go:433 level=warn err="check exists: stat s3 object: dial tcp 192.0.2.80:80: connect: connection refused" uploaded=0';

test('a log without timestamps of the API is told by its own', async () => {
  const log = await explain(`${REFUSED}\n${REFUSED.replace('58:00.5Z', '58:30Z')}\n`, 'sidecar');
  expect(log).toMatchObject({ lines: 2, from: '2026-05-04T11:58:00.5Z', to: '2026-05-04T11:58:30Z' });
  expect(log.hits.map(hit => [hit.signature, hit.count, hit.first, hit.last])).toEqual([
    ['s3-conn-refused', 2, '2026-05-04T11:58:00.5Z', '2026-05-04T11:58:30Z'],
    ['sidecar-upload-failed', 2, '2026-05-04T11:58:00.5Z', '2026-05-04T11:58:30Z'],
  ]);
  expect(log.hits[0]).toMatchObject({ rules: ['object-store-unreachable', 'object-store-speaks-http'], marker: false });
  expect(log.hits[0]!.means).toMatch(/^Nothing listens at the object store/);
});

test('what kubectl writes before a line is cut off, and containers are kept apart', async () => {
  const log = await explain(
    [
      `[pod/a-0/sidecar] 2026-05-04T11:58:01Z ${REFUSED}`,
      '[pod/a-1/sidecar] 2026-05-04T11:58:02Z level=info msg="caught signal. Exiting."',
      `[pod/a-1/sidecar] 2026-05-04T11:58:03Z ${REFUSED}`,
    ].join('\n'),
    'sidecar',
  );
  expect(log.from).toBe('2026-05-04T11:58:01Z');
  expect(log.hits.map(hit => [hit.source, hit.signature, hit.first])).toEqual([
    ['pod/a-0/sidecar', 's3-conn-refused', '2026-05-04T11:58:01Z'],
    ['pod/a-0/sidecar', 'sidecar-upload-failed', '2026-05-04T11:58:01Z'],
    ['pod/a-1/sidecar', 'shutdown-began', '2026-05-04T11:58:02Z'],
  ]);
});

test('a log of which nobody says whose it is may hold anything', async () => {
  const log = await explain('level=warn msg="Notify for alerts failed" err="x"\npanic: nil map\n');
  expect(log.hits.map(hit => hit.signature)).toEqual(['process-panicked', 'alertmanager-notify-failed']);
});

test('an empty log', async () => {
  expect(await explain('')).toEqual({ lines: 0, from: '', to: '', hits: [] });
});
