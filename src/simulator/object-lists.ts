import type { RawObject } from '../model/source.ts';
import { jsonAnswer, statusAnswer, type WholeAnswer } from './answers.ts';
import { refillCredentials } from './credentials.ts';
import { binaryList, binaryObject, binaryType } from './protobuf-encoding.ts';
import type { ClusterRecording } from './recording.ts';
import { fits } from './selectors.ts';
import { storeConfigMapData } from './store-objects.ts';

/** One recorded object; its text is parsed only where somebody looks inside. */
export interface RecordedObject {
  readonly namespace: string;
  readonly name: string;
  readonly text: string;
}

/** A recorded LIST over all namespaces. */
export interface RecordedList {
  /** Of the list, e.g. `PodList`. */
  readonly kind: string;
  readonly resourceVersion: string;
  readonly objects: readonly RecordedObject[];
}

/** The recorded lists of one cluster, read when first asked for. Undefined where a kind was not recorded. */
export type ListReader = (group: string, resource: string) => Promise<RecordedList | undefined>;

/** Makes the reader of a cluster's recorded lists. */
export function listReader(recording: ClusterRecording): ListReader {
  const once = new Map<string, Promise<RecordedList | undefined>>();
  return (group, resource) => {
    const key = `${group || 'core'}/${resource}`;
    const known = once.get(key) ?? readList(recording, group, resource);
    once.set(key, known);
    return known;
  };
}

async function readList(
  recording: ClusterRecording,
  group: string,
  resource: string,
): Promise<RecordedList | undefined> {
  // A kind is recorded in one of its versions; the API server converts, and so every version is served from it.
  const pattern = new RegExp(`^objects/${group || 'core'}/[^/]+/${resource}\\.json$`);
  const path = [...recording.paths].find(candidate => pattern.test(candidate));
  if (path === undefined) {
    return group === '' && resource === 'endpoints' ? endpointsOfSlices(recording) : undefined;
  }
  const document = JSON.parse(refillCredentials(Buffer.from((await recording.file(path))!).toString('utf8')));
  const items: readonly RawObject[] =
    resource === 'configmaps' ? document.items.map(storeConfigMapData(recording.stores)) : document.items;
  return recordedList(document.kind, document.metadata?.resourceVersion ?? '1', items);
}

function recordedList(kind: string, resourceVersion: string, items: readonly RawObject[]): RecordedList {
  const objects = items.map(item => ({
    namespace: item.metadata.namespace ?? '',
    name: item.metadata.name,
    text: JSON.stringify(item),
  }));
  return { kind, resourceVersion, objects };
}

/** Recordings leave Endpoints out, because EndpointSlices hold the same. */
async function endpointsOfSlices(recording: ClusterRecording): Promise<RecordedList | undefined> {
  const slices = await readList(recording, 'discovery.k8s.io', 'endpointslices');
  if (!slices) return undefined;
  const byService = new Map<string, RawObject>();
  for (const { namespace, text } of slices.objects) {
    const slice = JSON.parse(text);
    const name = slice.metadata.labels?.['kubernetes.io/service-name'] ?? slice.metadata.ownerReferences?.[0]?.name;
    if (!name) continue;
    const endpoints = byService.get(`${namespace}/${name}`) ?? { metadata: { name, namespace }, subsets: [] };
    byService.set(`${namespace}/${name}`, endpoints);
    const addresses = (ready: boolean) =>
      (slice.endpoints ?? [])
        .filter((endpoint: RawObject) => (endpoint.conditions?.ready !== false) === ready)
        .flatMap((endpoint: RawObject) =>
          endpoint.addresses.map((ip: string) => ({
            ip,
            ...(endpoint.nodeName && { nodeName: endpoint.nodeName }),
            ...(endpoint.targetRef && { targetRef: endpoint.targetRef }),
          })),
        );
    const subset = { addresses: addresses(true), notReadyAddresses: addresses(false), ports: slice.ports ?? [] };
    if (subset.addresses.length + subset.notReadyAddresses.length > 0) endpoints.subsets.push(subset);
  }
  return recordedList('EndpointsList', slices.resourceVersion, [...byService.values()]);
}

/** One page of a LIST. */
export function listPage(
  list: RecordedList,
  apiVersion: string,
  namespace: string,
  query: URLSearchParams,
  accept: string,
): WholeAnswer {
  const labels = query.get('labelSelector') ?? '';
  const fields = query.get('fieldSelector') ?? '';
  const chosen = list.objects.filter(
    object =>
      (namespace === '' || object.namespace === namespace) &&
      (labels + fields === '' || fits(JSON.parse(object.text), labels, fields)),
  );
  const start = startOf(query.get('continue') ?? '');
  if (start === undefined)
    return statusAnswer(400, 'BadRequest', 'continue key is not valid: it is not of this server');
  const limit = Number(query.get('limit') ?? 0) || chosen.length;
  const page = chosen.slice(start, start + limit);
  const rest = chosen.length - start - page.length;
  const metadata = {
    resourceVersion: list.resourceVersion,
    ...(rest > 0 && { continue: continueToken(start + page.length), remainingItemCount: rest }),
  };
  if (accept.includes('as=PartialObjectMetadataList')) {
    const items = page.map(object => ({ metadata: JSON.parse(object.text).metadata }));
    return jsonAnswer(200, { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items });
  }
  const type = binaryType(accept, apiVersion, list.kind);
  if (type) {
    const objects = page.map(object => binaryOnce(object, type));
    return binaryList(apiVersion, list.kind, metadata, objects);
  }
  const head = JSON.stringify({ kind: list.kind, apiVersion, metadata });
  const body = `${head.slice(0, -1)},"items":[${page.map(object => object.text).join(',')}]}\n`;
  return { ...jsonAnswer(200, null), body: Buffer.from(body) };
}

const binaries = new WeakMap<RecordedObject, Uint8Array>();

function binaryOnce(object: RecordedObject, type: string): Uint8Array {
  let binary = binaries.get(object);
  if (!binary) {
    binary = binaryObject(type, JSON.parse(object.text));
    binaries.set(object, binary);
  }
  return binary;
}

function continueToken(start: number): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', start })).toString('base64url');
}

/** Undefined for a token that is not ours. */
function startOf(token: string): number | undefined {
  if (token === '') return 0;
  try {
    const { start } = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    return typeof start === 'number' ? start : undefined;
  } catch {
    return undefined;
  }
}
