const KINDS: readonly (readonly [string, RegExp])[] = [
  ['disk-full', /no space left on device/],
  ['read-only', /read-only file system/],
  ['permission', /permission denied/],
  ['locked', /lock DB directory/],
  ['wal', /repair corrupted W[AB]L|segments are not sequential/],
  ['head-chunks', /unsequential head chunk files/],
  [
    'block',
    /corrupted block |read TOC|read symbols|read postings|invalid magic number|invalid checksum|invalid chunk format version|invalid index format|mmap, size 0|\/(?:chunks|index): no such file or directory/,
  ],
];

/**
 * What Prometheus said when it gave up, taken from the end of its log that the kubelet keeps as termination message
 * (`terminationMessagePolicy: FallbackToLogsOnError`). It is there where logs may not be read.
 */
export function fatalError(message: string): { readonly fatal: string; readonly fatalKind: string } {
  const storage = /opening storage failed: (?<why>[^\n]*)/.exec(message)?.groups?.why;
  if (storage !== undefined) {
    const fatal = storage.replace(/"\s*$/, '');
    return { fatal, fatalKind: KINDS.find(([, words]) => words.test(fatal))?.[0] ?? 'other' };
  }
  const config = /Error loading config[^\n]*err="?(?<why>[^\n]*?)"?(?:\n|$)/.exec(message)?.groups?.why;
  return config === undefined ? { fatal: '', fatalKind: '' } : { fatal: config, fatalKind: 'config' };
}
