import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = resolve(import.meta.dirname, '../..');

export interface Result {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly pid: number;
  readonly result: Promise<Result>;
  /** What standard error said so far. */
  stderr(): string;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when standard error says it; after the end of the program, too. */
  said(what: RegExp): Promise<void>;
}

export interface Program {
  readonly folder: string;
  /** The program's own entry, in this process. */
  run(args: readonly string[], environment?: Readonly<Record<string, string | undefined>>): Promise<Result>;
  start(args: readonly string[], options?: StartOptions): Started;
  /** On a terminal of its own. Only where `canHaveTerminal`. */
  onTerminal(args: readonly string[], options?: StartOptions): TerminalSession;
  /** Through a shell; `thanos-doctor` is found in its PATH. */
  shell(command: string, options?: StartOptions): Promise<Result>;
}

export interface TerminalSession {
  readonly result: Promise<Result>;
  /** As if it was typed. */
  type(text: string): void;
  /** Resolves when the screen shows it, after what was waited for before. */
  shows(what: string): Promise<void>;
  /** Everything that the screen showed. */
  screen(): string;
}

/** `script` of util-linux gives a program a terminal; others take other options. */
export const canHaveTerminal =
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false;

export interface StartOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** What the environment of the person who runs the tests must not decide. */
const NEUTRAL = {
  KUBECONFIG: '/nonexistent/kubeconfig',
  HOME: '/nonexistent',
  LANG: 'C.UTF-8',
  LC_ALL: undefined,
  LC_CTYPE: undefined,
  NO_COLOR: undefined,
  FORCE_COLOR: undefined,
  TERM: 'xterm-256color',
  KUBERNETES_SERVICE_HOST: undefined,
  HTTP_PROXY: undefined,
  HTTPS_PROXY: undefined,
  http_proxy: undefined,
  https_proxy: undefined,
  NODE_V8_COVERAGE: undefined,
};

let built: Promise<Program> | undefined;

/** The program as it is packed, built once into a folder of its own: other work in dist/ does not disturb it. */
export function program(): Promise<Program> {
  built ??= build();
  return built;
}

async function build(): Promise<Program> {
  const folder = temporaryFolder();
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const dist = join(folder, 'dist');
  const { code, stderr } = await finished(
    spawn(process.execPath, ['scripts/build.mjs', '--lenient', '--out', dist], { cwd: ROOT }),
  );
  if (code !== 0) throw new Error(`the build failed:\n${stderr}`);
  mkdirSync(join(folder, 'bin'));
  cpSync(join(ROOT, 'bin/thanos-doctor.js'), join(folder, 'bin/thanos-doctor.js'));
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'thanos-doctor', version: '1.2.3-test', type: 'module' }),
  );
  const command = join(folder, 'bin/thanos-doctor');
  writeFileSync(command, `#!/bin/sh\nexec ${process.execPath} ${folder}/bin/thanos-doctor.js "$@"\n`, { mode: 0o755 });
  const entry: { main(argv: readonly string[]): Promise<number> } = await import(
    /* @vite-ignore */ pathToFileURL(join(dist, 'cli.js')).href
  );
  const environmentOf = (options: StartOptions) => ({
    ...process.env,
    ...NEUTRAL,
    PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
    ...options.env,
  });
  return {
    folder,
    run: (args, environment = {}) => inThisProcess(() => entry.main(['node', 'thanos-doctor', ...args]), environment),
    start(args, options = {}) {
      const child = spawn(process.execPath, [join(folder, 'bin/thanos-doctor.js'), ...args], {
        cwd: options.cwd,
        env: environmentOf(options),
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let stderr = '';
      child.stderr.on('data', chunk => {
        stderr += chunk;
      });
      const result = finished(child);
      return {
        pid: child.pid!,
        result,
        stderr: () => stderr,
        kill: signal => void child.kill(signal),
        said: what =>
          new Promise((done, fail) => {
            const look = () => (what.test(stderr) ? done() : undefined);
            child.stderr.on('data', look);
            child.on('close', () =>
              what.test(stderr) ? done() : fail(new Error(`it never said ${what}:\n${stderr}`)),
            );
            look();
          }),
      };
    },
    onTerminal(args, options = {}) {
      const command = ['-qefc', `exec ${join(folder, 'bin/thanos-doctor')} ${args.join(' ')}`, '/dev/null'];
      const child = spawn('script', command, { env: { ...environmentOf(options), SHELL: '/bin/sh' } });
      let screen = '';
      let seen = 0;
      child.stdout.setEncoding('utf8').on('data', chunk => {
        screen += chunk;
      });
      // A program that has ended reads no more.
      child.stdin.on('error', () => {});
      return {
        result: finished(child),
        type: text => void child.stdin.write(text),
        screen: () => screen,
        shows: what =>
          new Promise((done, fail) => {
            const look = () => {
              const at = screen.indexOf(what, seen);
              if (at < 0) return;
              seen = at + what.length;
              child.stdout.off('data', look);
              done();
            };
            child.stdout.on('data', look);
            child.on('close', () => fail(new Error(`it never showed ${what}:\n${screen}`)));
            look();
          }),
      };
    },
    shell: (command, options = {}) =>
      finished(spawn('bash', ['-c', command], { cwd: options.cwd, env: environmentOf(options) })),
  };
}

function finished(child: import('node:child_process').ChildProcess): Promise<Result> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', chunk => {
    stdout += chunk;
  });
  child.stderr?.setEncoding('utf8').on('data', chunk => {
    stderr += chunk;
  });
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code, signal) => done({ code, signal, stdout, stderr }));
  });
}

/** Streams are caught, and the environment is put back; one run at a time. */
async function inThisProcess(
  run: () => Promise<number>,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Result> {
  const before = { ...process.env };
  const real = { out: process.stdout.write, err: process.stderr.write };
  let stdout = '';
  let stderr = '';
  const log = console.log;
  const error = console.error;
  const assign = (values: Readonly<Record<string, string | undefined>>) => {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
  assign({ ...NEUTRAL, ...environment });
  process.stdout.write = ((text: string) => {
    stdout += text;
    return true;
  }) as typeof process.stdout.write;
  process.stderr.write = ((text: string) => {
    stderr += text;
    return true;
  }) as typeof process.stderr.write;
  console.log = (text: string) => {
    stdout += `${text}\n`;
  };
  console.error = (text: string) => {
    stderr += `${text}\n`;
  };
  try {
    return { code: await run(), signal: null, stdout, stderr };
  } finally {
    process.stdout.write = real.out;
    process.stderr.write = real.err;
    console.log = log;
    console.error = error;
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    assign(before);
  }
}

export function temporaryFolder(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), 'thanos-doctor-test-')));
}
