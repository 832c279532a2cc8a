import { RE2JS } from 're2js';
import { LineCounter, parseDocument } from 'yaml';
import { GapSignal } from '../../model/gap.ts';
import type { Signature } from '../../model/rule.ts';
import { seconds } from '../quantities.ts';
import { candidateLines } from './candidate-lines.ts';
import { LEVELS, levelOf, withoutApiTime } from './log-line.ts';
import { compileSignatures, gatesOf, type Search } from './signatures.ts';

/** A mistake in a signature, with its place. Lines and columns count from 1. */
export interface SignatureMistake {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** A file of signatures: its path as people know it, and its text. */
export interface SignatureText {
  readonly path: string;
  readonly text: string;
}

export interface LoadedSignatures {
  /** Those without a mistake, sorted by file, in the order in which they are written. */
  readonly signatures: readonly Signature[];
  readonly mistakes: readonly SignatureMistake[];
}

/** Components of `thanos.components`, those of Thanos with its name before them. */
export const LOG_COMPONENTS: readonly string[] = [
  'any',
  ...['sidecar', 'query', 'query-frontend', 'store', 'compact', 'rule', 'receive', 'tools'].map(
    component => `thanos-${component}`,
  ),
  'prometheus',
  'alertmanager',
  'grafana',
  'operator',
  'config-reloader',
  'coredns',
  'minio',
  'longhorn-manager',
  'longhorn-instance-manager',
  'csi',
  'cilium',
];

/** Shorter literals stand in too many lines to be looked for. */
const SHORTEST_GATE = 5;

type Path = readonly (string | number)[];
type Complain = (path: Path, message: string) => void;

/** Reads signature files. Every mistake is reported, not the first one only; the files themselves are read elsewhere. */
export function loadSignatures(texts: readonly SignatureText[]): LoadedSignatures {
  const files = [...texts].sort((one, other) => (one.path < other.path ? -1 : 1)).map(readSignatureFile);
  const mistakes = files.flatMap(file => file.mistakes);
  const written = files.flatMap(file => file.written);
  const firstOf = new Map<string, Signature>();
  for (const { signature, complain } of written) {
    const first = firstOf.get(signature.id);
    if (first) complain(['id'], `"${signature.id}" is also in ${first.file}`);
    else firstOf.set(signature.id, signature);
  }
  for (const { signature, complain } of written) {
    for (const [index, healer] of signature.healedBy.entries()) {
      if (isWord(healer) && !firstOf.has(healer)) {
        complain(['healedBy', index], `there is no signature "${healer}"; the other words are restart and quiet:3m`);
      }
    }
  }
  checkExamples(written);
  for (const file of written) mistakes.push(...file.complaints);
  return {
    signatures: written.filter(each => each.complaints.length === 0).map(each => each.signature),
    mistakes: mistakes.sort((one, other) =>
      one.file === other.file ? one.line - other.line : one.file < other.file ? -1 : 1,
    ),
  };
}

interface Written {
  readonly signature: Signature;
  readonly complaints: SignatureMistake[];
  readonly complain: Complain;
}

function readSignatureFile(file: SignatureText): {
  readonly written: readonly Written[];
  readonly mistakes: readonly SignatureMistake[];
} {
  const lines = new LineCounter();
  const document = parseDocument(file.text, { lineCounter: lines, prettyErrors: false });
  const mistake = (offset: number, message: string): SignatureMistake => {
    const { line, col } = lines.linePos(offset);
    return { file: file.path, line: Math.max(1, line), column: Math.max(1, col), message };
  };
  const locate = (path: Path): number => {
    for (let length = path.length; length > 0; length -= 1) {
      const found = document.getIn(path.slice(0, length), true) as { range?: readonly number[] } | undefined;
      if (found?.range) return found.range[0]!;
    }
    return document.contents?.range?.[0] ?? 0;
  };
  const problems = [...document.errors, ...document.warnings];
  if (problems.length > 0) {
    return { written: [], mistakes: problems.map(({ pos, message }) => mistake(pos[0], message)) };
  }
  const list: unknown = document.toJS({ maxAliasCount: 0 });
  if (!Array.isArray(list)) return { written: [], mistakes: [mistake(0, 'a signature file holds a list')] };
  const mistakes: SignatureMistake[] = [];
  const written: Written[] = [];
  for (const [index, raw] of list.entries()) {
    const complaints: SignatureMistake[] = [];
    const complain: Complain = (path, message) => complaints.push(mistake(locate([index, ...path]), message));
    const signature = toSignature(raw, file.path, complain);
    if (complaints.length > 0) mistakes.push(...complaints);
    else written.push({ signature, complaints, complain });
  }
  return { written, mistakes };
}

const KEYS = [
  'id',
  'means',
  'components',
  'level',
  'marker',
  'atLeast',
  'match',
  'healedBy',
  'captures',
  'rules',
  'examples',
];

function toSignature(raw: unknown, file: string, complain: Complain): Signature {
  const fields = record([], raw, KEYS, complain);
  const match = record(['match'], fields.match, ['all', 'any', 'not', 'regex'], complain);
  const examples = record(['examples'], fields.examples, ['problem', 'benign'], complain);
  const strings = (path: Path, value: unknown) => stringList(path, value, complain);
  const signature: Signature = {
    id: text(['id'], fields.id, complain),
    file,
    means: text(['means'], fields.means, complain).trim(),
    components: strings(['components'], fields.components),
    level: (fields.level ?? '') as Signature['level'],
    marker: (fields.marker ?? false) as boolean,
    atLeast: (fields.atLeast ?? 1) as number,
    match: {
      all: strings(['match', 'all'], match.all),
      any: strings(['match', 'any'], match.any),
      not: strings(['match', 'not'], match.not),
      regex: match.regex === undefined ? '' : text(['match', 'regex'], match.regex, complain),
    },
    healedBy: strings(['healedBy'], fields.healedBy),
    captures: captures(fields.captures, complain),
    rules: strings(['rules'], fields.rules),
    examples: {
      problem: strings(['examples', 'problem'], examples.problem),
      benign: strings(['examples', 'benign'], examples.benign),
    },
  };
  check(signature, complain);
  return signature;
}

type Fields = Readonly<Record<string, unknown>>;

function record(path: Path, value: unknown, keys: readonly string[], complain: Complain): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    complain(path, path.length === 0 ? 'a signature is a map' : `"${path.at(-1)}" is missing or is no map`);
    return {};
  }
  for (const key of Object.keys(value)) {
    if (!keys.includes(key)) complain([...path, key], `there is no key "${key}"; the keys are ${keys.join(', ')}`);
  }
  return value as Fields;
}

