import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { checkNamespaces } from '../../src/app/check-namespaces.ts';
import { collectFleet } from '../../src/app/collect.ts';
import { diagnoseFleet, NO_EXPECTATIONS } from '../../src/app/diagnose.ts';
import { openBundle } from '../../src/app/open-bundle.ts';
import { AS_USUAL, openLive } from '../../src/app/open-live.ts';
import { builtinSignatures } from '../../src/app/signature-files.ts';
import { exitCodeOf } from '../../src/cli/exit-codes.ts';
import { openBundleFiles } from '../../src/clusters/bundle-files.ts';
import type { LiveClusterOptions } from '../../src/clusters/live-options.ts';
import type { Finding } from '../../src/model/finding.ts';
import type { Report } from '../../src/model/report.ts';
import type { Rule } from '../../src/model/rule.ts';
import type { Source } from '../../src/model/source.ts';
import { text } from '../../src/report/text.ts';
import type { Fault, FaultKind } from '../../src/simulator/faults.ts';
import { type Fleet, type FleetOptions, startFleet } from '../../src/simulator/fleet.ts';
import { TERMINAL } from '../report/samples.ts';
import { program, temporaryFolder } from './program.ts';

const folder = temporaryFolder();
const signatures = builtinSignatures();
let rules: readonly Rule[] = [];

