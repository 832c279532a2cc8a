// What every part of npm run bench needs: programs that say what they took, tables, and limits.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));

export const number = value => value.toFixed(value < 10 ? 2 : 0);
export const row = cells => console.log(`| ${cells.join(' | ')} |`);

/** A table's head; every column but the first is of numbers. */
export function head(title, columns) {
  console.log(`\n${title}\n`);
  row(columns);
  row(columns.map((_, index) => (index === 0 ? '---' : '---:')));
}

const median = values => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

export const medians = runs => ({
  wall: median(runs.map(run => run.wall)),
  cpu: median(runs.map(run => run.cpu)),
  memory: median(runs.map(run => run.memory)),
});

/** Takes each of several ways to do the same once a round, so that whatever else the machine does meets all of them. */
export async function alternately(rounds, ways) {
  const runs = ways.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, way] of ways.entries()) runs[index].push(await way());
  }
  return runs;
}

const GNU_TIME = '/usr/bin/time';

/** Where a program is; '' where it is not, or where nothing can measure it. */
export function installed(name) {
  if (!existsSync(GNU_TIME)) return '';
  return spawnSync('/bin/sh', ['-c', 'command -v "$0"', name], { encoding: 'utf8' }).stdout.trim();
}

/** What any program took, in a home of its own. */
export function measuredProgram({ folder }, program, args, { collects = false } = {}) {
  const [usage, home] = [join(folder, 'usage'), join(folder, 'home')];
  mkdirSync(home, { recursive: true });
  const { PATH } = process.env;
  return new Promise((resolve, reject) => {
    const started = process.hrtime.bigint();
    const child = spawn(GNU_TIME, ['--output', usage, '--format', '%U %S %M', program, ...args], {
      stdio: ['ignore', collects ? 'pipe' : 'ignore', 'inherit'],
      env: { PATH, HOME: home },
    });
    const output = [];
    child.stdout?.on('data', chunk => output.push(chunk));
    child.on('error', reject);
    child.on('close', code => {
      const wall = Number(process.hrtime.bigint() - started) / 1e6;
      const [user, system, kilobytes] = readFileSync(usage, 'utf8').trim().split('\n').at(-1).split(' ').map(Number);
      if (code !== 0) reject(new Error(`${program} ended with ${code}`));
      else
        resolve({
          wall,
          cpu: (user + system) * 1000,
          memory: kilobytes / 1024,
          output: Buffer.concat(output).toString('utf8'),
        });
    });
  });
}

/** A folder of its own, the program (`--dist`, or that of the package), and where regressions are noted. */
export function openBench({ quick, runs, dist = join(root, 'dist') }) {
  const folder = mkdtempSync(join(tmpdir(), 'thanos-doctor-bench-'));
  const reporter = join(folder, 'usage.mjs');
  writeFileSync(
    reporter,
    `import { writeFileSync } from 'node:fs'; process.on('exit', () => writeFileSync(process.env.USAGE_FILE, JSON.stringify(process.resourceUsage())));`,
  );
  // As bin/ has it, for any build.
  const doctor = join(folder, 'doctor.mjs');
  const start = `import { main } from '${pathToFileURL(join(dist, 'cli.js')).href}'; process.exitCode = await main(process.argv);`;
  writeFileSync(doctor, start);
  const regressions = [];

  /** Runs a program of Node and says what it took: the resource usage is the child's own, written at its exit. */
  function measured(program, args, environment = {}) {
    const usageFile = join(folder, `usage-${process.hrtime.bigint()}.json`);
    return new Promise((resolve, reject) => {
      const started = process.hrtime.bigint();
      const child = spawn(process.execPath, ['--import', reporter, program, ...args], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, ...environment, USAGE_FILE: usageFile },
      });
      const output = [];
      child.stdout.on('data', chunk => output.push(chunk));
      child.on('error', reject);
      child.on('close', code => {
        const wall = Number(process.hrtime.bigint() - started) / 1e6;
        const usage = JSON.parse(readFileSync(usageFile, 'utf8'));
        const cpu = (usage.userCPUTime + usage.systemCPUTime) / 1000;
        resolve({ code, wall, cpu, memory: usage.maxRSS / 1024, output: Buffer.concat(output).toString('utf8') });
      });
    });
  }

  /** A program of test/bench, ready to be run. */
  async function bundled(name) {
    const outfile = join(folder, `${name}.mjs`);
    await build({
      absWorkingDir: root,
      entryPoints: [`test/bench/${name}.ts`],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      banner: {
        js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
      },
      logLevel: 'warning',
    });
    return outfile;
  }

  return {
    root,
    folder,
    dist,
    quick,
    runs,
    /** The program that is measured. */
    doctor,
    /** The recorded fleet that simulated ones are grown from. */
    base: join(root, 'src/simulator/fleets/pool-exhausted.tar.gz'),
    regressions,
    measured,
    bundled,
    /** Past these a change has cost far more than noise. */
    limit(what, value, most) {
      if (value > most) regressions.push(`${what}: ${number(value)}, more than ${number(most)}`);
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
