import { type Gap, GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as answersCollector } from '../collectors/bucket.answer.ts';
import { collector as nodesCollector } from '../collectors/kubernetes.nodes.ts';
import { collector as serverCollector } from '../collectors/kubernetes.server.ts';
import { gapsIn, known, listOrGap } from '../gaps.ts';
import { lazily } from '../lazily.ts';
import { attempt } from '../partial-rows.ts';

const ROW = {
  name: 'str',
  /** `Cluster name` */
  key: 'str',
  /** Seconds: the clock of its API server less that of the machine that asked. */
  difference: 'int',
  /** The same of the other clusters, as text. */
  others: ['str'],
  /** And of the object stores. */
  stores: ['str'],
  /** Seconds from what it was measured by: the middle of all clusters, or the object store where there are but two. */
  distance: 'int',
  /** `median` or `store` */
  against: 'str',
  /** It is the one that is apart. Not known where nothing tells which of two is wrong. */
  apart: 'bool',
  /** Keys of its nodes, with their cluster. */
  nodes: ['str'],
} as const;

type Row = ShapeOf<typeof ROW>;

/** Seconds. */
const APART = 30;
/** The answer of a request that took longer (seconds) may be from its beginning or from its end. */
const VAGUE = 2;
/** Seconds: two clocks that are this much alike far from the store's leave it open which of them is wrong. */
const SAME = 5;

export const collector = derived({
  id: 'fleet.clocks',
  about: 'The clocks of the API servers against each other; which of two is wrong, the object store tells.',
  scope: 'fleet',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const clocks = await Promise.all(
      context.clusters.map(async cluster => ({
        name: cluster.cluster,
        ...(await differenceOf(cluster)),
        nodes: known(await listOrGap(cluster.get(nodesCollector))).map(node => `${node.key} @${cluster.cluster}`),
      })),
    );
    const read = clocks.flatMap(({ name, value }) => (value === undefined ? [] : [{ name, difference: value }]));
    const stores = read.length === 2 ? await storeDifferences(context) : { values: [], gap: undefined };
    return clocks.map(({ name, value, gap, nodes }) => {
      const own = () => value ?? unknown(gap);
      const reference = () => referenceFor(read, clocks.length, stores, gap ?? clocks.find(one => one.gap)?.gap);
      return lazily<Row>(
        {
          name,
          key: `Cluster ${name}`,
          nodes,
          stores: stores.values.map(one => `${signed(one)} s`),
          others: read.filter(one => one.name !== name).map(one => `${one.name}: ${signed(one.difference)} s`),
        },
        {
          difference: own,
          distance: () => Math.abs(own() - reference().at),
          against: () => reference().by,
          apart: () => clocks.length > 1 && isApart(own(), read, reference),
        },
      );
    });
  },
});

interface Reading {
  readonly name: string;
  readonly difference: number;
}

interface Stores {
  readonly values: readonly number[];
  readonly gap: Gap | undefined;
}

async function differenceOf(context: Context): Promise<{ readonly value?: number; readonly gap?: Gap }> {
  try {
    const { clockDifference, clockWithin } = await context.get(serverCollector);
    if (clockWithin > VAGUE) {
      const detail = `the API server of ${context.cluster} took ${clockWithin} s to answer, too long to tell its clock`;
      throw new GapSignal({ reason: 'timed-out', detail, path: '/version', notLookedAt: true });
    }
    return { value: clockDifference };
  } catch (error) {
    if (error instanceof GapSignal) return { gap: error.gap };
    throw error;
  }
}

async function storeDifferences(context: Context): Promise<Stores> {
  const values: number[] = [];
  let gap: Gap | undefined;
  for (const cluster of context.clusters) {
    const answers = await listOrGap(cluster.get(answersCollector));
    gap ??= gapsIn(answers)[0];
    for (const answer of known(answers)) {
      const told = attempt(() => answer.clockDifference);
      if (told.value === undefined) gap ??= told.gap;
      else values.push(told.value);
    }
  }
  return { values, gap };
}

/** A cluster that is alone in its fleet has nothing to differ from; one whose neighbours were not read may have. */
function isApart(own: number, read: readonly Reading[], reference: () => { readonly at: number }): boolean {
  if (read.length > 2) return Math.abs(own - reference().at) > APART;
  const [first, second] = read.map(one => one.difference);
  if (first === undefined || second === undefined) return unknown(undefined);
  if (Math.abs(first - second) <= APART) return false;
  const { at } = reference();
  const [near = 0, far = 0] = [Math.abs(first - at), Math.abs(second - at)].sort((one, other) => one - other);
  // A store that agrees with neither may itself be the one that is wrong.
  if (far - near < SAME || near > APART) return unknown(undefined);
  return Math.abs(own - at) === far;
}

/** Throws the gap of what would have told. */
function referenceFor(
  read: readonly Reading[],
  clusters: number,
  stores: Stores,
  gap: Gap | undefined,
): { readonly at: number; readonly by: string } {
  if (read.length > 2) return { at: median(read.map(one => one.difference)), by: 'median' };
  if (read.length === 2 && stores.values.length > 0) return { at: median(stores.values), by: 'store' };
  const why = read.length === 2 ? stores.gap : clusters > 1 ? gap : undefined;
  return unknown(why);
}

function unknown(gap: Gap | undefined): never {
  throw new GapSignal({
    reason: 'not-asked',
    detail: 'nothing tells which of the clocks is right',
    ...gap,
    // An extra: a run that could not compare clocks is as healthy as it looks.
    notLookedAt: true,
  });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((first, second) => first - second);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : Math.round((sorted[middle - 1]! + sorted[middle]!) / 2);
}

function signed(seconds: number): string {
  return `${seconds > 0 ? '+' : ''}${seconds}`;
}