beforeAll(async () => {
  const { folder: built } = await program();
  rules = JSON.parse(readFileSync(join(built, 'dist/rules.json'), 'utf8'));
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

const recording = (name: string) => join(import.meta.dirname, '../incidents', name, 'bundle.tar.gz');

/** A recorded fleet on local ports, and its clusters opened live. */
async function serve(
  name: string,
  options: FleetOptions = {},
  overrides: Partial<LiveClusterOptions> = {},
): Promise<{ readonly fleet: Fleet; readonly sources: readonly Source[] }> {
  const fleet = await startFleet(await openBundleFiles(recording(name)), options);
  onTestFinished(() => fleet.close());
  const kubeconfig = join(folder, `kubeconfig-${Math.random()}`);
  writeFileSync(kubeconfig, fleet.kubeconfig);
  const sources = await openLive({
    kubeconfig,
    contexts: fleet.clusters.map(cluster => cluster.name),
    ...AS_USUAL,
    signal: new AbortController().signal,
    deadline: Date.now() + 60_000,
    overrides: {
      redirect: fleet.redirect,
      storeCertificateAuthority: fleet.authorities.join(''),
      retry: { retries: 0 },
      ...overrides,
    },
  });
  onTestFinished(async () => void (await Promise.all(sources.map(source => source.close()))));
  return { fleet, sources };
}

async function diagnose(sources: readonly Source[], chosen: readonly Rule[] = rules): Promise<Report> {
  return diagnoseFleet(sources, {
    rules: chosen,
    signatures,
    expectations: NO_EXPECTATIONS,
    fleet: '',
    concurrency: 16,
    version: 'test',
    command: 'thanos-doctor diagnose',
  });
}

/** What is found, without where it was read. */
const found = (findings: readonly Finding[]) =>
  findings.map(({ id, severity, root, causedBy, message, facts, since }) => ({
    id,
    severity,
    root,
    causedBy,
    message,
    facts,
    since,
  }));

describe('requests', () => {
  const lists = (fleet: Fleet) =>
    [...fleet.requestCounts()].filter(
      ([key]) => / GET \/apis?\/.*[^/]$/.test(key) && !/\/proxy\/|\/log$|\/secrets\//.test(key),
    );

  test('one LIST for each kind, whatever the number of rules', async () => {
    const { fleet, sources } = await serve('healthy-fleet');
    await diagnose(sources);
    const twice = lists(fleet).filter(([, count]) => count > 1);
    expect(twice).toEqual([]);
    expect(lists(fleet).length).toBeGreaterThan(40);
    const writes = fleet.requests().filter(({ method }) => method !== 'GET' && method !== 'HEAD');
    expect(new Set(writes.map(({ path }) => path))).toEqual(
      new Set([
        '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
        '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      ]),
    );
  });

  test('only what a chosen rule reads is asked for', async () => {
    const { fleet, sources } = await serve('healthy-fleet');
    const few = rules.filter(rule => rule.id === 'node-not-ready');
    await diagnose(sources, few);
    expect(few).toHaveLength(1);
    expect([...fleet.requestCounts().keys()].some(key => key.endsWith(' /api/v1/nodes'))).toBe(true);
    expect([...fleet.requestCounts().keys()].some(key => /\/log$|\/secrets\/|^s3 /.test(key))).toBe(false);
    expect(fleet.requests().length).toBeLessThan(40);
  });
});

describe('a cluster that fails midway leaves the others as they are', () => {
  const effects: readonly (readonly [string, FaultKind])[] = [
    ['401', { is: 'error', status: 401 }],
    ['403', { is: 'error', status: 403 }],
    ['429', { is: 'error', status: 429, retryAfterSeconds: 3600 }],
    ['500', { is: 'error', status: 500 }],
    ['503', { is: 'error', status: 503 }],
    ['truncated', { is: 'truncated' }],
    ['garbage', { is: 'garbage' }],
    ['reset', { is: 'reset' }],
    ['silence', { is: 'silence' }],
  ];
  let whole: Report;
  beforeAll(async () => {
    whole = await diagnose(await openBundle(recording('sidecar-speaks-https')));
  });

  test.each(effects)('every list: %s', async (_name, effect) => {
    const [sick, ...healthy] = whole.clusters.map(cluster => cluster.name);
    const faults: readonly Fault[] = [{ server: sick!, path: /^\/apis?\/.*\?limit=/, effect }];
    const { sources } = await serve('sidecar-speaks-https', { faults }, { timeouts: { request: 400 } });
    const report = await diagnose(sources);
    JSON.parse(JSON.stringify(report));
    expect(report.verdict).not.toBe('healthy');
    expect(report.unknowns.some(unknown => unknown.cluster === sick)).toBe(true);
    const ofOthers = (findings: readonly Finding[]) =>
      found(findings.filter(({ cluster }) => healthy.includes(cluster)));
    expect(ofOthers(report.findings).map(({ id }) => id)).toEqual(ofOthers(whole.findings).map(({ id }) => id));
    expect(ofOthers(whole.findings).length).toBeGreaterThan(0);
    // What could not be read is no problem of its own.
    const known = new Set(whole.findings.map(({ id }) => id));
    const invented = report.findings.filter(
      ({ id, severity, rule }) => !known.has(id) && severity !== 'info' && !isOfAccess(rule),
    );
    expect(invented.map(({ id }) => id)).toEqual([]);
  });

  /** Rules that judge the access itself say so when it is refused. */
  const isOfAccess = (id: string) => rules.find(rule => rule.id === id)?.folder === 'access';

  test('a list that breaks off after its first page', async () => {
    const [sick] = whole.clusters.map(cluster => cluster.name);
    const { sources } = await serve('sidecar-speaks-https', {
      faults: [{ server: sick!, path: '/api/v1/pods', effect: { is: 'truncated' } }],
    });
    const report = await diagnose(sources);
    expect(report.verdict).not.toBe('healthy');
    expect(JSON.stringify(report.unknowns)).toContain('/api/v1/pods');
  });
});

describe('of a part of a cluster', () => {
  const NAMES = [
    'healthy-fleet',
    'sidecar-speaks-https',
    'pool-exhausted',
    'dns-down',
    'volume-faulted',
    'monitor-not-selected',
  ];

  test.each(NAMES)('%s: what lies in namespaces that were not looked at is no problem', async name => {
    const whole = new Set((await diagnose(await openBundle(recording(name)))).findings.map(({ id }) => id));
    for (const namespace of ['monitoring', 'kube-system', 'there-is-none']) {
      const { sources } = await serve(name, {}, { onlyNamespaces: [namespace] });
      const { findings, notLookedAt } = await diagnose(sources);
      const invented = findings.filter(({ id, severity }) => !whole.has(id) && severity !== 'info');
      expect(invented.map(({ id }) => id)).toEqual([]);
      expect(JSON.stringify(notLookedAt)).toContain(`only namespace ${namespace} looked at`);
    }
  });

  test('one that is not there, or holds nothing, is never health', async () => {
    const { sources } = await serve('healthy-fleet', {}, { onlyNamespaces: ['default'] });
    await expect(checkNamespaces(sources, ['default'])).resolves.toBeUndefined();
    await expect(checkNamespaces(sources, ['default', 'monitorng'])).rejects.toMatchObject({
      message: 'there is no namespace monitorng in cluster-01, cluster-02',
      hints: ['did you mean monitoring?'],
    });
    const empty = await diagnose(sources);
    expect(empty.verdict).toBe('unknown');
    expect(exitCodeOf(empty, 'warning')).toBe(3);
    expect(text(empty, TERMINAL)).toMatch(
      /not found \(no pod where it was looked: only\s+namespace default looked at\)/,
    );
  });

  test('where namespaces may not be listed, one that was named may be there', async () => {
    const forbidden: Fault = { path: '/api/v1/namespaces?', effect: { is: 'error', status: 403 } };
    const { sources } = await serve('healthy-fleet', { faults: [forbidden] });
    await expect(checkNamespaces(sources, ['monitorng'])).resolves.toBeUndefined();
  });

  test('what is in it is found', async () => {
    const { sources } = await serve('sidecar-speaks-https', {}, { onlyNamespaces: ['monitoring'] });
    const { findings } = await diagnose(sources);
    expect(findings.filter(({ root }) => root).map(({ rule }) => rule)).toContain('object-store-speaks-http');
  });
});

describe('a server that is busy', () => {
  const busy = (status: number, retryAfterSeconds?: number, times = 2): Fault => ({
    path: /^\/api\/v1\/(pods|nodes)\?/,
    times,
    effect: { is: 'error', status, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) },
  });
  const only = () => rules.filter(rule => rule.folder === 'kubernetes');

  test.each([
    ['429 with Retry-After', 429, 1, 1000],
    ['500', 500, undefined, 0],
    ['503 with Retry-After: 0', 503, 0, 0],
  ] as const)('%s is asked again, and nothing is missing', async (_name, status, retryAfter, atLeast) => {
    const expected = await diagnose(await openBundle(recording('image-missing')), only());
    const { sources } = await serve(
      'image-missing',
      { faults: [busy(status, retryAfter)] },
      { retry: { retries: 3, delay: 10 } },
    );
    const started = Date.now();
    const report = await diagnose(sources, only());
    expect(Date.now() - started).toBeGreaterThanOrEqual(atLeast);
    expect(found(report.findings)).toEqual(found(expected.findings));
    expect(sources.flatMap(source => source.failures()).filter(failure => failure.status === status)).toEqual([]);
  });

  test('a cluster that cannot be reached is named as kubectl would ask it', async () => {
    const { sources, fleet } = await serve('edge-cluster-unreachable');
    const report = await diagnose(sources, []);
    const away = report.clusters.filter(({ reachable }) => !reachable);
    expect(away.map(({ name, context }) => [name, context])).toEqual(away.map(({ name }) => [name, name]));
    expect(away.length).toBeLessThan(fleet.clusters.length);
    expect(text(report, { ...TERMINAL, all: true })).toContain(`kubectl --context ${away[0]!.name} get --raw /readyz`);
  });

  test('an hour of Retry-After is not waited for', async () => {
    const { sources } = await serve(
      'image-missing',
      { faults: [busy(429, 3600, 100)] },
      { retry: { retries: 3, delay: 10 } },
    );
    const started = Date.now();
    const report = await diagnose(sources, only());
    expect(Date.now() - started).toBeLessThan(10_000);
    expect(report.verdict).not.toBe('healthy');
  });
});

describe('collect, then diagnose --bundle', () => {
  test.each(['pool-exhausted', 'sidecar-speaks-https'])(
    '%s: the same findings as live, and no credential',
    async name => {
      const { sources } = await serve(name);
      const live = await diagnose(sources);
      const target = join(folder, `${name}.tar.gz`);
      const { sources: again } = await serve(name);
      await collectFleet(again, { target, since: '', readLogs: true, readSecrets: true, onProgress() {} });
      const bundled = await diagnose(await openBundle(target));
      expect(found(bundled.findings)).toEqual(found(live.findings));
      expect(bundled.verdict).toBe(live.verdict);
      const files = await openBundleFiles(target);
      for (const path of files.paths) {
        const text = Buffer.from((await files.read(path))!).toString('latin1');
        // The simulator's made-up credentials, plain and in base64.
        expect(/SIMULATED[0-9A-F]{24}|U0lNVUxBVEVE/.test(text), path).toBe(false);
      }
      expect(JSON.stringify(live)).not.toMatch(/SIMULATED[0-9A-F]{24}/);
    },
  );
});
