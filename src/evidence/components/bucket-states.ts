import { GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { gapsIn, known } from '../gaps.ts';
import { byGroup, endOf, overlapsIn, startOf } from './block-groups.ts';
import type { Block } from './blocks.ts';

/** Blocks of a bucket that are in one state. */
export const BLOCK_SET = {
  /** There is one. Not known where none was found and some block could not be read. */
  any: 'bool',
  count: 'int',
  bytes: 'int',
  ids: ['str'],
  /** Of each a few words: what is wrong with it. */
  details: ['str'],
  labelTexts: ['str'],
  oldest: 'time',
  /** Seconds; -1 for none. */
  oldestAge: 'int',
} as const;

export type BlockSet = ShapeOf<typeof BLOCK_SET>;

/** Blocks that a report names by their ids. */
const NAMED = 20;

export interface Found {
  readonly block: Block;
  readonly detail: string;
}

/** The set of what was found; whether there is more stays unknown where `all` holds gaps. */
export function blockSet(found: readonly Found[], all: readonly Block[], age: (block: Block) => number): BlockSet {
  const sorted = [...found].sort((first, second) => (first.block.id < second.block.id ? -1 : 1));
  const oldest = sorted.reduce<Found | undefined>(
    (best, one) => (!best || age(one.block) > age(best.block) ? one : best),
    undefined,
  );
  const gap = gapsIn(all)[0];
  return {
    get any(): boolean {
      if (found.length === 0 && gap) throw new GapSignal(gap);
      return found.length > 0;
    },
    count: found.length,
    bytes: found.reduce((sum, { block }) => sum + block.size, 0),
    ids: sorted.slice(0, NAMED).map(({ block }) => block.id),
    details: sorted.slice(0, NAMED).map(({ detail }) => detail),
    labelTexts: [...new Set(sorted.map(({ block }) => block.labelText).filter(text => text !== '' && text !== '{}'))],
    oldest: oldest?.block.created ?? '',
    oldestAge: oldest ? age(oldest.block) : -1,
  };
}

const HOUR = 3600;
const DAY = 24 * HOUR;

/** What a bucket's Compactor is set to, in seconds. */
export interface Upkeep {
  readonly deleteDelay: number;
  readonly consistencyDelay: number;
  /** By resolution (seconds); 0 keeps for ever. */
  readonly retention: Readonly<Record<number, number>>;
  readonly downsamples: boolean;
  /** Blocks of one group may overlap: it joins them. */
  readonly joinsOverlaps: boolean;
  /** Bytes of an index that the Compactor refuses to make. */
  readonly indexLimit: number;
}

/** With meta.json, and not with all of its files. While a block is deleted its files go one after another. */
export function incomplete(blocks: readonly Block[]): readonly Found[] {
  return known(blocks).flatMap(block => {
    if (block.state !== 'complete' || block.marks.deletion) return [];
    const wrong = [
      ...block.missing.map(what => `no ${what}`),
      ...block.truncated.map(file => `${file} missing or of another size`),
    ];
    return wrong.length > 0 ? [{ block, detail: `${block.id}: ${wrong.join(', ')}` }] : [];
  });
}

/** The Compactor takes these away after two days; half a day is its own. */
const PARTIAL_AGE = 60 * HOUR;

export function leftPartial(blocks: readonly Block[]): readonly Found[] {
  return known(blocks)
    .filter(block => block.state === 'partial' && !block.marks.deletion && block.createdAge > PARTIAL_AGE)
    .map(block => ({ block, detail: `${block.id}: ${block.files} files, no meta.json` }));
}

export function notDeleted(blocks: readonly Block[], upkeep: Upkeep): readonly Found[] {
  return known(blocks)
    .filter(block => block.marks.deletion && block.marks.deletionAge > upkeep.deleteDelay + DAY)
    .map(block => ({ block, detail: `${block.id}: marked ${block.marks.deletionAt}` }));
}

const RESOLUTIONS: Readonly<Record<number, string>> = { 0: 'raw', 300: '5m', 3600: '1h' };

export function outlivingRetention(blocks: readonly Block[], upkeep: Upkeep): readonly Found[] {
  return known(blocks).flatMap(block => {
    const kept = upkeep.retention[block.resolution] ?? 0;
    const due = block.state === 'complete' && !block.marks.deletion && kept > 0 && block.maxAge > kept + DAY;
    return due ? [{ block, detail: `${block.id}: ${RESOLUTIONS[block.resolution] ?? ''} until ${block.maxTime}` }] : [];
  });
}

/** Range (seconds) from which the Compactor makes the next resolution, and that resolution. */
const NEXT: Readonly<Record<number, readonly [number, number]>> = { 0: [40 * HOUR, 300], 300: [10 * DAY, 3600] };

export function dueForDownsampling(blocks: readonly Block[], upkeep: Upkeep): readonly Found[] {
  if (!upkeep.downsamples) return [];
  const whole = known(blocks).filter(block => block.state === 'complete');
  const covered = new Map([...byGroup(whole)].map(([group, members]) => [group, timesOf(members)]));
  return whole.flatMap(block => {
    const next = NEXT[block.resolution];
    if (!next || block.marks.deletion || block.marks.noDownsample || block.missing.length > 0) return [];
    const [range, resolution] = next;
    if (endOf(block) - startOf(block) < range * 1000 || block.lastModifiedAge <= DAY) return [];
    const kept = upkeep.retention[resolution] ?? 0;
    if (kept > 0 && block.maxAge > kept) return [];
    const times = covered.get(`${resolution}@${block.labelText}`) ?? [];
    if (areCovered(times, startOf(block), endOf(block))) return [];
    return [
      {
        block,
        detail: `${block.id}: ${RESOLUTIONS[block.resolution]} until ${block.maxTime} has no ${RESOLUTIONS[resolution]}`,
      },
    ];
  });
}

/** Times that blocks cover, one after another: joined where they touch. */
function timesOf(blocks: readonly Block[]): readonly { readonly from: number; readonly to: number }[] {
  const times: { readonly from: number; to: number }[] = [];
  for (const block of [...blocks].sort((first, second) => startOf(first) - startOf(second))) {
    const last = times.at(-1);
    if (last && startOf(block) <= last.to) last.to = Math.max(last.to, endOf(block));
    else times.push({ from: startOf(block), to: endOf(block) });
  }
  return times;
}

/** Whether one of the times, which are in their order, holds all of this one. */
function areCovered(times: ReturnType<typeof timesOf>, from: number, to: number): boolean {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]!.from <= from) low = middle + 1;
    else high = middle;
  }
  return low > 0 && times[low - 1]!.to >= to;
}

