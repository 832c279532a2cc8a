import { GapSignal } from '../model/gap.ts';
import type { Ref, ShapeOf } from '../model/shape.ts';
import type { RawObject } from '../model/source.ts';

/** A reference to an object, as every shape writes it. */
export const REF = { kind: 'str', namespace: 'str', name: 'str', uid: 'str', key: 'str' } as const;

/** The fields that every row of a Kubernetes kind starts with. `owner` is the controller; `key` is `Kind namespace/name`. */
export const OBJECT_FIELDS = {
  key: 'str',
  namespace: 'str',
  name: 'str',
  uid: 'str',
  resourceVersion: 'str',
  labels: 'map',
  annotations: 'map',
  created: 'time',
  age: 'int',
  deleting: 'bool',
  deletingAge: 'int',
  owner: REF,
  managedBy: 'str',
} as const;

export const NOBODY: Ref = Object.freeze({ kind: '', namespace: '', name: '', uid: '', key: '' });

/** `Kind namespace/name`, or `Kind name`; with ` @cluster` for an object of another cluster. '' for no name. */
export function objectKey(kind: string, namespace: string, name: string, cluster = ''): string {
  if (!name) return '';
  // What is put together in a template is kept in its pieces, at three times the memory.
  const place = namespace ? [`${kind} ${namespace}`, name].join('/') : `${kind} ${name}`;
  return cluster ? `${place} @${cluster}` : place;
}

export function ref(kind: string, namespace: string, name: string, uid = '', cluster = ''): Ref {
  return { kind, namespace, name, uid, key: objectKey(kind, namespace, name, cluster) };
}

interface Now {
  /** Milliseconds since the epoch. */
  readonly takenAt: number;
}

/** Whole seconds from `time` to the moment the evidence was taken; -1 if there is no time. Never negative otherwise. */
export function age(now: Now, time: string): number {
  if (!time) return -1;
  const then = Date.parse(time);
  return Number.isNaN(then) ? -1 : Math.max(0, Math.floor((now.takenAt - then) / 1000));
}

export function objectFields(kind: string, object: RawObject, now: Now): ShapeOf<typeof OBJECT_FIELDS> {
  const metadata = object?.metadata;
  const namespace = text(metadata?.namespace);
  const name = text(metadata?.name);
  if (!name) throw malformed(`an object of kind ${kind} has no name`);
  const labels = strings(metadata?.labels);
  const annotations = strings(metadata?.annotations);
  const deletion = text(metadata?.deletionTimestamp);
  const created = text(metadata?.creationTimestamp);
  const owner = list(metadata?.ownerReferences).find(isController);
  return {
    key: objectKey(kind, namespace, name),
    namespace,
    name,
    uid: text(metadata?.uid),
    resourceVersion: text(metadata?.resourceVersion),
    labels,
    annotations,
    created,
    age: age(now, created),
    deleting: deletion !== '',
    deletingAge: age(now, deletion),
    owner: owner ? ref(text(owner.kind), namespace, text(owner.name), text(owner.uid)) : NOBODY,
    managedBy: managedBy(labels, annotations),
  };
}

function isController(reference: unknown): boolean {
  if (typeof reference !== 'object' || reference === null)
    throw malformed(`expected an owner, found ${kindOf(reference)}`);
  return flag((reference as { readonly controller?: unknown }).controller);
}

/** Who would revert a change: `argocd`, `flux`, `helm`, `kubectl-apply` or ''. By labels and annotations alone. */
function managedBy(labels: Readonly<Record<string, string>>, annotations: Readonly<Record<string, string>>): string {
  if (annotations['argocd.argoproj.io/tracking-id'] || labels['argocd.argoproj.io/instance']) return 'argocd';
  if (labels['kustomize.toolkit.fluxcd.io/name'] || labels['helm.toolkit.fluxcd.io/name']) return 'flux';
  if (annotations['meta.helm.sh/release-name']) return 'helm';
  if (annotations['kubectl.kubernetes.io/last-applied-configuration']) return 'kubectl-apply';
  return '';
}

/** A string field; '' where it is absent. Throws where it is something else than a string. */
export function text(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  throw malformed(`expected a string, found ${kindOf(value)}`);
}

/** A number field; `absent` where it is not there. */
export function number(value: unknown, absent = 0): number {
  if (value === undefined || value === null) return absent;
  if (typeof value === 'number') return value;
  throw malformed(`expected a number, found ${kindOf(value)}`);
}

/** A boolean field; `absent` where it is not there. */
export function flag(value: unknown, absent = false): boolean {
  if (value === undefined || value === null) return absent;
  if (typeof value === 'boolean') return value;
  throw malformed(`expected true or false, found ${kindOf(value)}`);
}

/** A list field; empty where it is absent. */
export function list(value: unknown): readonly RawObject[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw malformed(`expected a list, found ${kindOf(value)}`);
}

/** A map of strings; numbers and booleans in it become text, anything else is malformed. */
export function strings(value: unknown): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw malformed(`expected a map, found ${kindOf(value)}`);
  // The source's own map will do, and is not copied, where all that is in it are strings.
  if (Object.values(value).every(entry => typeof entry === 'string')) return value as Readonly<Record<string, string>>;
  const entries = Object.entries(value).map(([key, entry]): [string, string] => {
    if (typeof entry === 'object' && entry !== null) throw malformed(`expected text at ${key}, found ${kindOf(entry)}`);
    return [key, typeof entry === 'string' ? entry : String(entry ?? '')];
  });
  return Object.fromEntries(entries);
}

/** A value that may be a string or a number, such as a port or a percentage, as text. */
export function textOrNumber(value: unknown): string {
  return typeof value === 'number' ? String(value) : text(value);
}

export function malformed(detail: string): GapSignal {
  return new GapSignal({ reason: 'malformed', detail });
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}
