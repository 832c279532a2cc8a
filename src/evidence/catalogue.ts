// Written by scripts/catalogue.mjs: one line a file in collectors/ and derived/.

import type { Collector } from './collector.ts';
import { collector as kubernetesNodes } from './collectors/kubernetes.nodes.ts';

const ALL: readonly Collector[] = [kubernetesNodes as unknown as Collector];

/** Every collector by its id. */
export const COLLECTORS: ReadonlyMap<string, Collector> = new Map(ALL.map(collector => [collector.id, collector]));