function text(path: Path, value: unknown, complain: Complain): string {
  if (typeof value === 'string' && value !== '') return value;
  complain(path, `"${path.at(-1)}" is missing or is no text`);
  return '';
}

function stringList(path: Path, value: unknown, complain: Complain): readonly string[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every(each => typeof each === 'string' && each !== '')) return value;
  complain(path, `"${path.at(-1)}" has to be a list of texts that are not empty`);
  return [];
}

function captures(value: unknown, complain: Complain): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    complain(['captures'], '"captures" has to be a map of name to regular expression');
    return {};
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, source]) => [name, text(['captures', name], source, complain)]),
  );
}

function check(signature: Signature, complain: Complain): void {
  const { id, means, components, level, marker, atLeast, healedBy } = signature;
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id)) complain(['id'], `id "${id}" is not in kebab-case`);
  if (!means.endsWith('.')) complain(['means'], '"means" is a sentence and ends in a full stop');
  if (components.length === 0) complain(['components'], '"components" names whose logs are searched, or any');
  for (const [index, component] of components.entries()) {
    if (!LOG_COMPONENTS.includes(component)) {
      complain(['components', index], `there is no component "${component}"; they are ${LOG_COMPONENTS.join(', ')}`);
    }
  }
  if (level !== '' && !LEVELS.includes(level)) complain(['level'], `"level" has to be one of ${LEVELS.join(', ')}`);
  if (typeof marker !== 'boolean') complain(['marker'], '"marker" has to be true or false');
  if (!Number.isInteger(atLeast) || atLeast < 1) complain(['atLeast'], '"atLeast" has to be a whole number from 1');
  if (!marker && healedBy.length === 0) complain(['healedBy'], '"healedBy" has to say when such a line is history');
  for (const [index, healer] of healedBy.entries()) checkHealer(healer, signature, ['healedBy', index], complain);
  if (signature.examples.problem.length === 0)
    complain(['examples', 'problem'], 'there is no example of a line that matches');
  checkMatch(signature, complain);
  checkCaptures(signature, complain);
}

