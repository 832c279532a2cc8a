import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LINE_CAP } from '../../../src/evidence/logs/candidate-lines.ts';
import { type RunScan, scanRun } from '../../../src/evidence/logs/run-scan.ts';
import { loadSignatures } from '../../../src/evidence/logs/signature-file.ts';
import { compileSignatures } from '../../../src/evidence/logs/signatures.ts';
import { AFTER_AN_EXIT, signatures } from './signatures-of-the-package.ts';

function scan(component: string, ...chunks: readonly (string | Uint8Array)[]): RunScan {
  const run = scanRun(signatures, component);
  for (const chunk of chunks) run.write(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  return run.finish();
}

const ids = (result: RunScan) => result.hits.map(hit => hit.signature.id).filter(id => !AFTER_AN_EXIT.has(id));
const hit = (result: RunScan, id: string) => result.hits.find(each => each.signature.id === id);

const UPLOAD_FAILED =
  'ts=2026-05-04T11:58:00Z caller=sidecar.go:433 level=warn err="check exists: stat s3 object: Head \\"http://s3.example.test/blocks/x/meta.json\\": dial tcp 192.0.2.80:80: connect: connection refused" uploaded=0';

test('counts, first and last time, newest line and captures of one pass', () => {
  const result = scan(
    'sidecar',
    `2026-05-04T11:58:00.5Z starting\n2026-05-04T11:58:01Z ${UPLOAD_FAILED}\n\n2026-05-04T11:58:31Z ${UPLOAD_FAILED.replace('uploaded=0', 'uploaded=7')}\n`,
  );
  expect(result).toMatchObject({ lines: 4, from: '2026-05-04T11:58:00.5Z', to: '2026-05-04T11:58:31Z' });
  expect(ids(result)).toEqual(['s3-conn-refused', 'sidecar-upload-failed']);
  expect(hit(result, 'sidecar-upload-failed')).toMatchObject({
    count: 2,
    first: '2026-05-04T11:58:01Z',
    last: '2026-05-04T11:58:31Z',
    lastLine: 4,
    level: 'warn',
    captured: { uploaded: '7' },
  });
  expect(hit(result, 's3-conn-refused')?.captured).toEqual({
    address: '192.0.2.80:80',
    scheme: 'http',
    host: 's3.example.test',
  });
});

test('only what the component may say is looked for', () => {
  expect(ids(scan('grafana', UPLOAD_FAILED))).toEqual([]);
  expect(ids(scan('store', UPLOAD_FAILED))).toEqual(['s3-conn-refused']);
  expect(ids(scan('unknown-program', 'panic: runtime error: index out of range'))).toEqual(['process-panicked']);
});

test('an empty log, a log without a line end, and white space', () => {
  expect(scan('store')).toEqual({ lines: 0, from: '', to: '', hits: [] });
  expect(scan('store', '2026-05-04T11:58:00Z a')).toMatchObject({
    lines: 1,
    from: '2026-05-04T11:58:00Z',
    to: '2026-05-04T11:58:00Z',
  });
  expect(scan('store', '\n\n').lines).toBe(2);
});

const LINES = fc.array(
  fc.oneof(
    fc.constantFrom(
      `2026-05-04T11:58:01Z ${UPLOAD_FAILED}`,
      '2026-05-04T11:58:02.123456789Z level=info msg="upload new block" id=01JD6T3K9QX7R5V2B8N4M6P0WZ',
      '2026-05-04T11:58:03Z panic: connect: connecpanic: ',
      '2026-05-04T11:58:04Z level=info msg="caught signal. Exiting."',
      'panic: no time',
      '',
    ),
    fc.string(),
  ),
  { maxLength: 12 },
);

test('however a log is cut into chunks, the hits are the same', () => {
  fc.assert(
    fc.property(LINES, fc.array(fc.nat(), { maxLength: 20 }), fc.boolean(), (lines, cuts, ended) => {
      const bytes = Buffer.from(lines.join('\n') + (ended ? '\n' : ''));
      const places = [...new Set(cuts.map(cut => cut % (bytes.length + 1)))].sort((one, other) => one - other);
      const chunks = [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length));
      expect(scan('sidecar', ...chunks)).toEqual(scan('sidecar', bytes));
    }),
    { numRuns: 300 },
  );
});

test('one byte at a time, too', () => {
  const bytes = Buffer.from(`2026-05-04T11:58:01Z ${UPLOAD_FAILED}\r\nnext`);
  expect(scan('sidecar', ...[...bytes].map(byte => Uint8Array.of(byte)))).toEqual(scan('sidecar', bytes));
});

