import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Program, program, type Result, temporaryFolder } from './program.ts';
import { namespaceRule, tinyBundle, writeFiles, writeOwnRules } from './tiny-fleet.ts';

const folder = temporaryFolder();
const at = (...names: readonly string[]) => join(folder, ...names);
let cli: Program;

beforeAll(async () => {
  cli = await program();
  writeOwnRules(at('rules'));
  writeFiles(at('good'), tinyBundle({ a: { namespaces: ['default'] } }));
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

function expectOneMessage({ code, stdout, stderr }: Result, ...expected: readonly (string | RegExp)[]): void {
  expect(stderr).not.toMatch(/unexpected error|\n {4}at /);
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^thanos-doctor: /);
  for (const text of expected) expect(stderr).toMatch(text);
}

interface Entry {
  readonly name: string;
  readonly text?: string | Buffer;
  readonly type?: 'file' | 'symlink' | 'link' | 'directory' | 'fifo';
  readonly linkname?: string;
}

async function archive(name: string, entries: readonly Entry[]): Promise<string> {
  const tar = pack();
  for (const { text = '', ...header } of entries) tar.entry({ ...header, mtime: new Date(0) }, text);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  writeFileSync(at(name), gzipSync(Buffer.concat(chunks)));
  return at(name);
}

const good = () => [...tinyBundle({ a: { namespaces: ['default'] } })].map(([name, text]) => ({ name, text }));

describe('a bundle that cannot be used', () => {
  const diagnose = (place: string) => cli.run(['diagnose', '--bundle', place, '--rules', at('rules'), '--only', 'own']);

  test('is not confused with one that can', async () => {
    expect((await diagnose(at('good'))).code).toBe(0);
    expect((await diagnose(await archive('good.tar.gz', good()))).code).toBe(0);
    const inside = good().map(entry => ({ ...entry, name: `./incident/${entry.name}` }));
    expect((await diagnose(await archive('inside.tgz', inside))).code).toBe(0);
  });

  test('missing', async () => {
    expectOneMessage(await diagnose(at('nowhere')), /cannot read bundle .*nowhere: there is no such file or folder/);
  });

  test('cut off', async () => {
    const whole = readFileSync(await archive('whole.tar.gz', good()));
    for (const share of [0.3, 0.6, 0.95]) {
      writeFileSync(at('cut.tar.gz'), whole.subarray(0, Math.floor(whole.length * share)));
      expectOneMessage(await diagnose(at('cut.tar.gz')), /cannot read bundle .*cut\.tar\.gz: it is cut off/);
    }
  });

  test('no archive at all', async () => {
    writeFileSync(at('text.tar.gz'), 'hello');
    writeFileSync(at('zip.tar.gz'), gzipSync(Buffer.from('no tar '.repeat(200))));
    writeFileSync(at('empty.tar.gz'), '');
    for (const name of ['text.tar.gz', 'zip.tar.gz', 'empty.tar.gz'])
      expectOneMessage(await diagnose(at(name)), `cannot read bundle ${at(name)}: it is`);
    expectOneMessage(await diagnose(await archive('nothing.tar.gz', [])), /it is empty/);
  });

  test.each<[string, Entry, RegExp]>([
    [
      'a path that climbs',
      { name: '../../etc/cron.d/x', text: 'x' },
      /the path "\.\.\/\.\.\/etc\/cron\.d\/x" leads out of it/,
    ],
    ['a path that climbs inside', { name: 'clusters/../../x', text: 'x' }, /leads out of it/],
    ['an absolute path', { name: '/etc/passwd', text: 'x' }, /leads out of it/],
    ['a symbolic link', { name: 'clusters/a/access.yaml', type: 'symlink', linkname: '/etc/passwd' }, /is a symlink/],
    ['a hard link', { name: 'clusters/a/access.yaml', type: 'link', linkname: '/etc/passwd' }, /is a link/],
    ['a pipe', { name: 'clusters/a/access.yaml', type: 'fifo' }, /is a fifo/],
  ])('%s', async (_name, entry, message) => {
    expectOneMessage(
      await diagnose(await archive('evil.tar.gz', [...good(), entry])),
      message,
      /nothing of it was read/,
    );
  });

  test('a bomb is refused before it is unpacked', async () => {
    // A header that announces 600 MB, and zeros that compress to nothing.
    const header = Buffer.alloc(512);
    header.write('clusters/a/objects/core/v1/pods.json');
    header.write('0000644\0 0000000\0 0000000\0 ', 100);
    header.write(`${(600 * 1024 ** 2).toString(8).padStart(11, '0')} 00000000000 `, 124);
    header.write('        0', 148);
    header.write('ustar\u000000', 257);
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    writeFileSync(at('bomb.tar.gz'), gzipSync(Buffer.concat([header, Buffer.alloc(64 * 1024 ** 2)])));
    const before = process.memoryUsage().rss;
    expectOneMessage(await diagnose(at('bomb.tar.gz')), /pods\.json" would be 629145600 bytes/);
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 ** 2);
  });

  test.each<[string, Readonly<Record<string, string>>, RegExp]>([
    [
      'a newer format',
      { 'manifest.yaml': 'format: 2\ntakenAt: 2026-01-02T03:04:05Z\nclusters: [a]\n' },
      /it has format 2, this version reads up to 1/,
    ],
    [
      'a format that never was',
      { 'manifest.yaml': 'format: 0\ntakenAt: 2026-01-02T03:04:05Z\nclusters: [a]\n' },
      /format 0/,
    ],
    ['a manifest without format', { 'manifest.yaml': 'clusters: [a]\n' }, /its manifest\.yaml names no format/],
    ['a manifest without time', { 'manifest.yaml': 'format: 1\nclusters: [a]\n' }, /has no usable takenAt/],
    [
      'a manifest without clusters',
      { 'manifest.yaml': 'format: 1\ntakenAt: 2026-01-02T03:04:05Z\n' },
      /names no cluster/,
    ],
    ['a manifest that is no YAML', { 'manifest.yaml': 'format: [1\n  a: "' }, /manifest\.yaml is no YAML/],
    ['a manifest that is a list', { 'manifest.yaml': '- 1\n' }, /names no format/],
    ['a manifest of aliases', { 'manifest.yaml': aliasBomb() }, /manifest\.yaml is no YAML/],
    [
      'a manifest with a climbing cluster',
      { 'manifest.yaml': 'format: 1\ntakenAt: 2026-01-02T03:04:05Z\nclusters: ["../good/clusters/a"]\n' },
      /is missing/,
    ],
    [
      'a cluster that is not there',
      { 'manifest.yaml': 'format: 1\ntakenAt: 2026-01-02T03:04:05Z\nclusters: [a, b]\n' },
      /clusters\/b\/cluster\.yaml is missing/,
    ],
    [
      'broken YAML in cluster.yaml',
      { 'clusters/a/cluster.yaml': 'name: [a\n  b: "' },
      /clusters\/a\/cluster\.yaml is no YAML/,
    ],
    ['cluster.yaml without time', { 'clusters/a/cluster.yaml': 'name: a\n' }, /cluster\.yaml has no usable takenAt/],
    ['cluster.yaml that is text', { 'clusters/a/cluster.yaml': 'hello\n' }, /cluster\.yaml has no usable takenAt/],
    ['broken YAML in failures.yaml', { 'clusters/a/failures.yaml': '- {path: "' }, /failures\.yaml is no YAML/],
    ['failures.yaml that is no list', { 'clusters/a/failures.yaml': 'path: /version\n' }, /failures\.yaml is no list/],
    ['failures.yaml with holes', { 'clusters/a/failures.yaml': '- null\n- 5\n' }, /failures\.yaml is no list/],
  ])('%s', async (_name, files, message) => {
    const place = at('changed');
    rmSync(place, { recursive: true, force: true });
    writeFiles(place, new Map([...tinyBundle({ a: { namespaces: ['default'] } }), ...Object.entries(files)]));
    expectOneMessage(await diagnose(place), message);
  });

  test('a folder that is none', async () => {
    mkdirSync(at('photos'));
    writeFileSync(at('photos', 'cat.jpg'), 'cat');
    expectOneMessage(await diagnose(at('photos')), /it has no manifest\.yaml/, /what thanos-doctor collect writes/);
    symlinkSync(at('good', 'manifest.yaml'), at('photos', 'manifest.yaml'));
    expectOneMessage(await diagnose(at('photos')), /it has no manifest\.yaml/);
  });
});

describe('evidence in a bundle that cannot be read is a gap, and never health', () => {
  test.each<[string, Readonly<Record<string, string | undefined>>]>([
    ['objects that are no JSON', { 'clusters/a/objects/core/v1/namespaces.json': '{"items": [' }],
    ['objects that are a login page', { 'clusters/a/objects/core/v1/namespaces.json': '<html>' }],
    ['objects without items', { 'clusters/a/objects/core/v1/namespaces.json': '{"kind":"Status"}' }],
    ['objects that are null', { 'clusters/a/objects/core/v1/namespaces.json': 'null' }],
    [
      'items that are no objects',
      { 'clusters/a/objects/core/v1/namespaces.json': '{"items":[null,5,"x",{"metadata":7}]}' },
    ],
    ['discovery that is no JSON', { 'clusters/a/discovery.json': 'garbage' }],
    ['discovery without groups', { 'clusters/a/discovery.json': '[]' }],
    ['no discovery', { 'clusters/a/discovery.json': undefined }],
  ])('%s', async (_name, files) => {
    const place = at('gaps');
    rmSync(place, { recursive: true, force: true });
    const all = new Map<string, string>(tinyBundle({ a: { namespaces: ['default'] } }));
    for (const [path, text] of Object.entries(files)) text === undefined ? all.delete(path) : all.set(path, text);
    writeFiles(place, all);
    const { code, stdout, stderr } = await cli.run([
      'diagnose',
      '--bundle',
      place,
      '--rules',
      at('rules'),
      '--only',
      'own',
      '--format',
      'json',
    ]);
    expect(stderr).toBe('');
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ verdict: 'unknown' });
  });
});

