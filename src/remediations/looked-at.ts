import type { LookedAt } from '../model/remediation.ts';

/** What a comparison over the fleet left out, in words; '' where nothing is known to be left out. */
export function leftOut({ clusters, leftOut: missing, told, namespaces }: LookedAt): string {
  const parts = [
    missing.length > 0 ? `cluster ${missing.join(', ')} of the fleet file` : '',
    namespaces.length > 0 ? `namespaces other than ${namespaces.join(', ')}` : '',
    // Who names several clusters means them all; who names one may have thought of nothing else.
    !told && clusters.length < 2 ? `clusters other than ${clusters.join(', ')}` : '',
  ];
  return parts.filter(Boolean).join(', and ');
}

/** For a guard whose mistake would cost data: why what was looked at is not enough, or true. */
export function everywhere(lookedAt: LookedAt): true | string {
  const missing = leftOut(lookedAt);
  if (missing === '') return true;
  const howTo =
    lookedAt.leftOut.length > 0 || lookedAt.namespaces.length > 0
      ? 'leave --context and --namespace out'
      : 'name all clusters that share it with --context, or in a fleet file, which may also name one alone';
  return `not looked at: ${missing}; ${howTo}`;
}

/** For a guard that passes all the same: what it holds for, as the end of its text. */
export function asFarAsCompared(lookedAt: LookedAt): string {
  const missing = leftOut(lookedAt);
  return missing === '' ? '' : ` (not compared: ${missing})`;
}
