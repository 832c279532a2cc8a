import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Program, program, temporaryFolder } from './program.ts';
import { tinyBundle, writeFiles, writeOwnRules } from './tiny-fleet.ts';

const folder = temporaryFolder();
const rules = join(folder, 'rules');
const SEVERITIES = ['critical', 'warning', 'info'] as const;
let cli: Program;

beforeAll(async () => {
  cli = await program();
  writeOwnRules(rules);
  writeFiles(join(folder, 'healthy'), tinyBundle({ a: { namespaces: ['default'] } }));
  writeFiles(join(folder, 'unknown'), tinyBundle({ a: { namespaces: 'forbidden' } }));
  writeFiles(
    join(folder, 'unreachable'),
    tinyBundle({ a: { namespaces: ['default'] }, b: { namespaces: [], unreachable: true } }),
  );
  for (const severity of SEVERITIES) {
    writeFiles(join(folder, severity), tinyBundle({ a: { namespaces: ['default', severity] } }));
    writeFiles(
      join(folder, `${severity} and unknown`),
      tinyBundle({ a: { namespaces: [severity] }, b: { namespaces: 'forbidden' } }),
    );
  }
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

const diagnose = (state: string, ...more: readonly string[]) =>
  cli.run(['diagnose', '--bundle', join(folder, state), '--rules', rules, '--only', 'own', ...more]);

describe('the exit code is the same for every format', () => {
  const cases = (
    [
      ['healthy', 0, 'healthy'],
      ['critical', 1, 'problems'],
      ['warning', 1, 'problems'],
      ['critical and unknown', 1, 'problems'],
      ['unknown', 3, 'unknown'],
      ['unreachable', 3, 'unknown'],
    ] as const
  ).flatMap(row => (['text', 'markdown', 'json'] as const).map(format => [...row, format] as const));

  test.each(cases)('%s: %i, %s as %s', async (state, code, verdict, format) => {
    const result = await diagnose(state, '--format', format);
    expect(result.code).toBe(code);
    expect(result.stderr).toBe('');
    expect(result.stdout).toMatch(/\n$/);
    if (format === 'json') expect(JSON.parse(result.stdout)).toMatchObject({ schemaVersion: 1, verdict });
    if (verdict === 'unknown' && format !== 'json') expect(result.stdout).not.toMatch(/\bhealthy\b/i);
  });
});

describe('--fail-on says from which severity on a problem fails', () => {
  const worst = { critical: 0, warning: 1, info: 2 };
  const cases = SEVERITIES.flatMap(severity =>
    ([...SEVERITIES, 'never'] as const).flatMap(failOn =>
      [severity, `${severity} and unknown`].map(state => {
        const fails = failOn !== 'never' && worst[severity] <= worst[failOn];
        const verdict = severity === 'info' ? (state === severity ? 0 : 3) : 0;
        return [state, failOn, fails ? 1 : verdict] as const;
      }),
    ),
  );
  test.each(cases)('%s with --fail-on %s: %i', async (state, failOn, code) => {
    expect((await diagnose(state, '--fail-on', failOn)).code).toBe(code);
  });
});

describe('what is written where', () => {
  test('standard output holds the report alone; -v speaks on standard error', async () => {
    const silent = await diagnose('critical', '--format', 'json');
    const verbose = await diagnose('critical', '--format', 'json', '-v');
    expect(verbose.stderr).toMatch(/^a: reading kubernetes$/m);
    expect(verbose.stderr).toMatch(/^a: done/m);
    const body = (text: string) => JSON.stringify({ ...JSON.parse(text), run: null });
    expect(body(verbose.stdout)).toBe(body(silent.stdout));
  });

  test('with --quiet standard error stays empty, files or not', async () => {
    const path = join(folder, 'quiet.md');
    for (const state of ['healthy', 'critical', 'unknown', 'unreachable']) {
      expect((await diagnose(state, '--quiet', '-o', path)).stderr).toBe('');
    }
    expect((await diagnose('healthy', '-q', '-v')).stderr).toBe('');
  });

  test('a mistake is said on standard error, and standard output is empty', async () => {
    const { code, stdout, stderr } = await diagnose('nowhere', '--format', 'json', '--quiet');
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('there is no such file or folder');
  });

  test('the command stands in the report as it can be pasted', async () => {
    const { stdout } = await cli.run([
      'diagnose',
      '--bundle',
      join(folder, 'healthy'),
      '--rules',
      rules,
      '--only',
      'own',
      '--format',
      'json',
      '-o',
      join(folder, "it's here.json"),
    ]);
    expect(JSON.parse(stdout).run.command).toMatch(
      /^thanos-doctor diagnose --bundle \/\S+ .* -o '.*it'\\''s here\.json'$/,
    );
  });
});

describe('-o', () => {
  const at = (name: string) => join(folder, 'out', name);
  beforeAll(() => mkdirSync(join(folder, 'out')));
  const leftovers = () => readdirSync(join(folder, 'out')).filter(name => name.startsWith('.'));

  test('any number of files, the format by the ending, for their owner alone', async () => {
    const { code, stderr, stdout } = await diagnose(
      'critical',
      '-o',
      at('a.md'),
      '--output',
      at('b.json'),
      '-o',
      at('c.txt'),
      '-o',
      at('D.MARKDOWN'),
    );
    expect(code).toBe(1);
    expect(stderr).toBe(['a.md', 'b.json', 'c.txt', 'D.MARKDOWN'].map(name => `wrote ${at(name)}\n`).join(''));
    expect(readFileSync(at('a.md'), 'utf8')).toMatch(/^# /);
    expect(readFileSync(at('D.MARKDOWN'), 'utf8')).toMatch(/^# /);
    expect(JSON.parse(readFileSync(at('b.json'), 'utf8')).verdict).toBe('problems');
    expect(readFileSync(at('c.txt'), 'utf8')).toContain(stdout.slice(0, 40));
    expect(statSync(at('a.md')).mode & 0o777).toBe(0o600);
    expect(leftovers()).toEqual([]);
  });

  test('replaces what was there, and through a link the file that it leads to', async () => {
    writeFileSync(at('old.json'), 'old');
    symlinkSync('old.json', at('link.json'));
    await diagnose('healthy', '-o', at('link.json'));
    expect(JSON.parse(readFileSync(at('old.json'), 'utf8')).verdict).toBe('healthy');
    expect(
      readdirSync(join(folder, 'out'), { withFileTypes: true })
        .find(entry => entry.name === 'link.json')
        ?.isSymbolicLink(),
    ).toBe(true);
  });

  test.each([
    ['no-such-folder/report.md', /cannot write .*: there is no folder /],
    ['a-file/report.md', /cannot write .*: .*a-file is no folder/],
    ['folder.md', /cannot write .*folder\.md: it is a folder/],
    [`${'x'.repeat(300)}.md`, /cannot write .*: its name is too long/],
    ['report.xml', /cannot tell the format of .*its ending is none of \.txt/],
    ['report', /cannot tell the format of/],
  ])('%s is refused before anything is read', async (name, message) => {
    writeFileSync(at('a-file'), '');
    mkdirSync(at('folder.md'), { recursive: true });
    const before = readdirSync(join(folder, 'out'));
    const { code, stderr } = await diagnose('healthy', '-o', at('good.json'), '-o', at(name));
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/unexpected error|ENOENT|EISDIR/);
    // A name that is too long shows only when it is written.
    if (name.length < 300) expect(readdirSync(join(folder, 'out'))).toEqual(before);
    expect(leftovers()).toEqual([]);
  });

  // Root may write everywhere.
  test.skipIf(process.getuid?.() === 0)('a folder and a file that are write-protected', async () => {
    mkdirSync(at('protected'));
    writeFileSync(at('protected.md'), 'mine');
    chmodSync(at('protected'), 0o500);
    chmodSync(at('protected.md'), 0o400);
    expect((await diagnose('healthy', '-o', at('protected/report.md'))).stderr).toContain('is not writable');
    expect((await diagnose('healthy', '-o', at('protected.md'))).stderr).toContain('it is there and write-protected');
    expect(readFileSync(at('protected.md'), 'utf8')).toBe('mine');
    chmodSync(at('protected'), 0o700);
  });

  test('a file that fails takes neither the report nor the other files along', async () => {
    const { code, stdout, stderr } = await diagnose(
      'critical',
      '-o',
      at(`${'y'.repeat(300)}.md`),
      '-o',
      at('other.json'),
    );
    expect(code).toBe(2);
    expect(stdout).toContain('Namespace critical is there.');
    expect(stderr).toContain('cannot write');
    expect(JSON.parse(readFileSync(at('other.json'), 'utf8')).verdict).toBe('problems');
    expect(leftovers()).toEqual([]);
  });
});

describe('--only and --skip', () => {
  const checks = async (...options: readonly string[]) => {
    const { stdout, stderr, code } = await cli.run([
      'diagnose',
      '--bundle',
      join(folder, 'info'),
      '--rules',
      rules,
      '--format',
      'json',
      ...options,
    ]);
    return code === 2 ? stderr : JSON.parse(stdout).counts.rules;
  };

  test('by id, folder and tag, and together', async () => {
    expect(await checks('--only', 'own-info-namespace')).toBe(1);
    expect(await checks('--only', 'own')).toBe(3);
    expect(await checks('--only', 'own', '--skip', 'own-info-namespace')).toBe(2);
    expect(await checks('--only', 'own-info-namespace', '--only', 'own-warning-namespace')).toBe(2);
    const all = (await checks()) as number;
    const storage = (await checks('--only', 'storage')) as number;
    expect(storage).toBeGreaterThan(1);
    expect(await checks('--skip', 'storage')).toBe(all - storage);
  });

  test('a name that does not exist, with the one that may have been meant', async () => {
    expect(await checks('--only', 'storge')).toMatch(
      /there is no rule, folder or tag "storge"; did you mean "storage"\?/,
    );
    expect(await checks('--skip', 'own-info-namespac')).toMatch(/did you mean "own-info-namespace"\?/);
  });

  test('nothing left to judge is a mistake, and not health', async () => {
    expect(await checks('--only', 'own', '--skip', 'own')).toMatch(/no rule is left/);
  });
});

describe('lists and explanations', () => {
  test('rules, as text and JSON', async () => {
    const text = await cli.run(['rules', '--only', 'storage']);
    expect(text).toMatchObject({ code: 0, stderr: '' });
    expect(text.stdout).toMatch(/^storage\n {2}\S+ +(critical|warning|info) +\S/);
    const rows = JSON.parse((await cli.run(['rules', '--format', 'json'])).stdout);
    expect(rows.length).toBeGreaterThan(100);
    expect(rows[0]).toMatchObject({ id: expect.any(String), title: expect.any(String), severity: expect.any(String) });
    expect((await cli.run(['rules', '--rules', rules, '--only', 'own'])).stdout).toContain('own-critical-namespace');
  });

  test('explain, of a built-in rule and of an own one', async () => {
    const { code, stdout } = await cli.run(['explain', 'object-store-speaks-http']);
    expect(code).toBe(0);
    expect(stdout.split('\n').length).toBeLessThan(80);
    expect((await cli.run(['explain', 'own-info-namespace', '--rules', rules])).stdout).toContain(
      'A namespace is called info',
    );
    const part = await cli.run(['explain', 'pool']);
    expect(part.stderr).toMatch(/there is no rule "pool"\n {2}with that in their names: .*pool-exhausted/);
    const unknown = await cli.run(['explain', 'object-store-speaks-htpp']);
    expect(unknown).toMatchObject({ code: 2, stdout: '' });
    expect(unknown.stderr).toContain('did you mean "object-store-speaks-http"?');
  });

  test('logs', async () => {
    const log = join(folder, 'sidecar.log');
    writeFileSync(
      log,
      'ts=2026-01-01T00:00:00Z level=error err="check exists: stat s3 object: http: server gave HTTP response to HTTPS client"\n',
    );
    const found = await cli.run(['logs', log, '--format', 'json']);
    expect(found.code).toBe(1);
    expect(JSON.parse(found.stdout).hits[0]).toMatchObject({ file: log });
    writeFileSync(log, 'nothing of interest\n');
    expect((await cli.run(['logs', log])).code).toBe(0);
    expect((await cli.run(['logs', join(folder, 'none.log')])).stderr).toContain('there is no such file');
    expect((await cli.run(['logs', folder])).stderr).toMatch(/cannot read log .*: it is a folder/);
  });
});

test('the version', async () => {
  for (const words of [['--version'], ['-V'], ['diagnose', '--version']]) {
    expect(await cli.run(words)).toMatchObject({ code: 0, stdout: '1.2.3-test\n', stderr: '' });
  }
  expect(existsSync(join(cli.folder, 'dist'))).toBe(true);
});
