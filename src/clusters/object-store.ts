import { GapSignal } from '../model/gap.ts';
import type { RawObject, StoreAnswer, StoreReference } from '../model/source.ts';
import { type ApiServer, statusObject } from './api-server.ts';
import type { Fingerprint } from './fingerprint.ts';
import { parseStore } from './store-configuration.ts';

export interface ObjectStores {
  read(reference: StoreReference): Promise<StoreAnswer>;
  /** Remembers a configuration that stands in the arguments or environment of a container. */
  remember(namespace: string, name: string, container: string, text: string): void;
  /** The configuration with its credentials, for the bucket verbs only; undefined before it was read. */
  whole(id: string): RawObject | undefined;
}

export interface ObjectStoreOptions {
  readonly api: ApiServer;
  readonly fingerprint: Fingerprint;
  readonly clean: (text: string) => string;
  /** Called with every credential that is met. */
  readonly onCredential: (value: string) => void;
  readonly readSecrets: boolean;
}

/** Object storage configurations: exactly the Secrets and ConfigMaps that are named, each by one GET. */
export function openObjectStores(options: ObjectStoreOptions): ObjectStores {
  const { api, fingerprint, clean, readSecrets } = options;
  const inline = new Map<string, string>();
  const whole = new Map<string, RawObject>();

  function answerOf(reference: StoreReference, path: string, text: string, rest: Partial<StoreAnswer>): StoreAnswer {
    const parsed = parseStore(text, fingerprint, clean, options.onCredential);
    if (parsed.whole) whole.set(reference.id, parsed.whole);
    const { config, error } = parsed;
    return { reference, path, config, error, keys: [], changedAt: '', resourceVersion: '', ...rest };
  }

  async function readNamed(reference: StoreReference): Promise<StoreAnswer> {
    const { namespace, name, key, kind } = reference;
    const path = `/api/v1/namespaces/${namespace}/${kind === 'Secret' ? 'secrets' : 'configmaps'}/${name}`;
    if (kind === 'Secret' && !readSecrets) {
      throw new GapSignal({ reason: 'not-asked', detail: 'Secrets are not read, as asked', path, notLookedAt: true });
    }
    const absent = { reference, path, config: null, keys: [], changedAt: '', resourceVersion: '' };
    const answer = await api.read({ path });
    if (answer.status === 404 && statusObject(answer.body)) {
      api.refused({ path }, answer);
      return { ...absent, error: 'not-found' };
    }
    if (answer.status !== 200) throw api.refused({ path }, answer);
    const object = parsed(answer.body);
    if (!object) throw api.malformed({ path }, answer);
    const about = {
      keys: Object.keys({ ...object.data, ...object.binaryData }).sort(),
      changedAt: changedAt(object.metadata),
      resourceVersion: String(object.metadata.resourceVersion ?? ''),
    };
    const value = object.data?.[key];
    if (typeof value !== 'string') return { ...absent, ...about, error: 'no-such-key' };
    const text = kind === 'Secret' ? Buffer.from(value, 'base64').toString('utf8') : value;
    return answerOf(reference, path, text, about);
  }

  return {
    async read(reference) {
      if (reference.kind !== 'inline') return readNamed(reference);
      const { namespace, name, key } = reference;
      const path = `arguments of ${namespace}/${name}/${key}`;
      const text = inline.get(`${namespace}/${name}/${key}`);
      if (text === undefined) {
        throw new GapSignal({ reason: 'not-found', detail: `no configuration was seen in the ${path}`, path });
      }
      return answerOf(reference, path, text, {});
    },
    remember(namespace, name, container, text) {
      inline.set(`${namespace}/${name}/${container}`, text);
    },
    whole: id => whole.get(id),
  };
}

function parsed(body: Buffer): RawObject | undefined {
  try {
    const object = JSON.parse(body.toString('utf8'));
    return typeof object?.metadata?.name === 'string' ? object : undefined;
  } catch {
    return undefined;
  }
}

/** The newest write that the object remembers, else its creation. */
function changedAt(metadata: RawObject): string {
  const times: string[] = (metadata.managedFields ?? []).map((field: RawObject) => field.time ?? '');
  return times.sort().at(-1) || (metadata.creationTimestamp ?? '');
}
