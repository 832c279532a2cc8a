import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { collectFleet } from '../../src/app/collect.ts';
import { diagnoseFleet, NO_EXPECTATIONS } from '../../src/app/diagnose.ts';
import { openBundle } from '../../src/app/open-bundle.ts';
import { AS_USUAL, openLive } from '../../src/app/open-live.ts';
import { builtinRules } from '../../src/app/rule-files.ts';
import { builtinSignatures } from '../../src/app/signature-files.ts';
import { memoryFiles, openBundleFiles } from '../../src/clusters/bundle-files.ts';
import type { RawObject, Source } from '../../src/model/source.ts';
import { FORMATS } from '../../src/report/formats.ts';
import { startFleet } from '../../src/simulator/fleet.ts';
import { type Canary, lookout, newCanaries, newPrivateKey } from './canaries.ts';

const INCIDENTS = join(import.meta.dirname, '..', 'incidents');
const rules = builtinRules();
const signatures = builtinSignatures();
const OPTIONS = { width: 200, color: false, unicode: true, all: true, timeZone: 'UTC', terminal: false };

/** Everything that has text of its own is given credentials; what names them is left as it is. */
class Planting {
  readonly planted: Canary[] = [];

  /** New canaries, as the lines of a text. */
  lines(): readonly string[] {
    const canaries = newCanaries();
    this.planted.push(...canaries);
    return canaries.map(({ written }) => written);
  }

  key(): string {
    const canary = newPrivateKey();
    this.planted.push(canary);
    return canary.written;
  }

  /** One canary of a kind, as a bare value. */
  value(kind: string): string {
    const canary = newCanaries().find(one => one.kind === kind)!;
    this.planted.push(canary);
    return canary.value;
  }

  object(path: string, object: RawObject): void {
    const note = this.lines().join('\n');
    object.metadata.annotations = {
      ...object.metadata.annotations,
      'example.org/note': note,
      'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({
        stringData: { 'objstore.yml': this.lines().join('\n') },
      }),
    };
    if (path.endsWith('/events.json')) object.message = `${object.message}\n${this.lines().join('\n')}`;
    for (const condition of object.status?.conditions ?? [])
      condition.message = `${condition.message ?? ''} ${this.lines().join(' ; ')}`;
    const spec = path.endsWith('/pods.json') ? object.spec : object.spec?.template?.spec;
    for (const container of spec?.containers ?? []) this.container(container);
    for (const status of object.status?.containerStatuses ?? []) {
      for (const state of [status.state?.waiting, status.lastState?.terminated])
        if (state) state.message = `${state.message ?? ''} ${this.lines().join(' ; ')}`;
    }
    if (path.endsWith('/configmaps.json') && object.data) {
      for (const key of Object.keys(object.data))
        object.data[key] = `${object.data[key]}\n# ${this.lines().join('\n# ')}\n`;
      object.data['private.pem'] = this.key();
    }
  }

  private container(container: RawObject): void {
    const stores = `type: S3\nconfig:\n  bucket: b\n  endpoint: s3.example.org\n  access_key: ${this.value('access key')}\n  secret_key: ${this.value('S3 secret in YAML')}\n`;
    container.env = [
      ...(container.env ?? []),
      { name: 'GF_SECURITY_ADMIN_PASSWORD', value: this.value('Grafana password') },
      { name: 'AWS_SECRET_ACCESS_KEY', value: this.value('S3 secret in YAML') },
      { name: 'API_TOKEN', value: this.value('bearer token') },
      { name: 'DATABASE_URL', value: `postgres://app:${this.value('password in a URL')}@db.example.org/app` },
      { name: 'EXTRA_STORE', value: stores },
      { name: 'TLS_KEY', value: this.key() },
      { name: 'NOTES', value: this.lines().join('\n') },
    ];
    container.args = [
      ...(container.args ?? []),
      `--web.basic-auth-password=${this.value('password as a flag')}`,
      '--remote.password',
      this.value('password as a flag'),
      `--remote.url=https://app:${this.value('password in a URL')}@example.org`,
    ];
  }

  log(text: string): string {
    const stamp = /^\S+Z /.exec(text)?.[0] ?? '2026-01-01T00:00:00.000000000Z ';
    const lines = [
      ...this.lines().map(
        line => `ts=${stamp.trim()} caller=client.go:1 level=error msg="request failed" err=${JSON.stringify(line)}`,
      ),
      ...this.lines().map(line => JSON.stringify({ level: 'error', msg: line })),
      ...this.lines(),
      ...this.key().split('\n'),
    ];
    return text + lines.map(line => `${stamp}${line}\n`).join('');
  }

  body(path: string, text: string): string {
    if (path.endsWith('.txt')) {
      return `${text}\nprometheus_build_info{note=${JSON.stringify(this.lines().join(' '))}} 1\n`;
    }
    const walk = (node: RawObject): RawObject => {
      if (typeof node === 'string') return node;
      if (Array.isArray(node)) return node.map(walk);
      if (typeof node !== 'object' || node === null) return node;
      const entries = Object.entries(node).map(([key, value]) =>
        typeof value === 'string' && /^(?:lastError|yaml|error|summary|description|original)$/.test(key)
          ? [key, `${value}\n${this.lines().join('\n')}`]
          : [key, walk(value)],
      );
      return Object.fromEntries(entries);
    };
    try {
      return JSON.stringify(walk(JSON.parse(text)));
    } catch {
      return `${text}\n${this.lines().join('\n')}`;
    }
  }
}

