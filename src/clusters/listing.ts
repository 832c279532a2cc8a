import { GapSignal } from '../model/gap.ts';
import type { Discovery, ListAnswer, RawObject, ServedResource } from '../model/source.ts';
import { shareAlike } from './alike-parts.ts';
import type { ApiServer } from './api-server.ts';
import { BrokenMessage, decodeList, decodeStatus } from './protobuf.ts';
import { PROTOBUF_KINDS } from './protobuf-fields.ts';
import type { Message } from './protobuf-message.ts';
import { type InlineConfiguration, mayHoldCredential, type Redactor, type SharedParts } from './redact.ts';
import type { TransportAnswer } from './transport.ts';

/**
 * Objects of one page: larger ones cost memory, smaller ones round trips. No `resourceVersion` is asked for: a diagnosis is
 * of now, and all pages are of one moment while their token holds. With `resourceVersion=0` the answer may be older than the
 * trouble; and servers since 1.34 take exact pages from memory, too, so that it would not even be quicker.
 */
const PAGE = 500;
/** How often a list is begun anew because its continue token had ended. */
const RESTARTS = 2;

export interface ListOptions {
  readonly api: ApiServer;
  readonly redactor: Redactor;
  readonly namespaces: readonly string[];
  readonly onlyNamespaces: readonly string[] | undefined;
  readonly keepsConfigMap: (namespace: string, name: string, labels: RawObject) => boolean;
  readonly onInline: (object: RawObject, inline: InlineConfiguration) => void;
  /** What is kept of each object; the object itself, without it. */
  readonly take: ((object: RawObject) => unknown) | undefined;
}

/** The whole LIST of one resource, or a gap. Never a part of it that looks like the whole. */
export async function listResource(
  options: ListOptions,
  discovery: Discovery,
  group: string,
  resource: string,
): Promise<ListAnswer> {
  const root = group === '' ? '/api' : `/apis/${group}`;
  if (group === '' && resource === 'secrets') {
    throw new GapSignal({ reason: 'not-asked', detail: 'Secrets are never listed', path: root, notLookedAt: true });
  }
  const [served] = discovery.resources
    .filter(entry => entry.group === group && entry.resource === resource && entry.verbs.includes('list'))
    .sort((first, second) => priorityOf(second.version) - priorityOf(first.version));
  const absent = { installed: false, items: [], kind: '', path: root, unread: [], onlyNamespaces: null };
  if (!served) {
    const broken = discovery.unreadable.find(entry => entry.group === group);
    if (broken) {
      throw new GapSignal({ reason: 'server-error', detail: broken.error, path: `${root}/${broken.version}` });
    }
    return absent;
  }
  const path = `${root}/${served.version}/${resource}`;
  if (served.namespaced && options.onlyNamespaces) return listNamespaces(options, served, path, options.onlyNamespaces);
  try {
    const items = await listPages(options, served, path);
    // The kind was taken away after discovery.
    if (items === undefined) return { ...absent, path };
    return { installed: true, items, kind: served.kind, path, unread: [], onlyNamespaces: null };
  } catch (error) {
    const forbidden = error instanceof GapSignal && error.gap.reason === 'forbidden';
    if (!forbidden || !served.namespaced || options.namespaces.length === 0) throw error;
    return listNamespaces(options, served, path, options.namespaces, error);
  }
}

/**
 * Kubernetes' own order of versions: `v2`, `v1`, `v2beta1`, `v1beta2`, `v1alpha1`. The server's preference is not
 * asked: what is read must not depend on the order in which a server, or a bundle, names its versions.
 */
function priorityOf(version: string): number {
  const match = /^v([0-9]+)(?:(alpha|beta)([0-9]+))?$/.exec(version);
  if (!match) return 0;
  const stability = match[2] === undefined ? 3 : match[2] === 'beta' ? 2 : 1;
  return stability * 1e6 + Number(match[1]) * 1e3 + Number(match[3] ?? 0);
}

