/** A flag as it stands on a command line; a flag without a value has the value ''. */
export interface Flag {
  /** With its dashes: `--grpc-address`. */
  readonly flag: string;
  readonly value: string;
}

export interface CommandLine {
  /** Base name of the program, where the command names it: `thanos`, `prometheus`; '' where the image decides. */
  readonly program: string;
  /** First word after the program that is no flag: `sidecar`, `query`; '' if there is none. */
  readonly verb: string;
  readonly flags: readonly Flag[];
}

const SHELLS: ReadonlySet<string> = new Set(['sh', 'bash', 'ash', 'dash']);
const WRAPPERS: ReadonlySet<string> = new Set(['exec', 'tini', 'dumb-init', '--', '/tini', 'env']);

/**
 * What a container runs, taken apart. A shell's script (`sh -c 'exec thanos query …'`) is taken apart as words: it is
 * how a command line is often wrapped, and good enough to find flags in.
 */
export function commandLine(command: readonly string[], args: readonly string[]): CommandLine {
  const words = unwrapped([...command, ...args]);
  const first = words[0] ?? '';
  const named = first !== '' && !first.startsWith('-') && (command.length > 0 || first.includes('/'));
  const program = named ? baseName(first) : '';
  const rest = named ? words.slice(1) : words;
  const verb = rest[0] !== undefined && !rest[0].startsWith('-') ? rest[0] : '';
  return { program, verb, flags: flagsOf(verb === '' ? rest : rest.slice(1)) };
}

/** The last value of a flag, or `absent` where it is not given. */
export function flagValue(flags: readonly Flag[], name: string, absent = ''): string {
  return flags.findLast(flag => flag.flag === name)?.value ?? absent;
}

/** All values of a flag that may be repeated, each split at its commas if it is a list. */
export function flagValues(flags: readonly Flag[], name: string): readonly string[] {
  return flags.filter(flag => flag.flag === name && flag.value !== '').map(flag => flag.value);
}

/** A switch: given alone or as `true`; `--no-name` switches it off. The last one counts. */
export function switchedOn(flags: readonly Flag[], name: string, absent = false): boolean {
  const off = `--no-${name.slice(2)}`;
  const last = flags.findLast(flag => flag.flag === name || flag.flag === off);
  if (!last) return absent;
  return last.flag === name && last.value !== 'false';
}

function unwrapped(words: readonly string[]): readonly string[] {
  const script = words.findIndex((word, at) => word === '-c' && SHELLS.has(baseName(words[at - 1] ?? '')));
  if (script === -1) return words.filter((word, at) => at > 0 || !WRAPPERS.has(baseName(word)));
  const inner = wordsOf(words[script + 1] ?? '');
  const start = inner.findIndex(word => baseName(word) === 'thanos' || baseName(word) === 'prometheus');
  return start === -1 ? inner.filter(word => !WRAPPERS.has(word)) : inner.slice(start);
}

/** Words of a shell line: quotes are taken off, line continuations are white space. Nothing is expanded. */
function wordsOf(script: string): readonly string[] {
  const words: string[] = [];
  const pattern = /(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|\\\n|([^\s"'\\]|\\[^\n]))+/g;
  for (const match of script.matchAll(pattern)) {
    const word = match[0]
      .replace(/\\\n/g, '')
      .replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'/g, (_all, double?: string, single?: string) =>
        double === undefined ? (single ?? '') : double.replace(/\\(["\\$`])/g, '$1'),
      );
    if (word !== '') words.push(word);
  }
  return words;
}

function flagsOf(words: readonly string[]): readonly Flag[] {
  const flags: Flag[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (!word.startsWith('-') || word === '--') continue;
    const equals = word.indexOf('=');
    if (equals !== -1) {
      flags.push({ flag: dashed(word.slice(0, equals)), value: word.slice(equals + 1) });
      continue;
    }
    const next = words[at + 1];
    const takesNext = next !== undefined && !next.startsWith('-') && !SWITCHES.has(word);
    flags.push({ flag: dashed(word), value: takesNext ? next : '' });
    if (takesNext) at++;
  }
  return flags;
}

/** `-config.file` of old programs is `--config.file`; a single letter stays as it is. */
function dashed(flag: string): string {
  return flag.startsWith('--') || flag.length === 2 ? flag : `-${flag}`;
}

/** Switches of the programs of this stack after which the next word is no value. */
const SWITCHES: ReadonlySet<string> = new Set(['--wait', '--downsampling.disable', '--query.auto-downsampling', '-d']);

function baseName(word: string): string {
  return word.slice(word.lastIndexOf('/') + 1);
}