test('a line of ten megabytes is read up to the cap, and what comes after it is found', () => {
  const long = `2026-05-04T11:58:00Z panic: at the beginning ${'x'.repeat(10_000_000)} bind: address already in use`;
  const result = scan('prometheus', long.slice(0, 70_000), long.slice(70_000), '\n2026-05-04T11:58:01Z panic: again\n');
  expect(ids(result)).toEqual(['process-panicked']);
  expect(hit(result, 'process-panicked')).toMatchObject({ count: 2, lastLine: 2, newest: 'panic: again' });
  const only = scan('prometheus', long);
  expect(hit(only, 'process-panicked')!.newest.length).toBeLessThan(LINE_CAP);
});

test('bytes that are no UTF-8, carriage returns and control characters do no harm', () => {
  const result = scan(
    'sidecar',
    Buffer.concat([
      Buffer.from([0xff, 0xfe, 0x00, 0x0a, 0xc3, 0x28]),
      Buffer.from(' \u001b[31mpanic: in the middle\n2026-05-04T11:58:01Z panic: bad \r\n'),
    ]),
  );
  expect(hit(result, 'process-panicked')).toMatchObject({ count: 1, newest: 'panic: bad ' });
});

test('a line made to stall a backtracking expression costs no more than another', () => {
  const own = loadSignatures([
    {
      path: 'own.yaml',
      text: '- {id: bait, means: Bait., components: [any], match: {all: [aaaaa], regex: "^(a+)+$"}, healedBy: [restart], rules: [], examples: {problem: [aaaaaa]}}',
    },
  ]);
  const run = scanRun(compileSignatures(own.signatures), '');
  const started = performance.now();
  run.write(Buffer.from(`${'a'.repeat(60_000)}!\n`.repeat(5)));
  expect(run.finish().hits).toEqual([]);
  expect(performance.now() - started).toBeLessThan(5000);
});

test('timestamps with an offset are told in UTC', () => {
  const result = scan('store', '2026-05-04T20:58:01.250000001+09:00 panic: x\n');
  expect(hit(result, 'process-panicked')).toMatchObject({
    first: '2026-05-04T11:58:01.250000001Z',
    newest: 'panic: x',
  });
});

test.each([
  ['logfmt', 'level=warn err="x" uploaded=0'],
  ['logfmt in capitals', 'time=x level=WARN source=y msg="z" uploaded=0'],
  ['JSON', '{"caller":"sidecar.go:433","err":"check exists","level":"warn","ts":"2026-05-04T11:58:00Z","uploaded":0}'],
  ['klog', 'W0504 11:58:00.123456       1 sidecar.go:1] uploaded=0'],
  ['brackets', '[WARNING] uploaded=0'],
  ['no level at all', 'something uploaded=0'],
])('%s: a level that suffices', (_form, line) => {
  expect(ids(scan('sidecar', line))).toEqual(['sidecar-upload-failed']);
});

test.each([
  ['logfmt', 'level=info uploaded=1'],
  ['slog', 'time=x level=INFO msg=y uploaded=1'],
  ['JSON', '{"level":"info","uploaded":1}'],
  ['klog', 'I0504 11:58:00.123456       1 sidecar.go:1] uploaded=1'],
  ['Python', 'INFO:root:uploaded=1'],
])('%s: a level below is no hit', (_form, line) => {
  expect(ids(scan('sidecar', line))).toEqual([]);
});

test('captures work on JSON as on logfmt', () => {
  const line = JSON.stringify({
    address: '192.0.2.11:10901',
    caller: 'endpointset.go:385',
    err: 'getting metadata: rpc error: code = Unknown desc = Not ready',
    level: 'warn',
    msg: 'update of endpoint failed',
  });
  expect(hit(scan('query', line), 'query-endpoint-not-ready')?.captured).toEqual({ address: '192.0.2.11:10901' });
});

test('lines that are healthy once or twice are hits from their number on', () => {
  const line = 'level=WARN msg="failed to join cluster" err="no such host"\n';
  expect(ids(scan('alertmanager', line.repeat(11)))).toEqual([]);
  expect(hit(scan('alertmanager', line.repeat(12)), 'alertmanager-cannot-join')?.count).toBe(12);
});

test('what comes after the order to stop is the noise of stopping', () => {
  const result = scan('sidecar', `${UPLOAD_FAILED}\nlevel=info msg="caught signal. Exiting."\n${UPLOAD_FAILED}\n`);
  expect(hit(result, 's3-conn-refused')?.count).toBe(1);
  expect(ids(result)).toContain('shutdown-began');
});

test('a component that fails closes its servers first, and says why afterwards', () => {
  const result = scan(
    'store',
    'level=info msg="internal server is shutting down" err="x"\nlevel=error err="The specified bucket does not exist\\nBaseFetcher: iter bucket\\nsync block\\nbucket store initial sync\\nstore command failed"\n',
  );
  expect(ids(result)).toEqual(['s3-no-such-bucket', 'store-initial-sync-failed', 'thanos-exited']);
  expect(hit(result, 'thanos-exited')?.captured).toEqual({
    why: 'The specified bucket does not exist',
    command: 'store',
  });
});