function isWord(healer: string): boolean {
  return healer !== 'restart' && !healer.startsWith('quiet:');
}

function checkHealer(healer: string, signature: Signature, path: Path, complain: Complain): void {
  if (isWord(healer) || healer === 'restart') return;
  const [duration, component] = healer.slice('quiet:'.length).split('@') as [string, string | undefined];
  if (!isDuration(duration)) complain(path, `"${healer}" has no duration: write it as quiet:3m`);
  if (component !== undefined && !signature.components.some(name => name === component || name === 'any')) {
    complain(path, `"${component}" is none of the components of this signature`);
  }
}

function isDuration(text: string): boolean {
  try {
    return seconds(text) > 0;
  } catch (error) {
    if (error instanceof GapSignal) return false;
    throw error;
  }
}

function checkMatch({ match }: Signature, complain: Complain): void {
  if (match.all.length === 0 && match.any.length === 0) {
    complain(
      ['match'],
      '"match" needs a literal in "all" or "any": a regular expression alone is too slow to look for',
    );
  }
  for (const gate of gatesOf({ match })) {
    if (gate.length < SHORTEST_GATE) {
      complain(['match'], `"${gate}" is too short to look for: at least ${SHORTEST_GATE} characters`);
    }
  }
  for (const list of ['all', 'any', 'not'] as const) {
    for (const [index, literal] of match[list].entries()) {
      if (literal.includes('"')) {
        complain(['match', list, index], 'a literal holds no quote: inside of a quoted value it is written \\"');
      }
    }
  }
  if (match.regex !== '') checkExpression(match.regex, ['match', 'regex'], complain);
}

function checkCaptures(signature: Signature, complain: Complain): void {
  for (const [name, source] of Object.entries(signature.captures)) {
    const path = ['captures', name];
    const expression = checkExpression(source, path, complain);
    if (expression && !(name in expression.namedGroups())) complain(path, `the expression has no group (?<${name}>…)`);
  }
}

function checkExpression(source: string, path: Path, complain: Complain): RE2JS | undefined {
  if (source.includes('(?P<')) {
    complain(path, 'write a named group as (?<name>…)');
    return undefined;
  }
  try {
    return RE2JS.compile(source);
  } catch (error) {
    complain(path, `${(error as Error).message}: RE2 has no look-around and no back-references`);
    return undefined;
  }
}

/** Examples are looked for as lines of a log are: the literals that open a line to reading are tested with them. */
function checkExamples(written: readonly Written[]): void {
  const search = compileSignatures(written.map(({ signature }) => signature)).search('');
  for (const { signature, complain } of written) {
    for (const [index, line] of signature.examples.problem.entries()) {
      if (!matchesIn(search, line).includes(signature))
        complain(['examples', 'problem', index], 'this line does not match');
    }
    for (const [index, line] of signature.examples.benign.entries()) {
      if (matchesIn(search, line).includes(signature)) complain(['examples', 'benign', index], 'this line matches');
    }
  }
}

/** The signatures of a single line, whatever `atLeast` says. */
export function matchesIn(search: Search, line: string): readonly Signature[] {
  const found: Signature[] = [];
  const { text } = withoutApiTime(line);
  const lines = candidateLines(search.automaton, (_bytes, _number, states) => {
    found.push(...search.matching(text, levelOf(text), states));
  });
  lines.write(Buffer.from(line));
  lines.end();
  return found;
}
