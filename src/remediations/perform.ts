import type { ApiReader, Json, Step, Target, TextLine, WriteAnswer, Writer } from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';
import { fitsMergePatch, jsonPatchOf, mergePatchOf, stateOf, valueAt } from './changes.ts';
import { bytesOf } from './quantities.ts';
import { Refusal } from './refusal.ts';
import { nameOf } from './targets.ts';
import { isReady, rolloutOf } from './workloads.ts';
import { scalarAt, withScalar } from './yaml-text.ts';

/** Marks what a plan has created. */
export const MARK = 'thanos-doctor/plan';
export const RESTARTED_AT = ['spec', 'template', 'metadata', 'annotations', 'kubectl.kubernetes.io/restartedAt'];

/** How far a step is: its result holds, it can be done, or things are neither as they were nor as they are to be. */
export type StepState =
  | { readonly is: 'done'; readonly object: RawObject | undefined }
  | { readonly is: 'open'; readonly object: RawObject | undefined }
  | { readonly is: 'surprise'; readonly detail: string };

/** A run: the id and the time that its steps carry. */
export interface Moment {
  readonly id: string;
  readonly at: string;
}

const done = (object?: RawObject): StepState => ({ is: 'done', object });
const open = (object?: RawObject): StepState => ({ is: 'open', object });
const surprise = (detail: string): StepState => ({ is: 'surprise', detail });

/** Looks how far a step is. Throws a `GapSignal` where that cannot be seen. */
export async function lookAt(step: Step, api: ApiReader, moment: Moment): Promise<StepState> {
  if (step.do === 'create-bucket' || step.do === 'delete-empty-bucket') {
    return (await api.bucketExists(step.store)) === (step.do === 'create-bucket') ? done() : open();
  }
  if (step.do === 'put-mark' || step.do === 'delete-mark') {
    return (await api.bucketHas(step.store, step.key)) === (step.do === 'put-mark') ? done() : open();
  }
  if (step.do === 'back-up') return lookAtBackup(step, api, moment);
  const object = await api.get(step.target);
  switch (step.do) {
    case 'create':
      if (!object) return open();
      return isOurs(object, moment.id) ? done(object) : surprise(`${nameOf(step.target)} exists already`);
    case 'delete-created':
      if (!object) return done();
      return isOurs(object, step.plan) ? open(object) : surprise(`${nameOf(step.target)} is not the one of this plan`);
    case 'delete':
    case 'evict':
      // What is being deleted, or came back under the same name, is deleted.
      if (!object || object.metadata.uid !== step.uid || object.metadata.deletionTimestamp) return done(object);
      return open(object);
    case 'wait':
      return isReached(step.until, object) ? done(object) : open(object);
    default:
      break;
  }
  if (!object) return surprise(`${nameOf(step.target)} is gone`);
  if (object.metadata.uid !== step.uid) return surprise(`${nameOf(step.target)} was deleted and made again`);
  switch (step.do) {
    case 'restart':
      return valueAt(object, RESTARTED_AT) === moment.at ? done(object) : open(object);
    case 'change': {
      const state = stateOf(object, step.changes);
      if (state === 'neither') return surprise(`${nameOf(step.target)} is neither as it was nor as it is to be`);
      return state === 'after' ? done(object) : open(object);
    }
    case 'edit-text':
      return lookAtText(step, object);
    case 'restore':
      return lookAtRestore(step, object, api);
  }
}

async function lookAtBackup(
  step: Extract<Step, { do: 'back-up' }>,
  api: ApiReader,
  moment: Moment,
): Promise<StepState> {
  const backup = await api.get(step.backup);
  if (backup) return isOurs(backup, moment.id) ? done(backup) : surprise(`${nameOf(step.backup)} exists already`);
  const object = await api.get(step.target);
  return object?.metadata.uid === step.uid ? open(object) : surprise(`${nameOf(step.target)} is not the same any more`);
}

function lookAtText(step: Extract<Step, { do: 'edit-text' }>, object: RawObject): StepState {
  const { key, lines } = step.edit;
  const text = textIn(object, key);
  if (text === undefined) return surprise(`${nameOf(step.target)} has no key ${key} any more`);
  if (isAs(text, lines, 'after')) return done(object);
  if (isAs(text, lines, 'before')) return open(object);
  return surprise(`${namesOf(lines)} of ${nameOf(step.target)} was changed meanwhile`);
}

