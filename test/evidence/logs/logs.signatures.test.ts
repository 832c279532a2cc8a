import { expect, test } from 'vitest';
import { COLLECTORS } from '../../../src/evidence/catalogue.ts';
import type { Collector, Expectations } from '../../../src/evidence/collector.ts';
import { collector } from '../../../src/evidence/collectors/logs.signatures.ts';
import { gapOf } from '../../../src/evidence/gaps.ts';
import { openEvidence } from '../../../src/evidence/store.ts';
import type { Evidence } from '../../../src/model/evidence.ts';
import { type GapReason, GapSignal } from '../../../src/model/gap.ts';
import type { ShapeOf } from '../../../src/model/shape.ts';
import type { LogAnswer, LogRequest, RawObject } from '../../../src/model/source.ts';
import { ago, fakeSource } from '../fake-source.ts';
import { AFTER_AN_EXIT, signatures } from './signatures-of-the-package.ts';

type Value = ShapeOf<typeof collector.shape>;

const NOTHING_STATED: Expectations = {
  stated: false,
  clusters: [],
  clusterLabel: '',
  queryStores: 0,
  retention: { raw: 0, fiveMinutes: 0, oneHour: 0 },
  localRetention: 0,
  ignoredTargets: [],
};

const THANOS = 'registry.example.test/mirror/thanos:v0.39.2';

interface Case {
  readonly verb?: string;
  readonly status?: RawObject;
  readonly init?: boolean;
  readonly logs: (request: LogRequest) => string | LogAnswer | undefined;
  readonly withoutSignatures?: boolean;
  readonly pods?: readonly RawObject[];
}

async function evidence(given: Case): Promise<Evidence> {
  const container = { name: 'c', image: THANOS, args: [given.verb ?? 'sidecar', '--grpc-address=:1'] };
  const statuses = [{ name: 'c', restartCount: 0, ready: true, started: true, state: running(3600), ...given.status }];
  const pod = {
    metadata: { namespace: 'n', name: 'p', uid: 'u', creationTimestamp: ago(7200) },
    spec: given.init ? { initContainers: [container], containers: [] } : { containers: [container] },
    status: { phase: 'Running', [given.init ? 'initContainerStatuses' : 'containerStatuses']: statuses },
  };
  const source = fakeSource({ objects: { pods: given.pods ?? [pod] }, logs: given.logs });
  const { clusters } = openEvidence([source], new Map(), {
    collectors: new Map([...COLLECTORS, [collector.id, collector as unknown as Collector]]),
    concurrency: 2,
    expectations: NOTHING_STATED,
    ...(given.withoutSignatures ? {} : { signatures }),
  });
  return clusters[0]!.collect(collector.id, { namespace: 'n', pod: 'p', container: 'c' });
}

async function collect(given: Case): Promise<Value> {
  const found = await evidence(given);
  if (!found.known) throw new GapSignal(found.gap);
  const value = found.value as Value;
  return { ...value, hits: value.hits.filter(hit => gapOf(hit) || !AFTER_AN_EXIT.has(hit.id)) };
}

const running = (seconds: number) => ({ running: { startedAt: ago(seconds) } });
const ended = (started: number, finished: number, exitCode = 1) => ({
  terminated: {
    exitCode,
    reason: exitCode === 0 ? 'Completed' : 'Error',
    startedAt: ago(started),
    finishedAt: ago(finished),
  },
});
const backingOff = { waiting: { reason: 'CrashLoopBackOff' } };

/** Lines of a log: seconds before the evidence was taken, and text. */
const log = (...lines: readonly (readonly [number, string])[]) =>
  lines.map(([seconds, text]) => `${ago(seconds)} ${text}\n`).join('');
const onlyCurrent = (text: string) => (request: LogRequest) => (request.previous ? undefined : text);
const bothRuns = (before: string, current: string) => (request: LogRequest) => (request.previous ? before : current);

const REFUSED =
  'level=warn err="check exists: stat s3 object: dial tcp 192.0.2.80:80: connect: connection refused" uploaded=0';
const NO_BUCKET =
  'level=error err="The specified bucket does not exist\\nBaseFetcher: iter bucket\\nsync block\\nbucket store initial sync\\nstore command failed"';
const FINE = 'level=info msg="something else"';

const openness = (value: Value) =>
  Object.fromEntries(value.hits.map(hit => [`${hit.id}${hit.previous ? ' before' : ''}`, hit.open]));