function plantedIn(files: Map<string, Uint8Array>): readonly Canary[] {
  const planting = new Planting();
  for (const [path, bytes] of files) {
    const text = Buffer.from(bytes).toString('utf8');
    let content = text;
    if (/\/objects\/.*\.json$/.test(path)) {
      const list = JSON.parse(text);
      for (const item of list.items) planting.object(path, item);
      content = JSON.stringify(list);
    } else if (/\/logs\//.test(path)) content = planting.log(text);
    else if (/\/http\/(?!index)/.test(path)) content = planting.body(path, text);
    else if (path.endsWith('/failures.yaml')) {
      content = stringify(
        (parse(text) ?? []).map((failure: RawObject) => ({
          ...failure,
          message: `${failure.message} ${planting.lines().join(' ; ')}`,
        })),
      );
    }
    if (content !== text) files.set(path, Buffer.from(content, 'utf8'));
  }
  return planting.planted;
}

test.each(['sidecar-speaks-https', 'reader-forbidden'])(
  'no credential in a fleet gets into anything that is written: %s',
  { timeout: 120_000 },
  async name => {
    const recording = await openBundleFiles(join(INCIDENTS, name, 'bundle.tar.gz'));
    const files = new Map<string, Uint8Array>();
    for (const path of recording.paths) files.set(path, (await recording.read(path))!);
    const planted = plantedIn(files);
    expect(planted.length).toBeGreaterThan(5_000);
    const fleet = await startFleet(memoryFiles('planted', files));
    onTestFinished(() => fleet.close());
    const folder = mkdtempSync(join(tmpdir(), 'secrets-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'kubeconfig'), fleet.kubeconfig);
    const open = () =>
      openLive({
        kubeconfig: join(folder, 'kubeconfig'),
        contexts: fleet.clusters.map(cluster => cluster.name),
        ...AS_USUAL,
        signal: new AbortController().signal,
        deadline: Date.now() + 60_000,
        overrides: { redirect: fleet.redirect, retry: { retries: 0 } },
      });

    const written = new Map<string, string>();
    const live = await open();
    for (const [format, text] of await reports(live)) written.set(`live ${format}`, text);
    await Promise.all(live.map(source => source.close()));

    const collecting = await open();
    const target = join(folder, 'bundle');
    await collectFleet(collecting, { target, since: '', readLogs: true, readSecrets: true, onProgress: () => {} });
    await Promise.all(collecting.map(source => source.close()));
    const bundle = await openBundleFiles(target);
    for (const path of bundle.paths) written.set(path, readFileSync(join(target, path), 'utf8'));
    const recorded = await openBundle(target);
    for (const [format, text] of await reports(recorded)) written.set(`bundle ${format}`, text);

    expect([...written.keys()].filter(path => /\/(?:objects|logs|http)\//.test(path)).length).toBeGreaterThan(60);
    const look = lookout(planted);
    const seen = [...written].flatMap(([where, text]) => look(text).map(what => `${where}: ${what}`));
    expect(seen.slice(0, 40)).toEqual([]);
  },
);

async function reports(sources: readonly Source[]): Promise<ReadonlyMap<string, string>> {
  const report = await diagnoseFleet(sources, {
    rules,
    signatures,
    expectations: NO_EXPECTATIONS,
    fleet: '',
    concurrency: 16,
    version: 'test',
    command: 'test',
  });
  expect(report.findings.length).toBeGreaterThan(0);
  return new Map(FORMATS.map(({ name, format }) => [name, format(report, OPTIONS)]));
}