function isAs(text: string, lines: readonly TextLine[], when: 'before' | 'after'): boolean {
  return lines.every(line => readable(() => scalarAt(text, line.path)) === line[when]);
}

function namesOf(lines: readonly TextLine[]): string {
  return lines.map(({ path }) => path.join('.')).join(', ');
}

/** The text with all lines as they are to be. Throws a `Refusal` where that cannot be done without a change elsewhere. */
export function editedText(text: string, lines: readonly TextLine[]): string {
  return lines.reduce((edited, { path, after, besides }) => withScalar(edited, path, after, besides), text);
}

async function lookAtRestore(
  step: Extract<Step, { do: 'restore' }>,
  object: RawObject,
  api: ApiReader,
): Promise<StepState> {
  const { key, lines } = step.edit;
  const text = textIn(object, key);
  if (text !== undefined && isAs(text, lines, 'before')) return done(object);
  const backup = await api.get(step.backup);
  if (!backup) return surprise(`${nameOf(step.backup)}, which holds what was there before, is gone`);
  const old = textIn(backup, key);
  const expected = old === undefined ? undefined : readable(() => editedText(old, lines));
  if (text === undefined || text !== expected)
    return surprise(`${nameOf(step.target)} was changed by somebody else since`);
  return open(object);
}

function readable<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

function isOurs(object: RawObject, plan: string): boolean {
  return object.metadata?.annotations?.[MARK] === plan;
}

/** The text under a key of a Secret or ConfigMap; undefined where there is none. */
export function textIn(object: RawObject, key: string): string | undefined {
  const value = object.data?.[key];
  if (typeof value !== 'string') return undefined;
  return isSecret(object) ? Buffer.from(value, 'base64').toString('utf8') : value;
}

function isSecret(object: RawObject): boolean {
  return object.kind === 'Secret';
}

function isReached(until: Extract<Step, { do: 'wait' }>['until'], object: RawObject | undefined): boolean {
  if (until.is === 'gone') return object === undefined;
  if (!object) return false;
  switch (until.is) {
    case 'rolled-out':
      return rolloutOf(object).done;
    case 'equals':
      return valueAt(object, until.path) === until.value;
    case 'at-least':
      return (bytesOf(valueAt(object, until.path)) ?? -1) >= (bytesOf(until.quantity) ?? Number.POSITIVE_INFINITY);
    case 'replaced':
      return object.metadata.uid !== until.uid && isReady(object);
  }
}

/** Does what a step says to the object that `lookAt` saw, at the server's dry run or for real. Waiting writes nothing. */
export async function perform(
  step: Step,
  object: RawObject | undefined,
  writer: Writer,
  moment: Moment,
  dryRun: boolean,
): Promise<WriteAnswer> {
  switch (step.do) {
    case 'wait':
      return { is: 'done', object: object ?? {} };
    case 'create':
      return writer.create(step.target, marked(step.target, step.object, moment.id), dryRun);
    case 'back-up': {
      const copy = { type: object!.type, data: object!.data, immutable: true };
      return writer.create(step.backup, marked(step.backup, copy, moment.id), dryRun);
    }
    case 'delete':
      return writer.delete(step.target, { uid: step.uid }, step.orphan, dryRun);
    case 'delete-created': {
      const { uid, resourceVersion } = object!.metadata;
      return writer.delete(step.target, { uid, resourceVersion }, false, dryRun);
    }
    case 'evict':
      return writer.evict(step.target, step.uid, dryRun);
    case 'create-bucket':
      return dryRun ? { is: 'done', object: {} } : writer.bucket(step.store, 'create-bucket', '', '');
    case 'delete-empty-bucket':
      return dryRun ? { is: 'done', object: {} } : writer.bucket(step.store, 'delete-bucket', '', '');
    case 'put-mark':
      return dryRun ? { is: 'done', object: {} } : writer.bucket(step.store, 'put', step.key, step.body);
    case 'delete-mark':
      return dryRun ? { is: 'done', object: {} } : writer.bucket(step.store, 'delete', step.key, '');
    case 'restart':
      return merge(step.target, object!, mergePatchOf([{ path: RESTARTED_AT, after: moment.at }]), writer, dryRun);
    case 'change':
      return change(step, object!, writer, dryRun);
    case 'edit-text': {
      const { key, lines } = step.edit;
      const text = editedText(textIn(object!, key) ?? '', lines);
      return merge(step.target, object!, { data: { [key]: encoded(object!, text) } }, writer, dryRun);
    }
    case 'restore': {
      const backup = await writer.get(step.backup);
      const old = backup?.data?.[step.edit.key];
      if (typeof old !== 'string') return { is: 'conflict', message: `${nameOf(step.backup)} is gone` };
      return merge(step.target, object!, { data: { [step.edit.key]: old } }, writer, dryRun);
    }
  }
}

