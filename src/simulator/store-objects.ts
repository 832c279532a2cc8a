import { stringify } from 'yaml';
import type { RawObject } from '../model/source.ts';
import { madeUpCredential, withMadeUpCredentials } from './credentials.ts';
import type { RecordedStore } from './recording.ts';

/**
 * The Secret that holds recorded object storage configurations, with made-up credentials; undefined where `stores.yaml`
 * knows of none by this name. Keys that are no configuration get a made-up value.
 */
export function storeSecret(stores: readonly RecordedStore[], namespace: string, name: string): RawObject | undefined {
  const mine = stores.filter(store => store.secret?.namespace === namespace && store.secret.name === name);
  const first = mine[0];
  if (!first) return undefined;
  const data: Record<string, string> = {};
  for (const key of first.keys ?? []) data[key] = encode(madeUpCredential(`${namespace}/${name}/${key}`));
  for (const store of mine) {
    if (isWithoutKey(store)) continue;
    data[store.secret!.key] = encode(configurationText(store));
  }
  return {
    kind: 'Secret',
    apiVersion: 'v1',
    metadata: {
      name,
      namespace,
      ...(first.resourceVersion && { resourceVersion: first.resourceVersion }),
      ...(first.changedAt && {
        creationTimestamp: first.changedAt,
        managedFields: [
          {
            manager: 'kubectl',
            operation: 'Update',
            apiVersion: 'v1',
            time: first.changedAt,
            fieldsType: 'FieldsV1',
            fieldsV1: { 'f:data': {} },
          },
        ],
      }),
    },
    data,
    type: 'Opaque',
  };
}

/** Puts recorded object storage configurations into the ConfigMaps that hold them. */
export function storeConfigMapData(stores: readonly RecordedStore[]): (configMap: RawObject) => RawObject {
  return configMap => {
    const mine = stores.filter(
      ({ configMap: reference }) =>
        reference?.namespace === configMap.metadata.namespace && reference?.name === configMap.metadata.name,
    );
    if (mine.length === 0) return configMap;
    const texts = mine
      .filter(store => !isWithoutKey(store))
      .map(store => [store.configMap!.key, configurationText(store)]);
    return { ...configMap, data: { ...configMap.data, ...Object.fromEntries(texts) } };
  };
}

/** The key is not in the object, as opposed to a key whose document does not parse. */
function isWithoutKey(store: RecordedStore): boolean {
  if (store.config !== undefined) return false;
  const key = store.secret?.key ?? store.configMap?.key ?? '';
  return store.keys ? !store.keys.includes(key) : /no.such.key|not found|has no|does not have/i.test(store.error ?? '');
}

function configurationText(store: RecordedStore): string {
  return store.config ? stringify(withMadeUpCredentials(store.config)) : 'type: S3\nconfig: {bucket: [\n';
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64');
}
