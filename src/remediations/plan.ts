import { createHash } from 'node:crypto';
import { GapSignal } from '../model/gap.ts';
import type {
  Action,
  Draft,
  Guard,
  Plan,
  PlanInput,
  PlannedObject,
  Step,
  Target,
  Writer,
} from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';
import { canonical, differences, diffOf, filledIn, stateOf } from './changes.ts';
import { guard, passed } from './guards.ts';
import { changesSince, failedSince, openAttempts, writesOf } from './history.ts';
import { leaseOf, otherHolder } from './lease.ts';
import { localDataKept } from './local-data.ts';
import { noRollout, notInTheMiddle } from './middle.ts';
import { nobodyReverts, type Owned, ownedObjects } from './owners.ts';
import { lookAt, type Moment, perform, permissionsOf, writtenBy } from './perform.ts';
import { Refusal } from './refusal.ts';
import { manifestOf, repositoryPatches } from './repository-patch.ts';
import { nameOf, permissionText, sameTarget } from './targets.ts';

/** Seconds between an attempt that did not help and the next one. */
const COOL_DOWN = 600;
const CHANGES_PER_HOUR = 3;

export interface Planning extends PlanInput {
  readonly writer: Writer;
  /** For the dry run; nothing of it stays. */
  readonly moment: Moment;
}

/** Decides everything that would be changed, and evaluates every guard. Nothing is changed: writes are dry runs. */
export async function planOf(action: Action, planning: Planning): Promise<Plan> {
  const { finding } = planning;
  const draft = await draftOf(action, planning);
  const writes = writesOf({ steps: draft.steps } as Plan);
  const objects = await objectsOf(writes, planning).catch(gapless([]));
  const owners = await ownedObjects(writes, planning).catch(asGap);
  const known = owners instanceof GapSignal ? [] : owners;
  const patches = repositoryPatches(writes, known);
  const guards =
    draft.steps.length === 0
      ? draft.guards
      : [
          passed('finding-still-there', 'the finding is a root cause now'),
          ...draft.guards,
          ...(await commonGuards(writes, owners, draft, planning)),
        ];
  const applied = known.filter(({ owner }) => owner.is === 'applied');
  const body = {
    action: action.id,
    title: action.title,
    finding: finding.id,
    rule: finding.rule,
    cluster: finding.cluster,
    risk: action.risk,
    riskText: draft.riskText,
    steps: draft.steps,
    objects,
    guards,
    verify: draft.verify,
    undo: draft.undo,
    typed: action.risk === 'data-loss' ? (draft.typed ?? finding.subject.name) : (draft.typed ?? ''),
  };
  return {
    ...body,
    diffs: diffsOf(draft.steps),
    notes: [
      ...(draft.notes ?? []),
      ...applied.map(
        ({ target }) =>
          `${nameOf(target)} comes from \`kubectl apply\`: the next one takes this back, unless it is written there too (--emit-patch DIR)`,
      ),
    ],
    patches,
    digest: digestOf(body),
  };
}

/** sha256 over what is decided: steps, objects as they are, guards with their results, and the finding. */
export function digestOf(
  plan: Pick<Plan, 'action' | 'finding' | 'cluster' | 'steps' | 'objects' | 'guards' | 'undo'>,
): string {
  const { action, finding, cluster, steps, objects, undo } = plan;
  const guards = plan.guards.map(({ id, result }) => ({ id, result }));
  const text = canonical({ action, finding, cluster, steps, objects, undo: undo.steps, guards });
  return createHash('sha256').update(text).digest('hex');
}

async function draftOf(action: Action, planning: Planning): Promise<Draft> {
  try {
    return await action.plan(planning);
  } catch (error) {
    if (error instanceof Refusal) return refusedDraft(error.guard, error.message, 'failed');
    if (error instanceof GapSignal) return refusedDraft('evidence-known', error.gap.detail, 'unknown');
    throw error;
  }
}

function refusedDraft(id: string, detail: string, result: Guard['result']): Draft {
  return {
    steps: [],
    guards: [{ id, what: id.replaceAll('-', ' '), result, detail }],
    riskText: '',
    verify: { what: '', seconds: 0 },
    undo: { what: '', steps: [] },
  };
}

function asGap(error: unknown): GapSignal {
  if (error instanceof GapSignal) return error;
  throw error;
}

function gapless<Value>(value: Value): (error: unknown) => Value {
  return error => {
    // What could not be read refuses by its own guard.
    if (error instanceof GapSignal) return value;
    throw error;
  };
}

async function objectsOf(writes: readonly Step[], { api }: Planning): Promise<readonly PlannedObject[]> {
  const objects: PlannedObject[] = [];
  for (const { target, do: verb } of writes) {
    if (verb === 'create' || isOfBucket(verb)) continue;
    if (objects.some(other => sameTarget(other.target, target))) continue;
    const object = await api.get(target);
    if (!object) continue;
    objects.push({ target, uid: object.metadata.uid, resourceVersion: object.metadata.resourceVersion });
  }
  return objects;
}

function isOfBucket(verb: Step['do']): boolean {
  return verb === 'create-bucket' || verb === 'put-mark' || verb === 'delete-mark' || verb === 'delete-empty-bucket';
}