test('one record: what the log is, and what it says', async () => {
  const value = await collect({
    logs: onlyCurrent(log([300, FINE], [40, REFUSED], [10, `${REFUSED} token=abcdef123456`])),
  });
  expect(value).toMatchObject({
    pod: { kind: 'Pod', namespace: 'n', name: 'p', uid: 'u', key: 'Pod n/p' },
    container: 'c',
    component: 'sidecar',
    lines: 3,
    from: ago(300),
    to: ago(10),
    toAge: 10,
    previous: false,
  });
  expect(value.hits).toHaveLength(2);
  expect(value.hits[0]).toMatchObject({
    id: 's3-conn-refused',
    count: 2,
    first: ago(40),
    last: ago(10),
    lastAge: 10,
    open: true,
    previous: false,
    level: 'warn',
    captured: { address: '192.0.2.80:80' },
  });
  expect(value.hits[0]!.sample).toBe(`${REFUSED} token=[redacted]`);
});

test('a loop that has gone quiet is history, of each component at its own pace', async () => {
  expect(openness(await collect({ logs: onlyCurrent(log([88, REFUSED])) }))).toEqual({
    's3-conn-refused': false,
    'sidecar-upload-failed': false,
  });
  expect(openness(await collect({ logs: onlyCurrent(log([60, REFUSED])) }))['s3-conn-refused']).toBe(true);
  const store = 'level=warn msg="syncing blocks failed" err="iter bucket: connect: connection refused"';
  expect(openness(await collect({ verb: 'store', logs: onlyCurrent(log([600, store])) }))).toEqual({
    's3-conn-refused': true,
    'store-sync-failed': true,
  });
});

test('a timeout takes long to come, and so does the silence that heals it', async () => {
  const timeout = REFUSED.replace('connect: connection refused', 'i/o timeout');
  expect(openness(await collect({ logs: onlyCurrent(log([200, timeout])) }))).toEqual({
    's3-conn-timeout': true,
    'sidecar-upload-failed': false,
    'sidecar-upload-timed-out': true,
  });
});

test('a marker heals what came before it, and nothing after', async () => {
  const failed = 'level=warn msg="syncing blocks failed" err="iter bucket: Access Denied."';
  const synced = 'level=info msg="successfully synchronized block metadata" returned=3 partial=0';
  const healed = await collect({ verb: 'store', logs: onlyCurrent(log([20, failed], [10, synced])) });
  expect(openness(healed)).toMatchObject({
    's3-access-denied': false,
    'store-sync-failed': false,
    'metas-synced': true,
  });
  const again = await collect({ verb: 'store', logs: onlyCurrent(log([10, synced], [10, failed])) });
  expect(openness(again)).toMatchObject({ 's3-access-denied': true, 'store-sync-failed': true });
});

test('silence proves nothing of a container that does not run', async () => {
  const value = await collect({
    status: { state: backingOff, lastState: ended(400, 300), restartCount: 4 },
    logs: onlyCurrent(log([300, REFUSED])),
  });
  expect(openness(value)['s3-conn-refused']).toBe(true);
});

test('while it waits, its log is that of the run that ended, and nothing is counted twice', async () => {
  const text = log([42, FINE], [12, NO_BUCKET]);
  const value = await collect({
    verb: 'store',
    status: { state: backingOff, lastState: ended(42, 12), restartCount: 3 },
    logs: bothRuns(text, text),
  });
  expect(value).toMatchObject({ lines: 2, previous: false });
  expect(value.hits.map(hit => [hit.id, hit.count, hit.open])).toEqual([
    ['s3-no-such-bucket', 1, true],
    ['store-initial-sync-failed', 1, true],
    ['thanos-exited', 1, true],
  ]);
});

test('the same run read twice while it is restarted counts once', async () => {
  const text = log([42, FINE], [12, NO_BUCKET]);
  const value = await collect({
    verb: 'store',
    status: { state: running(1), lastState: ended(42, 12), restartCount: 3 },
    logs: bothRuns(text, text),
  });
  expect(value.lines).toBe(2);
});

