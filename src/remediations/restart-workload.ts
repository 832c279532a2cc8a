import type { Draft, Guard, PlanInput, Step, Target } from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';
import { rowsOf } from './evidence-rows.ts';
import { guard } from './guards.ts';
import { causeIsHealthy, podsOf, previousLogSaved, secondReplicaReady } from './pods.ts';
import { Refusal } from './refusal.ts';
import { existing, restartSteps, startSeconds } from './steps.ts';
import { nameOf, targetOf, WORKLOAD_KINDS } from './targets.ts';

/** Restarts workloads one after another, each ready before the next. */
export async function restartDraft(
  input: PlanInput,
  targets: readonly Target[],
  verify: Draft['verify'],
  own: readonly Guard[] = [],
): Promise<Draft> {
  const steps: Step[] = [];
  const guards: Guard[] = [...own];
  for (const target of targets) {
    if (!WORKLOAD_KINDS.has(target.kind))
      throw new Refusal('has-template', `${nameOf(target)} has no pods that can be restarted`);
    const object = await existing(input.api, target);
    const pods = await podsOf(input, target, object);
    guards.push(
      await causeIsHealthy(pods),
      await previousLogSaved(input, pods),
      await secondReplicaReady(input, target, pods),
      await guard(
        'not-cilium',
        'it is no agent of Cilium',
        () => !isCiliumAgent(target, object) || 'a restart of Cilium agents interrupts every connection of their nodes',
      ),
      await guard('singleton', 'there are never two at once that must not be', () => aloneAtOnce(target, object)),
      await guard('not-the-compactor-mid-upload', 'no compaction is interrupted', () =>
        notAtWork(input, target, object),
      ),
      await guard('recreate-or-no-volume', 'the new pod can have its volume', () =>
        canHaveVolume(input, target, object),
      ),
      await guard(
        'rolling-update',
        'its pods are replaced by its controller',
        () =>
          object.spec?.updateStrategy?.type !== 'OnDelete' ||
          `${nameOf(target)} replaces its pods only when they are deleted`,
      ),
    );
    steps.push(...restartSteps(target, object, startSeconds(object)));
  }
  return {
    steps,
    guards: mergedGuards(guards),
    riskText: 'its pods are replaced one after another',
    verify,
    undo: { what: 'not needed: nothing but the pods is another', steps: [] },
  };
}

/** One guard an id: the first that does not pass, else one that did. */
function mergedGuards(guards: readonly Guard[]): readonly Guard[] {
  const byId = new Map<string, Guard>();
  for (const entry of guards) {
    const before = byId.get(entry.id);
    if (!before || (before.result === 'passed' && entry.result !== 'passed')) byId.set(entry.id, entry);
  }
  return [...byId.values()];
}

function containersOf(object: RawObject): readonly RawObject[] {
  return object.spec?.template?.spec?.containers ?? [];
}

function isCiliumAgent(target: Target, object: RawObject): boolean {
  const isCilium = containersOf(object).some(({ image = '' }) => /(?:^|\/)cilium(?:-envoy)?(?:[:@]|$)/.test(image));
  return target.kind === 'DaemonSet' && isCilium;
}

function aloneAtOnce(target: Target, object: RawObject): true | string {
  if (!isCompactor(object) || target.kind === 'StatefulSet' || object.spec?.strategy?.type === 'Recreate') return true;
  return `${nameOf(target)} would run two Compactors for a moment: its strategy is not Recreate`;
}

/** What a Compactor has begun it begins anew, and half of a block may stay in the bucket. */
async function notAtWork(input: PlanInput, target: Target, object: RawObject): Promise<true | string> {
  if (!isCompactor(object) || input.wishes.downtime) return true;
  const row = (await rowsOf(input.evidence, 'thanos.compactors')).find(one => one.workload.key === nameOf(target));
  if (!row?.running || row.halted || row.cannotFinish) return true;
  return row.todo > 0 ? `it has ${row.todo} compactions to do: --accept-downtime interrupts it all the same` : true;
}

function isCompactor(object: RawObject): boolean {
  return containersOf(object).some(container =>
    [...(container.command ?? []), ...(container.args ?? [])].includes('compact'),
  );
}

async function canHaveVolume({ api }: PlanInput, target: Target, object: RawObject): Promise<true | string> {
  if (target.kind !== 'Deployment' || object.spec?.strategy?.type === 'Recreate') return true;
  for (const volume of object.spec?.template?.spec?.volumes ?? []) {
    const name = volume.persistentVolumeClaim?.claimName;
    if (!name) continue;
    const claim = await api.get(targetOf('PersistentVolumeClaim', target.namespace, name));
    const modes: readonly string[] = claim?.spec?.accessModes ?? [];
    if (!modes.includes('ReadWriteMany') && !modes.includes('ReadOnlyMany')) {
      return `${nameOf(target)} has claim ${name}, which one node can have at a time, and starts the new pod before the old one ends`;
    }
  }
  return true;
}

export const RESTART_ACCESS = [
  { verbs: ['get', 'list', 'patch'], group: 'apps', resource: 'deployments' },
  { verbs: ['get', 'list', 'patch'], group: 'apps', resource: 'statefulsets' },
  { verbs: ['get', 'list', 'patch'], group: 'apps', resource: 'daemonsets' },
] as const;
