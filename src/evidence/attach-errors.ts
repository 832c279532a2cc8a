/** What a CSI driver, its attacher or the kubelet write, and what it means in a word. The first that fits counts. */
const ATTACH: readonly (readonly [string, string])[] = [
  ['Multi-Attach error', 'multi-attach'],
  ['is not ready for workloads', 'not-ready'],
  ['does not contain driver', 'not-registered'],
  ['timed out waiting for external-attacher', 'nobody-answers'],
  ['not scheduled', 'no-replica'],
  ['failed to attach to node', 'no-engine'],
];

const MOUNT: readonly (readonly [string, string])[] = [
  ['not found in the list of registered CSI drivers', 'not-registered'],
  ['wrong fs type', 'filesystem-damaged'],
  ["can't read superblock", 'filesystem-damaged'],
  ['bad superblock', 'filesystem-damaged'],
  ['fsck', 'filesystem-damaged'],
  ['already mounted or mount point busy', 'busy'],
  ['no Pending workload pods for volume', 'stale-pod-cache'],
  ['input/output error', 'input-output-error'],
  ['permission denied', 'permission'],
];

/** `not-ready`, `no-engine`, `no-replica`, `node-unknown`, `volume-unknown`, `not-registered`, …; '' without a text. */
export function attachTrouble(text: string): string {
  if (text === '') return '';
  if (/\bnode \S+ not found/.test(text)) return 'node-unknown';
  if (/\bvolume \S+ not found/.test(text)) return 'volume-unknown';
  return ATTACH.find(([part]) => text.includes(part))?.[1] ?? 'other';
}

/** `filesystem-damaged`, `busy`, `not-registered`, …; '' without a text. */
export function mountTrouble(text: string): string {
  if (text === '') return '';
  return MOUNT.find(([part]) => text.includes(part))?.[1] ?? 'other';
}