test('a run that has not outlived the failure of the one before has proved nothing yet', async () => {
  const status = (age: number) => ({ state: running(age), lastState: ended(age + 60, age + 10), restartCount: 2 });
  const logs = (age: number) => bothRuns(log([age + 60, FINE], [age + 30, NO_BUCKET]), log([age, FINE]));
  const young = await collect({ verb: 'store', status: status(20), logs: logs(20) });
  expect(young).toMatchObject({ lines: 3, previous: true });
  expect(openness(young)).toMatchObject({ 'thanos-exited before': true, 's3-no-such-bucket before': true });
  const old = await collect({ verb: 'store', status: status(60), logs: logs(60) });
  expect(openness(old)).toMatchObject({ 'thanos-exited before': false, 's3-no-such-bucket before': false });
  // No restart heals this one: only a store that was seen to serve.
  expect(openness(old)['store-initial-sync-failed before']).toBe(true);
});

test('a fault that came after days is believed to be gone after a quarter of an hour', async () => {
  const at = (age: number): Case => ({
    status: { state: running(age), lastState: ended(400_000, age + 1), restartCount: 1 },
    logs: bothRuns(log([age + 1, 'panic: nil map']), log([age, FINE])),
  });
  expect(openness(await collect(at(800)))).toEqual({ 'process-panicked before': true });
  expect(openness(await collect(at(901)))).toEqual({ 'process-panicked before': false });
});

test('what a run before said is healed by a marker of the current run', async () => {
  const ready = 'level=info msg="bucket store ready" init_duration=1s';
  const value = await collect({
    verb: 'store',
    status: { state: running(5), lastState: ended(60, 10), restartCount: 1 },
    logs: bothRuns(log([12, NO_BUCKET]), log([3, ready])),
  });
  expect(openness(value)['store-initial-sync-failed before']).toBe(false);
});

test('an init container that has done its work is well', async () => {
  const value = await collect({
    init: true,
    status: { state: ended(60, 50, 0), started: false },
    logs: onlyCurrent(log([55, REFUSED])),
  });
  expect(openness(value)['s3-conn-refused']).toBe(false);
});

test('no log yet is knowledge', async () => {
  const none: LogAnswer = { is: 'none', why: 'waiting to start: PodInitializing', path: '/log' };
  const value = await collect({ status: { state: { waiting: { reason: 'PodInitializing' } } }, logs: () => none });
  expect(value).toMatchObject({ component: 'sidecar', lines: 0, from: '', to: '', toAge: -1, hits: [] });
});

test('a run before without a log is knowledge, too', async () => {
  const none: LogAnswer = { is: 'none', why: 'previous terminated container not found', path: '/log' };
  const value = await collect({
    status: { restartCount: 1, lastState: ended(4000, 3700) },
    logs: request => (request.previous ? none : log([5, FINE])),
  });
  expect(value).toMatchObject({ previous: false, hits: [] });
});

test('a pod that is known not to exist has no log', async () => {
  expect(await collect({ pods: [], logs: () => undefined })).toMatchObject({ component: '', hits: [] });
});

const refused = (reason: GapReason): never => {
  throw new GapSignal({ reason, detail: 'pods/log is forbidden', path: '/log' });
};

test('a log that may not be read is a gap, never a quiet log', async () => {
  const found = await evidence({ logs: () => refused('forbidden') });
  expect(found).toMatchObject({ known: false, gap: { reason: 'forbidden', evidence: 'logs.signatures' } });
});

test('without signatures nobody looked', async () => {
  const found = await evidence({ logs: () => '', withoutSignatures: true });
  expect(found).toMatchObject({ known: false, gap: { reason: 'not-asked', notLookedAt: true } });
});

async function* breaksOff(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
  throw new GapSignal({ reason: 'truncated', detail: 'the connection was closed' });
}

test('where reading broke off, what was read counts and "there is no other" does not', async () => {
  const value = await collect({
    logs: () => ({ is: 'lines', path: '/log', chunks: breaksOff(log([5, REFUSED])) }),
  });
  expect(value.hits.slice(0, 2).map(hit => hit.id)).toEqual(['s3-conn-refused', 'sidecar-upload-failed']);
  expect(gapOf(value.hits[2])).toMatchObject({
    reason: 'truncated',
    evidence: 'logs.signatures',
    path: '/log',
    notLookedAt: false,
  });
});

test('a run before that may not be read leaves what the current one says', async () => {
  const value = await collect({
    status: { restartCount: 1, lastState: ended(4000, 3700) },
    logs: request => (request.previous ? refused('forbidden') : log([5, REFUSED])),
  });
  expect(value.hits.slice(0, 2).map(hit => hit.id)).toEqual(['s3-conn-refused', 'sidecar-upload-failed']);
  expect(gapOf(value.hits[2])).toMatchObject({ reason: 'forbidden' });
});