test('what a bundle does not hold was not looked at, and is listed', async () => {
  const files = tinyBundle({ a: { namespaces: ['default'] } });
  files.delete('clusters/a/objects/core/v1/namespaces.json');
  writeFiles(at('without'), files);
  const { code, stdout } = await cli.run([
    'diagnose',
    '--bundle',
    at('without'),
    '--rules',
    at('rules'),
    '--only',
    'own',
  ]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Not looked at +a +namespaces: the bundle does not hold it/m);
});

function aliasBomb(): string {
  const levels = Array.from({ length: 12 }, (_, level) => `l${level + 1}: &l${level + 1} [${`*l${level},`.repeat(9)}]`);
  return `l0: &l0 x\n${levels.join('\n')}\nformat: 1\n`;
}

describe('a kubeconfig, context or fleet file that cannot be used', () => {
  const kubeconfig = (contexts: string) => `
apiVersion: v1
kind: Config
clusters: [{ name: c, cluster: { server: "http://127.0.0.1:1" } }]
users: [{ name: u, user: {} }]
contexts: ${contexts}
`;
  beforeAll(() => {
    writeFileSync(
      at('kubeconfig'),
      kubeconfig(
        '[{ name: edge-1, context: { cluster: c, user: u } }, { name: hub, context: { cluster: c, user: u } }]',
      ),
    );
  });

  test('none at all, and one that is missing', async () => {
    expectOneMessage(await cli.run(['diagnose']), /there is no kubeconfig/, /name one with --kubeconfig/);
    expectOneMessage(
      await cli.run(['diagnose', '--kubeconfig', at('none')]),
      /cannot read kubeconfig .*none: there is no such file/,
    );
  });

  test('a kubeconfig without a context', async () => {
    writeFileSync(at('no-context'), '{}');
    expectOneMessage(
      await cli.run(['diagnose', '--kubeconfig', at('no-context')]),
      /no context was named/,
      /there is no context at all/,
    );
  });

  test('a context that does not exist, with those that do', async () => {
    expectOneMessage(
      await cli.run(['diagnose', '--kubeconfig', at('kubeconfig'), '--context', 'edge-2']),
      /cannot use context "edge-2": it is not in/,
      /contexts there: edge-1, hub/,
      /did you mean edge-1\?/,
    );
    expectOneMessage(
      await cli.run(['diagnose', '--kubeconfig', at('kubeconfig')]),
      /no context was named/,
      /contexts there: edge-1, hub/,
    );
  });

  test.each<[string, string, RegExp]>([
    ['no YAML', 'clusters: [', /it is no YAML \(line 1/],
    ['a list', '- a\n', /it is no mapping of clusters, users and contexts/],
    ['contexts that are no list', 'contexts: {}\n', /its contexts are no list/],
    ['a context without a name', 'contexts: [{}]\n', /a context has no name/],
    [
      'an unknown cluster',
      kubeconfig('[{ name: x, context: { cluster: other, user: u } }]'),
      /its cluster "other" is not in/,
    ],
    [
      'an unknown user',
      kubeconfig('[{ name: x, context: { cluster: c, user: other } }]'),
      /its user "other" is not in/,
    ],
    ['binary', '\u0000\u0001\u0002', /cannot read kubeconfig/],
  ])('%s', async (_name, text, message) => {
    writeFileSync(at('broken'), text);
    expectOneMessage(await cli.run(['diagnose', '--kubeconfig', at('broken'), '--context', 'x']), message);
  });

  test('what a kubeconfig holds is never quoted', async () => {
    writeFileSync(at('secret'), 'users:\n- name: u\n  user: {token: s3cr3t-t0ken\n');
    const { stderr } = await cli.run(['diagnose', '--kubeconfig', at('secret')]);
    expect(stderr).toContain('it is no YAML');
    expect(stderr).not.toContain('s3cr3t');
  });

  test('a fleet file: every mistake at once, with its place', async () => {
    writeFileSync(at('fleet.yaml'), 'clusters:\n  - name: a\n    role: center\n  - name: a\n    contxt: x\n');
    expectOneMessage(
      await cli.run(['diagnose', '--fleet', at('fleet.yaml')]),
      /cannot use fleet file/,
      /fleet\.yaml:3:11: /,
      /fleet\.yaml:5:5: .*contxt/,
    );
    writeFileSync(at('fleet.yaml'), 'clusters:\n  - name: a\n  - name: a\n');
    expectOneMessage(await cli.run(['diagnose', '--fleet', at('fleet.yaml')]), /fleet\.yaml:3:11: the name a is taken/);
    expectOneMessage(await cli.run(['diagnose', '--fleet', at('none.yaml')]), /there is no such file/);
    expectOneMessage(await cli.run(['diagnose', '--fleet', folder]), /cannot read fleet file .*: it is a folder/);
    writeFileSync(at('fleet.yaml'), 'clusters: [\n');
    expectOneMessage(await cli.run(['diagnose', '--fleet', at('fleet.yaml')]), /fleet\.yaml:\d+:\d+: /);
  });
});

describe('own rules', () => {
  const diagnose = (...more: readonly string[]) =>
    cli.run(['diagnose', '--bundle', at('good'), '--rules', at('own'), ...more]);
  const writeRules = (files: Readonly<Record<string, string>>) => {
    rmSync(at('own'), { recursive: true, force: true });
    writeFiles(at('own'), new Map(Object.entries(files)));
  };

  test('where the build stands without its own: what is missing, and where it was looked for', async () => {
    cpSync(join(cli.folder, 'bin'), at('bare/bin'), { recursive: true });
    cpSync(join(cli.folder, 'dist'), at('bare/dist'), { recursive: true });
    cpSync(join(cli.folder, 'package.json'), at('bare/package.json'));
    rmSync(at('bare/dist/rules'), { recursive: true });
    const bare = join(at('bare'), 'bin/thanos-doctor.js');
    const lint = await cli.shell(`${process.execPath} ${bare} rules --lint ${at('rules')}`);
    expectOneMessage(lint, 'cannot read rules/schema.json of thanos-doctor', at('bare/dist'), 'put the folder rules/');
    // What was compiled is all that a diagnosis needs.
    const without = await cli.shell(`${process.execPath} ${bare} explain sidecar-not-uploading`);
    expect(without.code).toBe(0);
  });

  test('that are broken: every mistake of every file, with its place, before anything is read', async () => {
    writeRules({
      'own-critical-namespace.yaml': namespaceRule('critical').replace('n.name ==', 'n.nam =='),
      'own-info-namespace.yaml': namespaceRule('info').replace('severity: info', 'severity: bad'),
      'sub/own-warning-namespace.yaml': 'id: [',
    });
    const result = await diagnose('--bundle-that-is-not-read'.slice(0, 0) || '--quiet');
    expectOneMessage(
      result,
      /cannot use the rules: \d+ mistakes/,
      /own\/own-critical-namespace\.yaml:13:\d+: there is no field "nam"; did you mean "name"\?/,
      /own\/own-info-namespace\.yaml:3:11: severity: must be one of critical, warning, info/,
      /own\/sub\/own-warning-namespace\.yaml:\d+:\d+: /,
    );
    const lint = await cli.run(['rules', '--lint', at('own')]);
    expect([lint.code, lint.stdout]).toEqual([2, '']);
    expect(lint.stderr).toMatch(/own-critical-namespace\.yaml:13:\d+: there is no field "nam"/);
  });

  test('may name built-in rules as causes, and are explained with them', async () => {
    writeRules({
      'own-info-namespace.yaml': namespaceRule(
        'info',
        'causedBy:\n  - { rule: node-not-ready, shares: [Node] }\n  - { group: workload-troubles, shares: [Workload] }\n',
      ),
    });
    expect((await cli.run(['rules', '--lint', at('own')])).stdout).toBe('1 rule, no mistake\n');
    const { code, stdout } = await diagnose('--only', 'own-info-namespace', '--format', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout).counts.rules).toBe(1);
    expect((await cli.run(['explain', 'own-info-namespace', '--rules', at('own')])).stdout).toContain('node-not-ready');
  });

  test('may not take the id of a built-in rule', async () => {
    writeRules({ 'node-not-ready.yaml': namespaceRule('info').replace('own-info-namespace', 'node-not-ready') });
    expectOneMessage(await diagnose(), /node-not-ready/);
  });

  test('a folder that is none, or empty', async () => {
    writeRules({ 'README.md': 'nothing' });
    expectOneMessage(await diagnose(), /it holds no \.yaml file with a rule/);
    expectOneMessage(await cli.run(['rules', '--lint', at('own')]), /holds no \.yaml file with a rule/);
    expectOneMessage(await cli.run(['rules', '--rules', at('nowhere')]), /there is no such folder/);
    expectOneMessage(await cli.run(['rules', '--lint', at('good', 'manifest.yaml')]), /there is no such folder/);
  });
});