/** Blocks that no Compactor can join: each with its overlapping twin. */
export function overlapping(blocks: readonly Block[], upkeep: Upkeep): readonly Found[] {
  if (upkeep.joinsOverlaps) return [];
  const settled = known(blocks).filter(block => block.live && block.createdAge >= upkeep.consistencyDelay);
  return [...byGroup(settled).values()].flatMap(group =>
    overlapsIn(group)
      // Equal sources are the same data twice: the Compactor drops one by itself.
      .filter(({ first, second }) => !sameSources(first, second))
      .flatMap(({ first, second, from, to }) => {
        const times = `${new Date(from).toISOString()} to ${new Date(to).toISOString()}`;
        return [
          {
            block: first,
            detail: `${first.id} (${first.source}, level ${first.level}) and ${second.id} (${second.source}, level ${second.level}): ${times}`,
          },
          { block: second, detail: '' },
        ];
      }),
  );
}

function sameSources(first: Block, second: Block): boolean {
  return first.sources.length > 0 && [...first.sources].sort().join() === [...second.sources].sort().join();
}

/** A clock may be five minutes fast. */
const FUTURE = 300;

export function inTheFuture(blocks: readonly Block[], now: number): readonly Found[] {
  return known(blocks)
    .filter(block => block.state === 'complete' && !block.marks.deletion)
    .filter(block => endOf(block) > now + FUTURE * 1000 || Date.parse(block.lastModified) < startOf(block))
    .map(block => ({ block, detail: `${block.id}: until ${block.maxTime}` }));
}

export function nearIndexLimit(blocks: readonly Block[], upkeep: Upkeep): readonly Found[] {
  return known(blocks)
    .filter(block => block.live && block.indexBytes > upkeep.indexLimit * 0.8)
    .map(block => ({ block, detail: `${block.id}: index of ${block.indexBytes} bytes, ${block.series} series` }));
}

export function keptFromCompaction(blocks: readonly Block[]): readonly Found[] {
  return known(blocks)
    .filter(block => block.marks.noCompact && !block.marks.deletion)
    .map(block => ({ block, detail: `${block.id}: ${block.marks.noCompactReason}` }));
}
