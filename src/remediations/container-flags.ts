import type { Draft, Guard, PlanInput, Step, Target } from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';
import { refuseCredentials } from './credentials.ts';
import { guard } from './guards.ts';
import { Refusal } from './refusal.ts';
import { changeStep, existing, rolledOut, startSeconds } from './steps.ts';
import { nameOf } from './targets.ts';
import { undoStepsOf } from './undo.ts';

/** The container of a workload that runs Thanos, with its place. Refuses where there are several, or none. */
export function thanosContainer(
  target: Target,
  object: RawObject,
): { readonly index: number; readonly args: readonly string[] } {
  const containers: readonly RawObject[] = object.spec?.template?.spec?.containers ?? [];
  const found = containers.flatMap((container, index) =>
    /(?:^|\/)thanos(?:[:@]|$)/.test(String(container.image ?? '')) && Array.isArray(container.args)
      ? [{ index, args: container.args }]
      : [],
  );
  if (found.length !== 1)
    throw new Refusal(
      'one-container',
      `${nameOf(target)} has ${found.length} containers that run Thanos with arguments`,
    );
  return found[0]!;
}

/** Writes another list of arguments, with a test of the whole old one, and waits for the pods. */
export async function argumentsDraft(
  input: PlanInput,
  target: Target,
  title: string,
  edit: (args: readonly string[]) => readonly string[],
  own: readonly Guard[],
): Promise<Draft> {
  const object = await existing(input.api, target);
  const { index, args } = thanosContainer(target, object);
  refuseCredentials(args, nameOf(target));
  const path = ['spec', 'template', 'spec', 'containers', index, 'args'];
  const change = changeStep(target, object, title, [[path, edit(args)]]);
  const wait = rolledOut(target, startSeconds(object));
  const steps: readonly Step[] = [change, wait];
  return {
    steps,
    guards: [
      ...own,
      await guard(
        'rolling-update',
        'its pods are replaced by its controller',
        () =>
          object.spec?.updateStrategy?.type !== 'OnDelete' ||
          `${nameOf(target)} replaces its pods only when they are deleted`,
      ),
    ],
    riskText: 'its pods are replaced one after another',
    verify: { what: `${input.finding.rule} is healthy`, seconds: 300 },
    undo: { what: 'writes the old arguments back', steps: [...undoStepsOf([change]), wait] },
    mends: true,
  };
}

export const ARGUMENTS_ACCESS = [
  { verbs: ['get', 'patch'], group: 'apps', resource: 'deployments' },
  { verbs: ['get', 'patch'], group: 'apps', resource: 'statefulsets' },
] as const;
