import type { ApiReader, Change, Json, Step, Target } from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';
import { valueAt } from './changes.ts';
import { Refusal } from './refusal.ts';
import { nameOf } from './targets.ts';

type Path = readonly (string | number)[];

/** One field of an object, and what it is to be; undefined takes it away. */
export type Wanted = readonly [path: Path, after: Json | undefined];

/** The object, or a refusal. Throws a `GapSignal` where that cannot be told. */
export async function existing(api: ApiReader, target: Target): Promise<RawObject> {
  const object = await api.get(target);
  if (!object) throw new Refusal('object-there', `${nameOf(target)} does not exist`);
  return object;
}

/** A step that sets fields of an object. Refuses where nothing would change. */
export function changeStep(target: Target, object: RawObject, title: string, wanted: readonly Wanted[]): Step {
  const changes = wanted.map(([path, after]): Change => {
    const before = valueAt(object, path);
    return { path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
  });
  const real = changes.filter(({ before, after }) => JSON.stringify(before) !== JSON.stringify(after));
  if (real.length === 0) throw new Refusal('something-to-change', `${nameOf(target)} is so already`);
  return { do: 'change', title, target, uid: object.metadata.uid, changes: real };
}

/** Replaces the pods of a workload, and waits until all are ready. */
export function restartSteps(target: Target, object: RawObject, seconds: number): readonly Step[] {
  return [
    {
      do: 'restart',
      title: `restart ${nameOf(target)}, as \`kubectl rollout restart\` does`,
      target,
      uid: object.metadata.uid,
    },
    rolledOut(target, seconds),
  ];
}

export function rolledOut(target: Target, seconds: number): Step {
  return {
    do: 'wait',
    title: `all pods of ${nameOf(target)} are new and ready`,
    target,
    until: { is: 'rolled-out' },
    seconds,
  };
}

/** How long the pods of a workload may take: a Prometheus replays its log first. */
export function startSeconds(object: RawObject): number {
  const replicas = Math.max(1, object.spec?.replicas ?? 1);
  const isPrometheus = (object.spec?.template?.spec?.containers ?? []).some((container: RawObject) =>
    /(?:^|\/)prometheus(?:[:@]|$)/.test(String(container.image ?? '')),
  );
  return (isPrometheus ? 900 : 300) * replicas;
}
