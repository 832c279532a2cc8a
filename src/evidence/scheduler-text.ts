/** One reason of the scheduler, and for how many nodes it holds. */
export interface SchedulerReason {
  readonly nodes: number;
  readonly id: string;
  readonly text: string;
  /** The resource that is short, with id insufficient-*. */
  readonly resource: string;
  /** The taint as older schedulers write it; key '' where the text names none. */
  readonly taint: { readonly key: string; readonly value: string };
}

export interface SchedulerText {
  /** Number of nodes that were looked at; 0 where the text does not say. */
  readonly nodes: number;
  readonly reasons: readonly SchedulerReason[];
  /** `fits-empty`: it would fit once others are gone · `never`: no node is large enough · '' not said. */
  readonly preemption: 'fits-empty' | 'never' | '';
}

/** The first that matches counts. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^Insufficient cpu\b/, 'insufficient-cpu'],
  [/^Insufficient memory\b/, 'insufficient-memory'],
  [/^Insufficient ephemeral-storage\b/, 'insufficient-storage'],
  [/^Insufficient /, 'insufficient-other'],
  [/^Too many pods/, 'too-many-pods'],
  [/untolerated taint/, 'taint'],
  [/were unschedulable/, 'cordoned'],
  [/didn't match Pod's node affinity/, 'affinity'],
  [/pod affinity rules|anti-affinity rules/, 'affinity'],
  [/topology spread constraints/, 'spread'],
  [/free ports for the requested pod ports/, 'host-port'],
  [/exceed max volume count/, 'volume-limit'],
  [/unbound immediate PersistentVolumeClaims/, 'unbound-claim'],
  [/didn't find available persistent volumes to bind|not have enough free storage/, 'unbound-claim'],
  [/waiting for ephemeral volume controller/, 'unbound-claim'],
  [/persistentvolumeclaim "[^"]*" not found/, 'missing-claim'],
  [/persistentvolumeclaim "[^"]*" is being deleted/, 'terminating-claim'],
  [/bound to non-existent/, 'lost-volume'],
  [/PersistentVolume's node affinity|volume node affinity conflict/, 'volume-affinity'],
];

/**
 * Takes the scheduler's message apart: `0/3 nodes are available: 1 Insufficient memory, 2 node(s) …. preemption: …`.
 * Since 1.34 `no new claims to deallocate,` and a stray ` not found` may stand at its end; neither means anything.
 */
export function parseSchedulerText(message: string): SchedulerText {
  const head = /^0\/(\d+) nodes are available: /.exec(message);
  const nodes = Number(head?.[1] ?? 0);
  const preemption = message.includes('No preemption victims found')
    ? 'fits-empty'
    : message.includes('Preemption is not helpful')
      ? 'never'
      : '';
  const reasons = message
    .slice(head?.[0].length ?? 0)
    .replace(/\.?\s+(?:no new claims to deallocate,?\s*)?(?:preemption:.*)?$/s, '')
    .replace(/\.\s+not found\.?$/, '')
    .replace(/\.$/, '')
    .split(/, (?=\d+ )/)
    .filter(text => text !== '')
    .map(text => reasonOf(text, nodes));
  return { nodes, reasons, preemption };
}

function reasonOf(part: string, nodes: number): SchedulerReason {
  const counted = /^(\d+) (.*)$/s.exec(part);
  const text = counted?.[2] ?? part;
  const taint = /untolerated taint \{([^:}]+)(?:: ?([^}]*))?\}/.exec(text);
  return {
    nodes: counted ? Number(counted[1]) : nodes,
    id: REASONS.find(([pattern]) => pattern.test(text))?.[1] ?? 'other',
    text,
    resource: /^Insufficient (\S+)/.exec(text)?.[1] ?? '',
    taint: { key: taint?.[1] ?? '', value: taint?.[2] ?? '' },
  };
}