/** One LIST for each namespace. Where none of them can be read, the first refusal is thrown. */
async function listNamespaces(
  options: ListOptions,
  served: ServedResource,
  path: string,
  namespaces: readonly string[],
  refusal?: GapSignal,
): Promise<ListAnswer> {
  const root = path.slice(0, path.lastIndexOf('/'));
  const read = await Promise.all(
    namespaces.map(async namespace => {
      try {
        return (await listPages(options, served, `${root}/namespaces/${namespace}/${served.resource}`)) ?? [];
      } catch (error) {
        if (error instanceof GapSignal) return error;
        throw error;
      }
    }),
  );
  const unread = namespaces
    .map((namespace, index) => ({ namespace, failure: read[index] }))
    .flatMap(({ namespace, failure }) =>
      failure instanceof GapSignal ? [{ namespace, detail: failure.gap.detail, failure }] : [],
    );
  const [first] = unread;
  if (first && unread.length === namespaces.length) throw refusal ?? first.failure;
  return {
    installed: true,
    items: read.flatMap(items => (items instanceof GapSignal ? [] : items)),
    kind: served.kind,
    path,
    unread: unread.map(({ namespace, detail }) => ({ namespace, detail })),
    onlyNamespaces: namespaces,
  };
}

/** All pages; undefined where a custom kind is not there any more. */
async function listPages(
  options: ListOptions,
  served: ServedResource,
  path: string,
): Promise<readonly RawObject[] | undefined> {
  const { api } = options;
  let items: RawObject[] = [];
  let token = '';
  let message = messageOf(options, served);
  // A page is rows before a byte of the next one is there: both may be read into the same place.
  const space = { bytes: Buffer.alloc(0) };
  const ask = (next: string) => {
    const query = `limit=${PAGE}${next ? `&continue=${encodeURIComponent(next)}` : ''}`;
    const request = { path: `${path}?${query}`, place: path, space, ...(message && { accept: EITHER }) };
    return { request, answered: api.read(request) };
  };
  let asked = ask(token);
  for (let restarts = 0; ; ) {
    const { request } = asked;
    const answer = readable(await asked.answered);
    if (answer.status === 406 && message) {
      message = undefined;
      asked = ask(token);
      continue;
    }
    if (answer.status === 404 && token === '' && !isBuiltIn(served.group)) return undefined;
    if (answer.status === 410 && restarts < RESTARTS) {
      // The server offers a token that goes on with newer objects; without one, only a new list is whole.
      const offered = continuation(answer.body);
      if (!offered) items = [];
      token = offered;
      restarts += 1;
      asked = ask(token);
      continue;
    }
    if (answer.status !== 200) throw api.refused(request, answer);
    // The server makes the next page ready while this one is made into rows.
    const following = message ? nextOf(answer) : '';
    const ahead = following && following !== token ? ask(following) : undefined;
    // What is wrong with it is said where it is waited for, if it comes to that.
    ahead?.answered.catch(() => {});
    const page = parsePage(options, served, answer, message);
    if (!page) throw api.malformed(request, answer);
    items = items.length === 0 ? page.items : items.concat(page.items);
    if (!page.next) return items;
    if (page.next === token) throw api.malformed(request, answer);
    token = page.next;
    asked = ahead ?? ask(token);
  }
}

/** Kinds of the API server's own are never taken away: that one of them is not found is said by something in between. */
function isBuiltIn(group: string): boolean {
  return !group.includes('.') || group.endsWith('.k8s.io');
}

const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const EITHER = `${PROTOBUF}, application/json`;

/**
 * Kinds of which there may be thousands are read as protobuf, where only some fields of each object are wanted: it is
 * smaller than JSON, and what nobody reads is skipped. JSON is the other way, wherever the server prefers it.
 */
function messageOf({ take }: ListOptions, { group, version, resource }: ServedResource): Message | undefined {
  return take && version === 'v1' ? PROTOBUF_KINDS.get(`${group}/${resource}`) : undefined;
}

function isProtobuf({ headers }: TransportAnswer): boolean {
  return (headers['content-type'] ?? '').startsWith(PROTOBUF);
}

