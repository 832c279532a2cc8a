import { beforeAll, describe, expect, test } from 'vitest';
import { memoryFiles } from '../../src/clusters/bundle-files.ts';
import { openBundleCluster, readManifest } from '../../src/clusters/bundle-source.ts';
import type { Report } from '../../src/model/report.ts';
import type { RawObject } from '../../src/model/source.ts';
import { diagnose } from '../fault-matrix/recorded-reads.ts';
import { HUB, richFleet } from '../fault-matrix/rich-fleet.ts';

/** Fields that are damaged in one run, each of another object. */
const AT_ONCE = 12;

/** The same numbers for the same seed. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

type Step = string | number;

const isIdentity = (name: Step | undefined) => name === undefined || name === 'name' || name === 'namespace';

/** Every field of a value, by the way to it. */
function* fieldsOf(value: RawObject, way: readonly Step[] = []): Generator<readonly Step[]> {
  if (typeof value !== 'object' || value === null) return;
  for (const name of Array.isArray(value) ? value.keys() : Object.keys(value)) {
    yield [...way, name];
    yield* fieldsOf(value[name], [...way, name]);
  }
}

const WRONG: readonly unknown[] = ['wrong', 7, { wrong: 1 }, [1], true];

const kindOf = (value: unknown) => (Array.isArray(value) ? 'list' : typeof value);

function damage(
  object: RawObject,
  way: readonly Step[],
  how: 'deleted' | 'wrong',
  pick: (below: number) => number,
): void {
  const last = way.at(-1)!;
  const parent = way.slice(0, -1).reduce((value, step) => value[step], object);
  if (how === 'wrong') {
    const others = WRONG.filter(value => kindOf(value) !== kindOf(parent[last]));
    parent[last] = others[pick(others.length)];
  } else if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete parent[last];
}

let files: ReadonlyMap<string, Uint8Array>;
let clusters: readonly string[];

beforeAll(async () => {
  const rich = await richFleet();
  const found = new Map<string, Uint8Array>();
  for (const path of rich.paths) found.set(path, (await rich.read(path))!);
  files = found;
  clusters = (await readManifest(rich)).clusters;
}, 30_000);

/** A run over the fleet with some fields damaged, and which they were. */
async function damagedRun(seed: number, how: 'deleted' | 'wrong') {
  const pick = random(seed);
  const changed = new Map(files);
  const lists = [...files.keys()].filter(path => path.startsWith(`clusters/${HUB}/objects/`));
  const places: string[] = [];
  for (let count = 0; count < AT_ONCE; count += 1) {
    const path = lists[pick(lists.length)]!;
    const document = JSON.parse(Buffer.from(changed.get(path)!).toString('utf8'));
    if (document.items.length === 0) continue;
    const object = document.items[pick(document.items.length)];
    // Every object has a name and a place; without them it is another object.
    const ways = [...fieldsOf(object)].filter(([first, second]) => first !== 'metadata' || !isIdentity(second));
    const way = ways[pick(ways.length)];
    if (!way) continue;
    damage(object, way, how, pick);
    places.push(`${path.split('/').at(-1)} ${object.metadata.name} ${way.join('.')}`);
    changed.set(path, Buffer.from(JSON.stringify(document)));
  }
  const bundle = memoryFiles('damaged', changed);
  const report = await diagnose(await Promise.all(clusters.map(cluster => openBundleCluster(bundle, cluster))));
  const mistakes = report.unknowns.flatMap(({ gaps }) => gaps.filter(({ reason }) => reason === 'rule-error'));
  return { report, places, mistakes };
}

const serious = ({ findings }: Report) =>
  findings.filter(({ severity }) => severity !== 'info').map(({ id, message }) => `${id}: ${message}`);

describe('T25 whatever a field is, nothing breaks', () => {
  const SEEDS = Array.from({ length: 12 }, (_, index) => index + 1);

  test('of a wrong type: unknown, and no problem', async () => {
    for (const seed of SEEDS) {
      const { report, places, mistakes } = await damagedRun(seed, 'wrong');
      const said = `seed ${seed}: ${places.join('; ')}`;
      expect(
        mistakes.map(({ detail }) => detail),
        said,
      ).toEqual([]);
      expect(serious(report), said).toEqual([]);
    }
  }, 600_000);

  // What is absent has a meaning of its own in Kubernetes: it may well be a problem.
  test('gone: no mistake', async () => {
    for (const seed of SEEDS) {
      const { places, mistakes } = await damagedRun(seed, 'deleted');
      const said = `seed ${seed}: ${places.join('; ')}`;
      expect(
        mistakes.map(({ detail }) => detail),
        said,
      ).toEqual([]);
    }
  }, 600_000);
});
