import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { wholeFiles, writeContents } from '../../src/clusters/bundle-contents.ts';
import { type BundleFiles, memoryFiles } from '../../src/clusters/bundle-files.ts';
import { openBundleCluster, readManifest } from '../../src/clusters/bundle-source.ts';
import type { Finding, Subject } from '../../src/model/finding.ts';
import type { Report } from '../../src/model/report.ts';
import { UserError } from '../../src/model/user-error.ts';
import { diagnose, recording } from './recorded-reads.ts';

type Files = ReadonlyMap<string, Uint8Array>;

/** What becomes of a file; undefined where it is gone. */
type Loss = (content: Uint8Array, random: () => number) => Uint8Array | undefined;

const cutAtLine: Loss = (content, random) => {
  const at = Buffer.from(content).lastIndexOf(0x0a, Math.floor(content.length * random()));
  return content.subarray(0, at + 1);
};

/** What is seen without a list of contents: the file is gone, empty, ends somewhere, or is something else. */
const LOSSES: Readonly<Record<string, Loss>> = {
  gone: () => undefined,
  empty: () => new Uint8Array(),
  cut: (content, random) => content.subarray(0, Math.floor(content.length * random())),
  garbled: (_content, random) => Buffer.from(Array.from({ length: 300 }, () => Math.floor(random() * 256))),
};

/** What only the list of contents tells: what is left of the file could be all of it. */
const LOSSES_OF_LINES: Readonly<Record<string, Loss>> = { ...LOSSES, 'cut at a line': cutAtLine };

const FOLDER = join(import.meta.dirname, '..', 'incidents');
const ALL = readdirSync(FOLDER).filter(name => existsSync(join(FOLDER, name, 'truth.yaml')));

/** So many half bundles of each recording; more, of all recordings, and other ones are tried by hand. */
const RUNS = Number(process.env.HALF_BUNDLES ?? 16);
const SEED = Number(process.env.HALF_BUNDLES_SEED ?? 1);
const NAMES = process.env.HALF_BUNDLES ? ALL : ['healthy-with-history', 'sidecar-speaks-https', 'two-faults'];

describe.each(NAMES)('half of %s', { timeout: RUNS * 10_000 }, name => {
  test('as it was recorded', async () => {
    expect(await mistakesOf(await filesOf(name), LOSSES)).toEqual([]);
  });

  test('with a list of its contents', async () => {
    expect(await mistakesOf(await withContents(await filesOf(name)), LOSSES_OF_LINES)).toEqual([]);
  });
});

async function filesOf(name: string): Promise<Files> {
  const bundle = await recording(name);
  const files = new Map<string, Uint8Array>();
  for (const path of bundle.paths) files.set(path, (await bundle.read(path))!);
  files.delete('truth.yaml');
  return files;
}

/** As `collect` would have written it. */
async function withContents(files: Files): Promise<Files> {
  const whole = new Map(files);
  const manifest = Buffer.from(whole.get('manifest.yaml')!).toString('utf8');
  whole.delete('manifest.yaml');
  const count = await writeContents({
    written: new Map([...whole].map(([path, content]) => [path, content.length])),
    write: async (path, content) => void whole.set(path, Buffer.from(content)),
  });
  whole.set('manifest.yaml', Buffer.from(manifest.replace(/^clusters:/m, `files: ${count}\nclusters:`)));
  return whole;
}

/** The report, and which files it was made of. */
async function diagnosed(files: Files): Promise<{ readonly report: Report; readonly read: ReadonlySet<string> }> {
  const read = new Set<string>();
  const memory = memoryFiles('half', files);
  const bundle: BundleFiles = {
    ...memory,
    read: path => memory.read(read.add(path) && path),
    stream: (path, last) => memory.stream(read.add(path) && path, last),
  };
  const manifest = await readManifest(bundle);
  const whole = await wholeFiles(bundle, manifest.files);
  const sources = await Promise.all(manifest.clusters.map(cluster => openBundleCluster(whole, cluster)));
  return { report: await diagnose(sources), read };
}