/** An error in the encoding that everything else reads. */
function readable(answer: TransportAnswer): TransportAnswer {
  const status = answer.status !== 200 && isProtobuf(answer) ? decodeStatus(answer.body) : undefined;
  return status ? { ...answer, body: Buffer.from(JSON.stringify(status)) } : answer;
}

/** Where a page in protobuf goes on, without a look at its objects; '' where that is not known yet. */
function nextOf(answer: TransportAnswer): string {
  try {
    return isProtobuf(answer) ? decodeList(answer.body, {}, () => undefined).next : '';
  } catch {
    return '';
  }
}

function continuation(body: Buffer): string {
  try {
    return JSON.parse(body.toString('utf8'))?.metadata?.continue ?? '';
  } catch {
    return '';
  }
}

interface Page {
  readonly items: RawObject[];
  readonly next: string;
}

/** The objects of a page, without credentials; undefined for what is no list. */
function parsePage(
  options: ListOptions,
  served: ServedResource,
  answer: TransportAnswer,
  message: Message | undefined,
): Page | undefined {
  const shared: SharedParts = new Map();
  const onAlike = (part: RawObject) => shared.set(part, undefined);
  const { take = (object: RawObject): unknown => object } = options;
  const finished = (item: RawObject, freeText: boolean): unknown => {
    if (!isPlaced(item, served)) throw new BrokenMessage('an object has no name, or no namespace');
    withoutCredentials(options, served, item, freeText, shared);
    return take(item);
  };
  try {
    if (message && isProtobuf(answer)) {
      // A look at the bytes as a whole could miss what stands at the edge of a text.
      return decodeList(answer.body, message, item => finished(item, true), onAlike);
    }
    const page = textPage(answer.body);
    if (!page) return undefined;
    if (message) shareAlike(page.items, message, onAlike);
    return { items: page.items.map(item => finished(item, page.freeText)), next: page.next };
  } catch (error) {
    // A RangeError: nested more deeply than can be walked through, which no object of Kubernetes is.
    if (error instanceof BrokenMessage || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** What has no name, or no namespace where it must have one, could be mistaken for another. */
function isPlaced(item: RawObject, { namespaced }: ServedResource): boolean {
  const metadata = item?.metadata;
  return typeof metadata?.name === 'string' && (!namespaced || typeof metadata.namespace === 'string');
}

function textPage(body: Buffer): (Page & { readonly freeText: boolean }) | undefined {
  const text = body.toString('utf8');
  let document: RawObject;
  try {
    document = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!String(document?.kind).endsWith('List')) return undefined;
  // Go writes an empty list as null.
  const items = document.items === null ? [] : document.items;
  const next = document.metadata?.continue ?? '';
  if (!Array.isArray(items) || typeof next !== 'string') return undefined;
  if (next === '' && document.metadata?.remainingItemCount > 0) return undefined;
  return { items, next, freeText: mayHoldCredential(text) };
}

function withoutCredentials(
  { redactor, keepsConfigMap, onInline }: ListOptions,
  { group, resource }: ServedResource,
  item: RawObject,
  freeText: boolean,
  shared: SharedParts,
): void {
  const { metadata } = item;
  if (metadata.managedFields) metadata.managedFields = metadata.managedFields.map(managerOnly);
  if (group === '' && resource === 'configmaps') {
    redactor.configMap(item, keepsConfigMap(metadata.namespace, metadata.name, metadata.labels ?? {}));
  }
  if (resource === 'customresourcedefinitions') dropSchemas(item);
  if (resource === 'controllerrevisions') delete item.data;
  redactor.object(item, freeText, inline => onInline(item, inline), shared);
}

/** Who wrote, how and when; not what. */
function managerOnly({ manager, operation, time }: RawObject): RawObject {
  return time === undefined ? { manager, operation } : { manager, operation, time };
}

/** They are large, and nothing is read from them. */
function dropSchemas(definition: RawObject): void {
  for (const version of definition.spec?.versions ?? []) delete version.schema;
}
