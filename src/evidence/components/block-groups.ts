import type { Block } from './blocks.ts';

/** Two blocks of one compaction group whose times intersect. */
export interface Overlap {
  readonly first: Block;
  readonly second: Block;
  readonly from: number;
  readonly to: number;
}

const HOUR = 3600_000;
/** The Compactor's second range: level-1 blocks are joined once their window of 8 hours is over. */
const WINDOW = 8 * HOUR;

/** Blocks by compaction group: resolution and labels. Only whole blocks with a readable meta.json. */
export function byGroup(blocks: readonly Block[]): ReadonlyMap<string, readonly Block[]> {
  const groups = new Map<string, Block[]>();
  for (const block of blocks) {
    if (block.state !== 'complete') continue;
    const key = `${block.resolution}@${block.labelText}`;
    const group = groups.get(key);
    if (group) group.push(block);
    else groups.set(key, [block]);
  }
  return groups;
}

/** Without blocks that are contained in another: the Compactor takes these away by itself. */
export function withoutDuplicates(blocks: readonly Block[]): readonly Block[] {
  const having = bySource(blocks);
  return blocks.filter(
    block =>
      block.sources.length === 0 ||
      !having(block).some(other => other.id !== block.id && other.sources.length > block.sources.length),
  );
}

/** Finds the blocks that were made of all that a block was made of: any, for one that does not say of what. */
export function bySource(blocks: readonly Block[]): (block: Block) => readonly Block[] {
  const made = new Map<string, Block[]>();
  for (const block of blocks) {
    for (const source of block.sources) {
      const others = made.get(source);
      if (others) others.push(block);
      else made.set(source, [block]);
    }
  }
  return ({ sources: [first, ...others] }) =>
    first === undefined
      ? blocks
      : (made.get(first) ?? []).filter(({ sources }) => others.every(source => sources.includes(source)));
}

/** Pairs that the Compactor halts on: neither is marked, and neither is contained in the other. */
export function overlapsIn(blocks: readonly Block[]): readonly Overlap[] {
  const candidates = [...withoutDuplicates(blocks.filter(block => block.live))].sort(byTime);
  const overlaps: Overlap[] = [];
  for (let at = 0; at < candidates.length; at++) {
    const first = candidates[at]!;
    for (let next = at + 1; next < candidates.length; next++) {
      const second = candidates[next]!;
      const from = Math.max(startOf(first), startOf(second));
      const to = Math.min(endOf(first), endOf(second));
      if (startOf(second) >= endOf(first)) break;
      if (from < to) overlaps.push({ first, second, from, to });
    }
  }
  return overlaps;
}

/** Times without a block between the first and the last. */
export function holesIn(blocks: readonly Block[]): readonly { readonly from: number; readonly to: number }[] {
  const holes: { from: number; to: number }[] = [];
  let end = 0;
  for (const block of [...blocks].sort(byTime)) {
    if (end !== 0 && startOf(block) > end) holes.push({ from: end, to: startOf(block) });
    end = Math.max(end, endOf(block));
  }
  return holes;
}

/**
 * Level-1 blocks that a Compactor should have joined long ago: wholly before the group's newest window, not the newest
 * of the group, and made more than `delay` seconds before `now` (milliseconds).
 */
export function backlogOf(blocks: readonly Block[], now: number, delay: number): readonly Block[] {
  const live = withoutDuplicates(blocks.filter(block => block.live));
  const newest = live.reduce((latest, block) => Math.max(latest, endOf(block)), 0);
  const window = Math.floor((newest - 1) / WINDOW) * WINDOW;
  return live.filter(
    block =>
      block.level <= 1 &&
      endOf(block) <= window &&
      endOf(block) < newest &&
      now - Date.parse(block.created) > delay * 1000,
  );
}

export function startOf(block: Block): number {
  return Date.parse(block.minTime) || 0;
}

export function endOf(block: Block): number {
  return Date.parse(block.maxTime) || 0;
}

function byTime(first: Block, second: Block): number {
  return startOf(first) - startOf(second) || endOf(first) - endOf(second) || (first.id < second.id ? -1 : 1);
}
