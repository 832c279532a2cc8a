import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GapSignal } from '../model/gap.ts';
import type { Source } from '../model/source.ts';

/** Keeps the logs of a pod under the state folder, as the source gives them: without credentials. */
export function logSaver(source: Source, stateFolder: string): (namespace: string, pod: string) => Promise<boolean> {
  return async (namespace, pod) => {
    const folder = join(stateFolder, 'logs', safe(source.cluster));
    const { items } = await source.list('', 'pods');
    const found = items.find(({ metadata }) => metadata.namespace === namespace && metadata.name === pod);
    if (!found) return false;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const { name: container } of found.spec?.containers ?? []) {
      for (const previous of [false, true]) {
        const file = join(
          folder,
          `${[namespace, pod, found.metadata.uid, container].map(safe).join('_')}${previous ? '-previous' : ''}.log`,
        );
        try {
          const answer = await source.logs({ namespace, pod, container, previous });
          // Known to have none is as good as kept.
          if (answer.is === 'lines')
            await pipeline(Readable.from(answer.chunks), createWriteStream(file, { mode: 0o600 }));
        } catch (error) {
          if (error instanceof GapSignal) return false;
          throw error;
        }
      }
    }
    return true;
  };
}

function safe(name: string): string {
  return name.replace(/[^A-Za-z0-9.-]/g, '_');
}
