import type { RawObject } from '../model/source.ts';
import { number } from './objects.ts';

/** A filesystem, as the kubelet counts it. `freePercent` is -1 where it has no capacity. */
export const FILESYSTEM = {
  capacity: 'int',
  available: 'int',
  used: 'int',
  inodes: 'int',
  inodesFree: 'int',
  freePercent: 'float',
  inodesFreePercent: 'float',
} as const;

export function filesystem(raw: RawObject) {
  const capacity = number(raw?.capacityBytes);
  const available = number(raw?.availableBytes);
  const inodes = number(raw?.inodes);
  const inodesFree = number(raw?.inodesFree);
  return {
    capacity,
    available,
    used: number(raw?.usedBytes),
    inodes,
    inodesFree,
    freePercent: percent(available, capacity),
    inodesFreePercent: percent(inodesFree, inodes),
  };
}

/** To one decimal; -1 of nothing. */
function percent(part: number, whole: number): number {
  return whole > 0 ? Math.round((1000 * part) / whole) / 10 : -1;
}