function change(
  step: Extract<Step, { do: 'change' }>,
  object: RawObject,
  writer: Writer,
  dryRun: boolean,
): Promise<WriteAnswer> {
  if (fitsMergePatch(step.changes)) return merge(step.target, object, mergePatchOf(step.changes), writer, dryRun);
  const { uid, resourceVersion } = object.metadata;
  const tests = [
    { op: 'test', path: '/metadata/uid', value: uid },
    { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
  ];
  return writer.patch(step.target, 'json', [...tests, ...jsonPatchOf(object, step.changes)], dryRun);
}

function merge(
  target: Target,
  object: RawObject,
  patch: RawObject,
  writer: Writer,
  dryRun: boolean,
): Promise<WriteAnswer> {
  const { uid, resourceVersion } = object.metadata;
  return writer.patch(target, 'merge', { ...patch, metadata: { ...patch.metadata, uid, resourceVersion } }, dryRun);
}

function encoded(object: RawObject, text: string): string {
  return isSecret(object) ? Buffer.from(text, 'utf8').toString('base64') : text;
}

function marked(target: Target, object: RawObject, plan: string): RawObject {
  const metadata = object.metadata ?? {};
  return {
    ...object,
    kind: target.kind,
    metadata: {
      ...metadata,
      name: target.name,
      ...(target.namespace ? { namespace: target.namespace } : {}),
      labels: { 'app.kubernetes.io/managed-by': 'thanos-doctor', ...metadata.labels },
      annotations: { ...metadata.annotations, [MARK]: plan },
    },
  };
}

/** What the audit log says of an object: the fields that a step changes, never the value of a Secret. */
export function trace(step: Step, object: RawObject | undefined): Json {
  if (step.do === 'edit-text' || step.do === 'restore') {
    const text = object && textIn(object, step.edit.key);
    const fields = step.edit.lines.map(({ path }) => {
      const value = text === undefined ? undefined : readable(() => scalarAt(text, path));
      return [path.join('.'), value ?? '(absent)'];
    });
    return { ...Object.fromEntries(fields), ...versionOf(object) };
  }
  if (step.do === 'change') {
    const fields = step.changes.map(({ path }) => [path.join('.'), object ? (valueAt(object, path) ?? null) : null]);
    return { ...Object.fromEntries(fields), ...versionOf(object) };
  }
  return versionOf(object);
}

function versionOf(object: RawObject | undefined): Readonly<Record<string, Json>> {
  const { uid, resourceVersion } = object?.metadata ?? {};
  return { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) };
}

/** What a step writes: a copy is another object than the one that is copied. */
export function writtenBy(step: Step): Target {
  return step.do === 'back-up' ? step.backup : step.target;
}

/** Which verbs a step needs, on what. */
export function permissionsOf(step: Step): readonly { verb: string; target: Target; subresource?: string }[] {
  switch (step.do) {
    case 'wait':
      return [{ verb: 'get', target: step.target }];
    case 'create':
      return [{ verb: 'create', target: { ...step.target, name: '' } }];
    case 'back-up':
      return [{ verb: 'create', target: { ...step.backup, name: '' } }];
    case 'delete':
    case 'delete-created':
      return [{ verb: 'delete', target: step.target }];
    case 'evict':
      return [{ verb: 'create', target: step.target, subresource: 'eviction' }];
    case 'create-bucket':
    case 'delete-empty-bucket':
    case 'put-mark':
    case 'delete-mark':
      return [{ verb: 'get', target: step.target }];
    default:
      return [
        { verb: 'get', target: step.target },
        { verb: 'patch', target: step.target },
      ];
  }
}