async function mistakesOf(files: Files, losses: Readonly<Record<string, Loss>>): Promise<readonly string[]> {
  const { report: before, read } = await diagnosed(files);
  const there = [...read].filter(path => files.has(path)).sort();
  const random = randomOf(SEED);
  const oneOf = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const mistakes: string[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const half = new Map(files);
    const lost: string[] = [];
    const lose = (path: string, what: string) => {
      const content = losses[what]!(files.get(path)!, random);
      if (content) half.set(path, content);
      else half.delete(path);
      lost.push(`${path} ${what}`);
    };
    // One file, two, or a folder with all that is in it.
    if (run % 4 === 3) {
      const folder = oneOf(there)
        .split('/')
        .slice(0, 2 + Math.floor(random() * 4))
        .join('/');
      const what = oneOf(Object.keys(losses));
      for (const path of files.keys()) if (path.startsWith(`${folder}/`)) lose(path, what);
    } else {
      for (let count = run % 4 === 2 ? 2 : 1; count > 0; count -= 1) lose(oneOf(there), oneOf(Object.keys(losses)));
    }
    const place = lost.length > 3 ? `${lost[0]} and ${lost.length - 1} others` : lost.join(', ');
    for (const mistake of await mistakesIn(before, half)) mistakes.push(`${place}: ${mistake}`);
  }
  return mistakes;
}

async function mistakesIn(before: Report, half: Files): Promise<readonly string[]> {
  let report: Report;
  try {
    ({ report } = await diagnosed(half));
  } catch (error) {
    if (error instanceof UserError) return /^cannot use bundle half: /.test(error.message) ? [] : [error.message];
    return [`it crashed: ${(error as Error).stack}`];
  }
  const open = openIn(report);
  const still = new Set(report.findings.map(({ id }) => id));
  const known = new Map(before.findings.map(finding => [finding.id, finding]));
  const isOpen = (one: Place) => open.has(placeOf(one)) || open.has(placeOf({ ...one, subject: undefined }));
  const isSerious = ({ severity }: Finding) => severity !== 'info';
  // Without the workload above it, something is found of the one below.
  const isOther = (one: Finding, findings: readonly Finding[]) =>
    findings.some(({ rule, cluster, id }) => rule === one.rule && cluster === one.cluster && id !== one.id);
  const invented = report.findings.filter(
    one =>
      isSerious(one) &&
      !known.has(one.id) &&
      !isOther(
        one,
        before.findings.filter(({ id }) => !still.has(id)),
      ),
  );
  const lost = before.findings.filter(one => !still.has(one.id) && !isOpen(one) && !isOther(one, report.findings));
  // A finding whose cause is not found says which causes could not be checked.
  const uprooted = report.findings.filter(
    one =>
      isSerious(one) &&
      one.root &&
      known.get(one.id)?.root === false &&
      !report.suspects.some(({ finding }) => finding === one.id),
  );
  const openBefore = openIn(before);
  const isQuiet = report.verdict === 'healthy' && report.unknowns.some(one => !openBefore.has(placeOf(one)));
  return [
    ...invented.map(one => `${one.id} is invented`),
    ...lost.map(one => `${one.id} is lost`),
    ...uprooted.map(one => `${one.id} became a root, and nobody is suspected`),
    ...(isQuiet ? ['it looks healthy'] : []),
  ];
}

interface Place {
  readonly rule: string;
  readonly cluster: string;
  readonly subject?: Subject | undefined;
}

const placeOf = ({ rule, cluster, subject }: Place) =>
  `${rule} @${cluster} ${subject ? `${subject.kind} ${subject.namespace}/${subject.name}` : '(all)'}`;

/** What a report leaves open, by rule, cluster and subject; all of a cluster that is not reached. */
function openIn(report: Report): ReadonlySet<string> {
  const skipped = report.notLookedAt.flatMap(({ cluster, rules }) => rules.map(rule => placeOf({ rule, cluster })));
  return new Set([...report.unknowns.map(placeOf), ...skipped]);
}

function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
