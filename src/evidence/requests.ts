import type { ContainerSpec } from './pod-containers.ts';

/** Millicores and bytes. */
export interface Requests {
  readonly cpu: number;
  readonly memory: number;
  readonly storage: number;
}

interface Requesting {
  readonly containers: readonly Pick<ContainerSpec, 'kind' | 'requests'>[];
  readonly overhead: { readonly cpu: number; readonly memory: number };
}

const NOTHING: Requests = { cpu: 0, memory: 0, storage: 0 };

/**
 * What the scheduler reserves for a pod: containers and sidecars together, or the largest init container with the
 * sidecars that run before it, whichever is more; and the overhead of its runtime class.
 */
export function requestsOf({ containers, overhead }: Requesting): Requests {
  let running = NOTHING;
  let peak = NOTHING;
  for (const { kind, requests } of containers) {
    if (kind === 'init') peak = most(peak, add(running, requests));
    else running = add(running, requests);
  }
  return add(most(peak, running), { ...overhead, storage: 0 });
}

function add(first: Requests, second: Requests): Requests {
  return {
    cpu: first.cpu + second.cpu,
    memory: first.memory + second.memory,
    storage: first.storage + second.storage,
  };
}

function most(first: Requests, second: Requests): Requests {
  return {
    cpu: Math.max(first.cpu, second.cpu),
    memory: Math.max(first.memory, second.memory),
    storage: Math.max(first.storage, second.storage),
  };
}