async function commonGuards(
  writes: readonly Step[],
  owners: readonly Owned[] | GapSignal,
  draft: Draft,
  planning: Planning,
): Promise<readonly Guard[]> {
  const { api, history, finding } = planning;
  const now = Date.parse(api.now());
  return [
    await guard('may-write', 'you may do each step, and take it back', () =>
      mayDo([...writes, ...draft.undo.steps], planning),
    ),
    await guard('dry-run-accepted', 'the server accepts it, and would change nothing else', () =>
      dryRun(writes, planning),
    ),
    await guard('owner-known', 'nobody else writes it', () => {
      if (owners instanceof GapSignal) throw owners;
      return nobodyReverts(owners, draft.held ?? [], planning);
    }),
    await guard('no-other-change-running', 'no other change of it is under way', () =>
      noOtherChange(writes, draft, planning),
    ),
    await guard('not-in-the-middle', 'nothing there is starting, growing or short of room', () =>
      notInTheMiddle(writes, draft, api),
    ),
    await guard('local-data-kept', 'no data that are nowhere else go with a pod', () => localDataKept(writes, api)),
    await guard('budget', `fewer than ${CHANGES_PER_HOUR} changes of it in the last hour`, () => {
      for (const { target } of writes) {
        const count = changesSince(history, finding.cluster, nameOf(target), now - 3_600_000);
        if (count >= CHANGES_PER_HOUR) return `${nameOf(target)} was changed ${count} times in the last hour`;
      }
      return true;
    }),
    await guard('cool-down', 'no attempt at it just failed', () => {
      const failed = failedSince(history, finding.id, now - COOL_DOWN * 1000);
      return failed
        ? `${failed.begin.id} did not mend it at ${failed.outcome!.time}: wait ${COOL_DOWN / 60} minutes, or take it back first`
        : true;
    }),
    await guard('no-second-doctor', 'no other run of thanos-doctor works there', async () => {
      const lease = leaseOf(writes[0]!.target);
      const holder = await otherHolder(api, lease, planning.moment.id);
      return holder ? `plan ${holder} holds the Lease ${lease.namespace}/${lease.name}` : true;
    }),
  ];
}

async function mayDo(steps: readonly Step[], { api, moment }: Planning): Promise<true | string> {
  const lease = leaseOf(steps[0]!.target);
  const wanted = [
    ...filledIn(steps, moment.at, moment.id).flatMap(permissionsOf),
    ...['get', 'patch'].map(verb => ({ verb, target: lease })),
    { verb: 'create', target: { ...lease, name: '' } },
  ];
  const distinct = [...new Map(wanted.map(permission => [permissionText(permission), permission])).values()];
  const denied: string[] = [];
  for (const permission of distinct) if (!(await api.allowed(permission))) denied.push(permissionText(permission));
  return denied.length === 0 || `you may not ${denied.join(', ')} (deploy/rbac/fixer.yaml allows it)`;
}

/** Only the first write to each object: the later ones fit what will be there then. */
async function dryRun(writes: readonly Step[], { writer, moment }: Planning): Promise<true | string> {
  const tried: Target[] = [];
  for (const planned of writes) {
    const step = filledIn(planned, moment.at, moment.id);
    const written = writtenBy(step);
    if (tried.some(target => sameTarget(target, written))) continue;
    tried.push(written);
    const state = await lookAt(step, writer, moment);
    if (state.is === 'surprise') return state.detail;
    if (state.is === 'done') continue;
    const answer = await perform(step, state.object, writer, moment, true);
    if (answer.is !== 'done') return `${step.title}: ${answer.message}`;
    if (step.do === 'change' && stateOf(answer.object, step.changes) !== 'after')
      return `${step.title}: the server would make something else of it`;
    const strange = state.object && unexpected(step, state.object, answer.object);
    if (strange && strange.length > 0)
      return `${step.title}: the server would also change ${strange.slice(0, 3).join(', ')}`;
  }
  return true;
}

function unexpected(step: Step, before: RawObject, after: RawObject): readonly string[] {
  const meant =
    step.do === 'change'
      ? step.changes.map(({ path }) => path.join('.'))
      : step.do === 'edit-text' || step.do === 'restore'
        ? [`data.${step.edit.key}`]
        : step.do === 'restart'
          ? ['spec.template.metadata']
          : undefined;
  if (!meant) return [];
  const isMeant = (path: string) => meant.some(allowed => within(path, allowed) || within(allowed, path));
  return differences(before, after).filter(path => !isMeant(path));
}

function within(path: string, parent: string): boolean {
  return path === parent || path.startsWith(`${parent}.`);
}

async function noOtherChange(writes: readonly Step[], draft: Draft, planning: Planning): Promise<true | string> {
  const { api, history, finding } = planning;
  for (const attempt of openAttempts(history)) {
    if (attempt.begin.plan.cluster !== finding.cluster || attempt.begin.id === planning.moment.id) continue;
    const both = writesOf(attempt.begin.plan).find(step =>
      writes.some(({ target }) => sameTarget(target, step.target)),
    );
    if (both)
      return `${attempt.begin.id} was begun on ${nameOf(both.target)} and not ended: thanos-doctor fix --resume`;
  }
  return noRollout(writes, draft, api);
}

function diffsOf(steps: readonly Step[]): Plan['diffs'] {
  return steps.flatMap(step => {
    if (step.do === 'change') return [{ title: step.title, lines: diffOf(step.changes) }];
    if (step.do === 'create') {
      const lines = manifestOf(step).trimEnd().split('\n');
      return [{ title: step.title, lines: lines.map(line => `+ ${line}`) }];
    }
    if (step.do !== 'edit-text') return [];
    const lines = step.edit.lines.flatMap(({ path, before, after }) => [
      ...(before === undefined ? [] : [`- ${step.edit.key}: ${path.join('.')}: ${before}`]),
      ...(after === undefined ? [] : [`+ ${step.edit.key}: ${path.join('.')}: ${after}`]),
    ]);
    return [{ title: step.title, lines }];
  });
}
