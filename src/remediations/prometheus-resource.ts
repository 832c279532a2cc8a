import type { Draft, Guard, PlanInput, Target } from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';
import { Refusal } from './refusal.ts';
import { changeStep, existing, type Wanted } from './steps.ts';
import { nameOf, targetOfKey } from './targets.ts';
import { undoStepsOf } from './undo.ts';

/** The Prometheus resource that a finding names. A plain workload refuses: it has no resource to be changed through. */
export async function prometheusResource(
  input: PlanInput,
): Promise<{ readonly target: Target; readonly object: RawObject }> {
  const target = targetOfKey(input.parameters.prometheus);
  if (target.kind !== 'Prometheus')
    throw new Refusal('operator-owned', `${nameOf(target)} is not made by the Prometheus Operator`);
  return { target, object: await existing(input.api, target) };
}

/** One change of a Prometheus resource, from which the operator makes the rest. */
export function resourceDraft(
  { target, object }: { readonly target: Target; readonly object: RawObject },
  title: string,
  wanted: readonly Wanted[],
  rest: {
    readonly guards: readonly Guard[];
    readonly riskText: string;
    readonly verify: Draft['verify'];
    readonly mends?: boolean;
    readonly typed?: string;
    readonly undo?: string;
  },
): Draft {
  const steps = [changeStep(target, object, title, wanted)];
  const { guards, riskText, verify, mends, typed, undo } = rest;
  return {
    steps,
    guards,
    riskText,
    verify,
    undo: { what: undo ?? 'writes the old values back', steps: undoStepsOf(steps) },
    ...(mends ? { mends } : {}),
    ...(typed ? { typed } : {}),
  };
}

export const PROMETHEUS_ACCESS = [
  { verbs: ['get', 'patch'], group: 'monitoring.coreos.com', resource: 'prometheuses' },
] as const;
