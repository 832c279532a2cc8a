import type { Gap } from '../model/gap.ts';
import { GapSignal } from '../model/gap.ts';
import type { RawObject } from '../model/source.ts';
import type { Context } from './collector.ts';
import { collector as nodesCollector } from './collectors/kubernetes.nodes.ts';
import { gapOf, gapsIn } from './gaps.ts';
import { malformed, number } from './objects.ts';

/** What one kubelet says of the disks of its node, or why it is not known. */
export interface NodeStatistics {
  readonly node: string;
  /** The kubelet's `/stats/summary`; null where it is not known. */
  readonly summary: RawObject;
  readonly gap: Gap | undefined;
}

/** Asks the kubelet of every node. Throws where not even the nodes are known. */
export async function nodeStatistics(context: Context): Promise<readonly NodeStatistics[]> {
  const nodes = await context.get(nodesCollector);
  const asked = await Promise.all(nodes.filter(node => !gapOf(node)).map(node => ask(context, node.name)));
  return [...asked, ...gapsIn(nodes).map(gap => ({ node: '', summary: null, gap }))];
}

async function ask(context: Context, node: string): Promise<NodeStatistics> {
  try {
    const answer = await context.source.http({
      via: 'node',
      namespace: '',
      name: node,
      port: 0,
      path: '/stats/summary',
    });
    if (answer.status !== 200) {
      throw new GapSignal({
        reason: 'server-error',
        detail: `the kubelet of ${node} answered ${answer.status}`,
        path: answer.path,
      });
    }
    return { node, summary: parsed(answer.body), gap: undefined };
  } catch (error) {
    if (error instanceof GapSignal) return { node, summary: null, gap: error.gap };
    throw error;
  }
}

function parsed(body: string): RawObject {
  try {
    return JSON.parse(body);
  } catch {
    throw malformed("the kubelet's /stats/summary is not JSON");
  }
}

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
