import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { startProgress } from '../../src/cli/progress.ts';
import { terminalOf } from '../../src/cli/terminal.ts';
import { type Program, program, temporaryFolder } from './program.ts';
import { tinyBundle, writeFiles, writeOwnRules } from './tiny-fleet.ts';

const folder = temporaryFolder();
let cli: Program;
beforeAll(async () => {
  cli = await program();
  mkdirSync(join(folder, 'rules'));
  writeOwnRules(join(folder, 'rules'));
  writeFiles(join(folder, 'critical'), tinyBundle({ a: { namespaces: ['critical'] } }));
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

const terminal = (columns?: number) => ({ isTTY: true, columns }) as unknown as NodeJS.WriteStream;
const pipe = {} as NodeJS.WriteStream;

describe('colour', () => {
  test.each<[string, boolean, 'auto' | 'always' | 'never', Record<string, string>, boolean]>([
    ['on a terminal', true, 'auto', {}, true],
    ['in a pipe', false, 'auto', {}, false],
    ['in a pipe of a CI', false, 'auto', { CI: 'true' }, false],
    ['NO_COLOR', true, 'auto', { NO_COLOR: '1' }, false],
    ['NO_COLOR, empty', true, 'auto', { NO_COLOR: '' }, true],
    ['NO_COLOR beats FORCE_COLOR', true, 'auto', { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
    ['FORCE_COLOR in a pipe', false, 'auto', { FORCE_COLOR: '1' }, true],
    ['FORCE_COLOR=0', true, 'auto', { FORCE_COLOR: '0' }, false],
    ['FORCE_COLOR=false', true, 'auto', { FORCE_COLOR: 'false' }, false],
    ['a dumb terminal', true, 'auto', { TERM: 'dumb' }, false],
    ['always', false, 'always', { NO_COLOR: '1', TERM: 'dumb' }, true],
    ['never', true, 'never', { FORCE_COLOR: '1' }, false],
  ])('%s', (_name, isTerminal, choice, environment, expected) => {
    expect(terminalOf(isTerminal ? terminal() : pipe, choice, environment).color).toBe(expected);
  });

  test('in the text report and nowhere else', async () => {
    const diagnose = (...more: readonly string[]) =>
      cli.run([
        'diagnose',
        '--bundle',
        join(folder, 'critical'),
        '--rules',
        join(folder, 'rules'),
        '--only',
        'own',
        ...more,
      ]);
    const plain = (await diagnose()).stdout;
    const coloured = (await diagnose('--color', 'always')).stdout;
    expect(plain).not.toContain('\u001b');
    expect(coloured).toContain('\u001b[');
    expect(coloured.replace(/\u001b\[[0-9;]*m/g, '')).toBe(plain);
    for (const format of ['json', 'markdown'])
      expect((await diagnose('--color=always', '--format', format)).stdout).not.toContain('\u001b');
  });
});

describe('letters', () => {
  test.each<[Record<string, string>, boolean]>([
    [{ LANG: 'en_US.UTF-8' }, true],
    [{ LANG: 'ko_KR.utf8' }, true],
    [{}, true],
    [{ LANG: 'C' }, false],
    [{ LANG: 'POSIX' }, false],
    [{ LANG: 'ko_KR.EUC-KR' }, false],
    [{ LANG: 'en_US.UTF-8', LC_ALL: 'C' }, false],
    [{ LANG: 'C', LC_CTYPE: 'C.UTF-8' }, true],
  ])('%j', (environment, unicode) => {
    expect(terminalOf(pipe, 'auto', environment).unicode).toBe(unicode);
  });

  test('ASCII alone where the locale is not UTF-8', async () => {
    const { stdout } = await cli.run(
      ['diagnose', '--bundle', join(folder, 'critical'), '--rules', join(folder, 'rules'), '--only', 'own'],
      { LC_ALL: 'C' },
    );
    expect(stdout).toMatch(/^[\n\x20-\x7e]*$/);
  });
});

describe('width', () => {
  test.each<[NodeJS.WriteStream, number]>([
    [pipe, 100],
    [terminal(80), 80],
    [terminal(300), 120],
    [terminal(20), 40],
    [terminal(undefined), 100],
    [terminal(0), 100],
  ])('of the terminal, within bounds', (stream, width) => {
    expect(terminalOf(stream, 'auto', {}).width).toBe(width);
  });
});

/** Understands what the progress block writes: text, new lines, the cursor up, erasing below. */
class Screen {
  readonly isTTY = true;
  readonly lines: string[] = [''];
  row = 0;
  column = 0;
  written = '';
  columns: number;
  rows: number;

  constructor(columns: number, rows = 24) {
    this.columns = columns;
    this.rows = rows;
  }

  write(text: string): boolean {
    this.written += text;
    for (const [token] of text.matchAll(/\u001b\[(\d+)A|\u001b\[0J|[^\u001b]/gu)) {
      const up = /^\u001b\[(\d+)A$/.exec(token);
      if (up) this.row = Math.max(0, this.row - Number(up[1]));
      else if (token === '\u001b[0J') {
        this.lines.length = this.row + 1;
        this.lines[this.row] = this.lines[this.row]!.slice(0, this.column);
      } else if (token === '\r') this.column = 0;
      else if (token === '\n') this.#lineFeed();
      else this.#put(token);
    }
    return true;
  }

  #lineFeed(): void {
    this.row += 1;
    this.column = 0;
    this.lines[this.row] ??= '';
  }

  #put(letter: string): void {
    if (this.column >= this.columns) this.#lineFeed();
    const line = this.lines[this.row]!.padEnd(this.column);
    this.lines[this.row] = line.slice(0, this.column) + letter + line.slice(this.column + 1);
    this.column += 1;
  }

  text(): string {
    return this.lines.join('\n');
  }
}

describe('progress', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const start = (screen: Screen, clusters: readonly string[], options: Record<string, unknown> = {}) => {
    const stream = screen as unknown as NodeJS.WriteStream;
    const { environment = {}, ...more } = options;
    return startProgress(stream, terminalOf(stream, 'auto', environment as Record<string, string>), {
      clusters,
      quiet: false,
      verbose: false,
      expected: 10,
      ...more,
    });
  };
  const reading = (cluster: string, evidence: string, requests = 3) =>
    ({ is: 'reading', cluster, evidence, requests }) as const;

  test('one line a cluster, drawn in place and taken away at the end', () => {
    const screen = new Screen(100);
    screen.write('$ thanos-doctor diagnose\n');
    const progress = start(screen, ['hub', 'edge-1', 'edge-2']);
    for (let step = 0; step < 5; step += 1) {
      progress.onProgress(reading('hub', 'kubernetes.pods'));
      vi.advanceTimersByTime(100);
    }
    progress.onProgress({ is: 'done', cluster: 'hub', requests: 12 });
    progress.onProgress({
      is: 'unreachable',
      cluster: 'edge-1',
      detail: 'no answer from 192.0.2.1:6443\n(no route to host)',
    });
    vi.advanceTimersByTime(100);
    expect(screen.text()).toMatch(
      /^\$ thanos-doctor diagnose\n {2}hub {5}█{16} {2}done +12 requests +0\.\d s\n {2}edge-1 {2}✗ no answer from 192\.0\.2\.1:6443 \(no route to host\)\n {2}edge-2 {2}░{16} {2}connecting +0 requests +0\.\d s\n$/,
    );
    progress.end();
    expect(screen.text()).toBe('$ thanos-doctor diagnose\n');
    vi.advanceTimersByTime(1000);
    progress.end();
    expect(screen.text()).toBe('$ thanos-doctor diagnose\n');
  });

  test('no line is ever as wide as the screen, however narrow', () => {
    for (const columns of [20, 30, 40, 60, 80, 200]) {
      const screen = new Screen(columns);
      const progress = start(screen, ['a-cluster-with-quite-a-long-name', 'b']);
      progress.onProgress(reading('b', 'prometheus-operator.alertmanager-configs', 123_456));
      progress.onProgress({ is: 'unreachable', cluster: 'a-cluster-with-quite-a-long-name', detail: 'x'.repeat(300) });
      vi.advanceTimersByTime(400);
      expect(Math.max(...screen.lines.map(line => line.length))).toBeLessThan(columns);
      progress.end();
      expect(screen.text()).toBe('');
    }
  });

  test('on 80 columns the numbers stay on the screen', () => {
    const screen = new Screen(80);
    const progress = start(screen, ['cluster-01']);
    progress.onProgress(reading('cluster-01', 'prometheus-operator.alertmanager-configs', 84));
    vi.advanceTimersByTime(100);
    expect(screen.text()).toMatch(/ {2}prometheus-operator.*… +84 requests +0\.1 s\n$/);
    progress.end();
  });

  test('more clusters than the screen has lines', () => {
    const screen = new Screen(80, 6);
    const progress = start(
      screen,
      Array.from({ length: 20 }, (_, index) => `cluster-${index}`),
    );
    vi.advanceTimersByTime(400);
    expect(screen.lines.length).toBe(5);
    expect(screen.lines[3]).toBe('  and 17 more clusters');
    progress.end();
    expect(screen.text()).toBe('');
  });

  test('what is said meanwhile stays, also after the ^C that the terminal writes', () => {
    const screen = new Screen(80);
    const progress = start(screen, ['hub']);
    vi.advanceTimersByTime(100);
    screen.write('^C');
    progress.say('stopping');
    vi.advanceTimersByTime(200);
    expect(screen.text()).toMatch(/^stopping\n {2}hub .*\n$/);
    progress.end();
    expect(screen.text()).toBe('stopping\n');
  });

  test('ASCII where the locale asks for it', () => {
    const screen = new Screen(60);
    const progress = start(screen, ['a', 'b'], { environment: { LANG: 'C' } });
    progress.onProgress({ is: 'unreachable', cluster: 'b', detail: 'x'.repeat(100) });
    vi.advanceTimersByTime(100);
    expect(screen.text()).toMatch(/^[\n\x20-\x7e]*$/);
    expect(screen.text()).toContain('...');
  });

  test('nothing is drawn on a dumb terminal, in a pipe, or when it is to be quiet', () => {
    for (const options of [{ environment: { TERM: 'dumb' } }, { quiet: true }, { quiet: true, verbose: true }]) {
      const screen = new Screen(80);
      const progress = start(screen, ['hub'], options);
      progress.onProgress(reading('hub', 'kubernetes.pods'));
      vi.advanceTimersByTime(400);
      progress.end();
      expect(screen.written).toBe('');
    }
    const screen = new Screen(80);
    (screen as { isTTY: boolean }).isTTY = false;
    const progress = start(screen, ['hub']);
    vi.advanceTimersByTime(400);
    progress.end();
    expect(screen.written).toBe('');
  });

  test('with --verbose a line a phase, each once', () => {
    const screen = new Screen(80);
    const progress = start(screen, ['hub'], { verbose: true });
    for (const evidence of ['kubernetes.pods', 'kubernetes.nodes', 'thanos.components', 'kubernetes.events'])
      progress.onProgress(reading('hub', evidence));
    progress.onProgress({ is: 'unreachable', cluster: 'edge', detail: 'connection refused' });
    progress.onProgress({ is: 'done', cluster: 'hub', requests: 7 });
    vi.advanceTimersByTime(400);
    progress.end();
    expect(screen.text()).toBe(
      'hub: reading kubernetes\nhub: reading thanos\nedge: connection refused\nhub: done, 7 requests\n',
    );
  });
});
