import type { ApiReader, Guard, Plan, Step, TextLine } from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';
import { addressOf, blockOf } from './address-range.ts';
import { backwards, filledIn, PLAN, RUN, TIME } from './changes.ts';
import { guard, passed } from './guards.ts';
import type { Attempt } from './history.ts';
import { leaseOf, otherHolder } from './lease.ts';
import { lookAt, perform, permissionsOf } from './perform.ts';
import { digestOf, type Planning } from './plan.ts';
import { nameOf, permissionText, sameTarget } from './targets.ts';

/** A step backwards; undefined where there is nothing to take back. */
export function undoOf(step: Step): Step | undefined {
  const title = `${step.title}: back to what it was`;
  switch (step.do) {
    case 'change':
      return { ...step, title, changes: backwards(step.changes) };
    case 'edit-text':
      return { ...step, title, edit: { ...step.edit, lines: step.edit.lines.map(turned) } };
    case 'create':
      return { do: 'delete-created', title: `delete ${nameOf(step.target)}`, target: step.target, plan: PLAN };
    case 'put-mark':
      return { ...step, do: 'delete-mark', title };
    case 'delete-mark':
      return { ...step, do: 'put-mark', title };
    case 'create-bucket':
      return { ...step, do: 'delete-empty-bucket', title: 'delete the bucket, if it is still empty' };
    default:
      return undefined;
  }
}

function turned({ path, before, after, besides }: TextLine): TextLine {
  return {
    path,
    besides,
    ...(after === undefined ? {} : { before: after }),
    ...(before === undefined ? {} : { after: before }),
  };
}

/** All steps backwards, last first. */
export function undoStepsOf(steps: readonly Step[]): readonly Step[] {
  return [...steps].reverse().flatMap(step => undoOf(step) ?? []);
}

type UndoPlanning = Pick<Planning, 'api' | 'writer' | 'moment'> & Partial<Planning>;

/** The plan that takes an attempt back. Steps that were never done hold already, and are passed over. */
export async function undoPlanOf(attempt: Attempt, planning: UndoPlanning): Promise<Plan> {
  const { plan, id, at } = attempt.begin;
  const steps = filledIn(withoutNeedlessRestarts(plan.undo.steps, attempt), TIME, id).map(step =>
    // What a restart in the undo carries is the time of the undo, not that of the fix.
    step.do === 'delete-created' && step.plan !== RUN ? { ...step, plan: id } : step,
  );
  const { writer, moment, api } = planning;
  const guards: Guard[] = [
    steps.length > 0
      ? passed('can-be-undone', 'it can be taken back')
      : {
          id: 'can-be-undone',
          what: 'it can be taken back',
          result: 'failed',
          detail: plan.undo.what || 'nothing to take back',
        },
  ];
  for (const step of steps.filter(entry => entry.do !== 'wait')) {
    guards.push(
      await guard('same-object', `${nameOf(step.target)} is as it was left`, async () => {
        const state = await lookAt(step, api, moment);
        if (state.is !== 'open') return state.is === 'done' || state.detail;
        const answer = await perform(step, state.object, writer, moment, true);
        return answer.is === 'done' || answer.message;
      }),
      await guard('may-write', `you may ${step.title}`, async () => {
        const wanted = permissionsOf(step);
        for (const permission of wanted) {
          if (!(await api.allowed(permission))) return `you may not ${permissionText(permission)}`;
        }
        return true;
      }),
    );
  }
  if (steps.some(takesAddresses)) {
    guards.push(
      await guard('addresses-unused', 'no Service has an address that goes', () => addressesUnused(steps, api)),
    );
  }
  if (steps.length > 0) {
    guards.push(
      await guard('no-second-doctor', 'no other run of thanos-doctor works there', async () => {
        const holder = await otherHolder(api, leaseOf(steps[0]!.target), id);
        return holder ? `plan ${holder} holds the Lease` : true;
      }),
    );
  }
  const body = {
    action: plan.action,
    title: `undo ${plan.title}`,
    finding: plan.finding,
    rule: plan.rule,
    cluster: plan.cluster,
    risk: plan.risk,
    riskText: `everything is as before ${at} again: ${plan.undo.what}`,
    steps,
    objects: [],
    guards,
    verify: { what: 'everything is as it was', seconds: 0 },
    undo: { what: 'fix it again', steps: [] },
    // What could lose data on the way there can on the way back.
    typed: plan.risk === 'data-loss' ? plan.typed : '',
  };
  return { ...body, diffs: undoDiffs(steps), notes: [], patches: [], digest: digestOf(body) };
}

function takesAddresses({ target }: Step): boolean {
  return target.kind === 'CiliumLoadBalancerIPPool';
}

/** Cilium revokes the addresses of a block that goes at once. */
async function addressesUnused(steps: readonly Step[], api: ApiReader): Promise<true | string> {
  const blocks = steps
    .flatMap(step => (step.do === 'change' && takesAddresses(step) ? step.changes : []))
    .flatMap(({ before, after }) =>
      before !== undefined && after === undefined ? [blockOf(before as RawObject)] : [],
    );
  for (const { metadata, status } of await api.list('', 'services', '')) {
    for (const { ip = '' } of status?.loadBalancer?.ingress ?? []) {
      const address = addressOf(ip) ?? Number.NaN;
      if (blocks.some(block => !block || (block[0] <= address && address <= block[1])))
        return `Service ${metadata.namespace}/${metadata.name} has ${ip}`;
    }
  }
  return true;
}

/** What the fix has not restarted runs as before, and is not restarted for the undo either. */
function withoutNeedlessRestarts(steps: readonly Step[], { begin, results, openIntents }: Attempt): readonly Step[] {
  const reached = new Set([...results.map(({ step }) => step), ...openIntents]);
  const isOfNoUse = ({ target }: Step) => {
    const restarts = begin.plan.steps.flatMap((step, index) =>
      step.do === 'restart' && sameTarget(step.target, target) ? [index] : [],
    );
    return restarts.length > 0 && !restarts.some(index => reached.has(index));
  };
  const restarted = steps.filter(({ do: verb }) => verb === 'restart').filter(isOfNoUse);
  return steps.filter(step => !restarted.some(({ target }) => sameTarget(step.target, target)));
}

function undoDiffs(steps: readonly Step[]): Plan['diffs'] {
  return steps.flatMap(step => {
    if (step.do === 'restore') {
      const lines = step.edit.lines.flatMap(({ path, before, after }) => [
        ...(after === undefined ? [] : [`- ${path.join('.')}: ${after}`]),
        ...(before === undefined ? [] : [`+ ${path.join('.')}: ${before}`]),
      ]);
      return [{ title: step.title, lines }];
    }
    if (step.do === 'edit-text') {
      const lines = step.edit.lines.flatMap(({ path, before, after }) => [
        ...(before === undefined ? [] : [`- ${path.join('.')}: ${before}`]),
        ...(after === undefined ? [] : [`+ ${path.join('.')}: ${after}`]),
      ]);
      return [{ title: step.title, lines }];
    }
    if (step.do !== 'change') return [];
    return [
      {
        title: step.title,
        lines: step.changes.flatMap(({ path, before, after }) => [
          ...(before === undefined ? [] : [`- ${path.join('.')}: ${JSON.stringify(before)}`]),
          ...(after === undefined ? [] : [`+ ${path.join('.')}: ${JSON.stringify(after)}`]),
        ]),
      },
    ];
  });
}
