import { Ajv, type ErrorObject } from 'ajv';
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import type { EvidenceUse, Expression, Rule, Template, Threshold } from '../model/rule.ts';
import { parseThreshold } from './thresholds.ts';
import { suggest } from './type-check.ts';

/** A mistake in a rule, with its place. Lines and columns count from 1. */
export interface RuleMistake {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** A file of rules, signatures or groups: its path as people know it, and its text. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** A rule as it was written: groups of causes are not resolved yet. */
export interface WrittenRule extends Omit<Rule, 'causedBy'> {
  readonly causedBy: readonly WrittenCause[];
  locate(...path: readonly (string | number)[]): { readonly line: number; readonly column: number };
}

export interface WrittenCause {
  readonly rule: string;
  readonly group: string;
  readonly except: readonly string[];
  readonly shares: readonly string[];
  readonly when?: Expression;
}

type Path = readonly (string | number)[];

const PLAIN_WORDS: ReadonlySet<string | number> = new Set([
  'title',
  'severity',
  'symptom',
  'message',
  'guide',
  'atRisk',
]);

/** Reads one rule file. Every mistake is reported, not the first one only. */
export function readRuleFile(file: TextFile, schema: object): { rule?: WrittenRule; mistakes: readonly RuleMistake[] } {
  const document = openYaml(file);
  if (document.mistakes.length > 0) return { mistakes: document.mistakes };
  const problems = schemaMistakes(schema, document);
  // What is wrong with words alone keeps nothing else from being checked.
  const isOfWords = (key: string | number = '') => PLAIN_WORDS.has(key) && typeof document.value[key] === 'string';
  if (!problems.every(({ path: [key] }) => isOfWords(key))) return { mistakes: problems };
  const mistakes: RuleMistake[] = [...problems];
  const rule = toRule(document, file.path, (path, message) =>
    mistakes.push({ file: file.path, ...document.locate(path), message }),
  );
  const name = file.path
    .split('/')
    .at(-1)!
    .replace(/\.ya?ml$/, '');
  if (rule.id !== name) {
    mistakes.push({
      file: file.path,
      ...document.locate(['id']),
      message: `id "${rule.id}" is not the file's name "${name}"`,
    });
  }
  return { rule, mistakes };
}

export interface OpenDocument {
  readonly path: string;
  // biome-ignore lint/suspicious/noExplicitAny: checked against the schema before it is used
  readonly value: any;
  readonly mistakes: readonly RuleMistake[];
  locate(path: Path): { readonly line: number; readonly column: number };
  /** Where a key itself stands in the map at `path`. */
  locateKey(path: Path, key: string): { readonly line: number; readonly column: number };
  /** The comment above a key of the document, as one paragraph; '' if there is none. */
  commentAbove(key: string): string;
}

/** Parses YAML strictly: a warning (such as an expression that reads as a tag) is a mistake. */
export function openYaml(file: TextFile): OpenDocument {
  const lines = new LineCounter();
  const document = parseDocument(file.text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const mistakes = [...document.errors, ...document.warnings].map(problem => ({
    file: file.path,
    ...place(problem.pos[0]),
    message:
      problem.code === 'TAG_RESOLVE_FAILED'
        ? `${problem.message}; an expression that starts with "!" is written after ">"`
        : problem.message,
  }));
  let value: unknown;
  try {
    value = mistakes.length > 0 ? undefined : document.toJS({ maxAliasCount: 50 });
  } catch (error) {
    mistakes.push({ file: file.path, line: 1, column: 1, message: (error as Error).message });
  }
  const nodeAt = (path: Path): unknown => (path.length === 0 ? document.contents : document.getIn(path, true));
  const startOf = (node: unknown): number | undefined =>
    (node as { range?: readonly number[] } | null | undefined)?.range?.[0];
  const keyIn = (map: unknown, key: string): unknown =>
    isMap(map) ? map.items.find(pair => isScalar(pair.key) && pair.key.value === key)?.key : undefined;
  const locate = (path: Path) => {
    for (let length = path.length; length >= 0; length -= 1) {
      const start = startOf(nodeAt(path.slice(0, length)));
      if (start !== undefined) return place(start);
    }
    return { line: 1, column: 1 };
  };
  return {
    path: file.path,
    value,
    mistakes,
    locate,
    locateKey(path, key) {
      const start = startOf(keyIn(nodeAt(path), key));
      return start === undefined ? locate(path) : place(start);
    },
    commentAbove(key) {
      const found = keyIn(document.contents, key);
      return isScalar(found) ? (found.commentBefore ?? '').replace(/\s+/g, ' ').trim() : '';
    },
  };
}

const validators = new WeakMap<object, ReturnType<Ajv['compile']>>();

/** What the schema has against a document, in words. */
export function schemaMistakes(
  schema: object,
  document: OpenDocument,
): readonly (RuleMistake & { readonly path: Path })[] {
  let validate = validators.get(schema);
  if (!validate) {
    validate = new Ajv({ allErrors: true, strict: false, verbose: true }).compile(schema);
    validators.set(schema, validate);
  }
  if (validate(document.value)) return [];
  const errors = (validate.errors ?? []).filter(error => !['oneOf', 'if'].includes(error.keyword));
  const used = errors.length > 0 ? errors : (validate.errors ?? []);
  return used.map(error => {
    const path = error.instancePath.split('/').slice(1).map(unescapePointer);
    const place =
      error.keyword === 'additionalProperties'
        ? document.locateKey(path, String(error.params.additionalProperty))
        : document.locate(path);
    return { file: document.path, ...place, message: schemaMessage(error, path), path };
  });
}

function unescapePointer(part: string): string | number {
  const text = part.replaceAll('~1', '/').replaceAll('~0', '~');
  return /^[0-9]+$/.test(text) ? Number(text) : text;
}

function schemaMessage(error: ErrorObject, path: Path): string {
  const where = path.length === 0 ? '' : `${path.join('.')}: `;
  const { params } = error;
  switch (error.keyword) {
    case 'additionalProperties': {
      const known = Object.keys((error.parentSchema as { properties?: object } | undefined)?.properties ?? {});
      const unknown = String(params.additionalProperty);
      return `${where}there is no key "${unknown}"${suggest(unknown, known)}`;
    }
    case 'required':
      return `${where}"${params.missingProperty}" is missing`;
    case 'enum':
      return `${where}must be one of ${(params.allowedValues as readonly string[]).join(', ')}`;
    case 'type':
      return `${where}must be ${[params.type].flat().map(withArticle).join(' or ')}`;
    case 'minLength':
      return `${where}${params.limit === 1 ? 'is empty' : `has fewer than ${params.limit} characters`}`;
    case 'pattern':
      return `${where}${PATTERNS[String(params.pattern)] ?? error.message}`;
    default:
      return `${where}${error.message ?? 'is not allowed'}`;
  }
}

function withArticle(noun: string): string {
  return `${/^[aeio]/.test(noun) ? 'an' : 'a'} ${noun}`;
}

/** What the patterns of the schemas mean. */
const PATTERNS: Readonly<Record<string, string>> = {
  '[.]$': 'must end with a full stop',
  '[^.]$': 'must not end with a full stop',
  '^[a-z0-9]+(-[a-z0-9]+)*$': 'must be lower-case words joined by "-"',
  '^https?://': 'must begin with http:// or https://',
  '^([0-9]+(ms|s|m|h|d|w|y))+$': 'must be a duration such as 90m or 7d',
};

type Complain = (path: Path, message: string) => void;

// biome-ignore lint/suspicious/noExplicitAny: the value has passed the schema
type Checked = any;

function toRule(document: OpenDocument, file: string, complain: Complain): WrittenRule {
  const value: Checked = document.value;
  const expression = (path: Path, text: string): Expression => ({ text, file, ...document.locate(path) });
  const template = (path: Path, text: string): Template => toTemplate(path, String(text ?? ''), document, complain);
  const expressions = (name: string) =>
    Object.entries((value[name] ?? {}) as Readonly<Record<string, string>>).map(([key, text]) => ({
      key,
      value: expression([name, key], text),
    }));
  const evidence: Record<string, EvidenceUse> = {};
  for (const [name, use] of Object.entries(value.evidence as Readonly<Record<string, Checked>>)) {
    const params: Record<string, Template> = {};
    for (const [key, text] of Object.entries((use.with ?? {}) as Readonly<Record<string, string>>)) {
      params[key] = template(['evidence', name, 'with', key], text);
    }
    evidence[name] = { from: typeof use === 'string' ? use : use.from, with: params };
  }
  const [, variable, over] = /^([a-zA-Z][a-zA-Z0-9]*) in ([\s\S]*)$/.exec(value.forEach ?? '') ?? [];
  const automatics = automaticsIn(value.fix.automatic);
  const parts = file.split('/');
  return {
    id: value.id,
    file,
    folder: parts.at(-2) ?? '',
    title: value.title,
    severity: value.severity,
    scope: value.scope ?? 'cluster',
    tags: value.tags ?? [],
    guide: value.guide ?? '',
    symptom: value.symptom.trim(),
    thresholds: thresholdsOf(value.thresholds ?? {}, complain),
    evidence,
    ...(variable && over ? { forEach: { name: variable, over: expression(['forEach'], over) } } : {}),
    let: expressions('let').map(({ key, value: bound }) => ({ name: key, value: bound })),
    ...(value.where ? { where: expression(['where'], value.where) } : {}),
    why: document.commentAbove('problemWhen'),
    problemWhen: expression(['problemWhen'], value.problemWhen),
    subject: {
      kind: template(['subject', 'kind'], value.subject.kind),
      namespace: template(['subject', 'namespace'], value.subject.namespace),
      name: template(['subject', 'name'], value.subject.name),
    },
    ...(value.since ? { since: expression(['since'], value.since) } : {}),
    message: template(['message'], value.message),
    show: expressions('show').map(({ key, value: shown }) => ({ label: key, value: shown })),
    ...(value.quote ? { quote: expression(['quote'], value.quote) } : {}),
    involves: ((value.involves ?? []) as readonly string[]).map((text, index) => expression(['involves', index], text)),
    causedBy: ((value.causedBy ?? []) as readonly Checked[]).map((cause, index) => ({
      rule: cause.rule ?? '',
      group: cause.group ?? '',
      except: cause.except ?? [],
      shares: cause.shares,
      ...(cause.when ? { when: expression(['causedBy', index, 'when'], cause.when) } : {}),
    })),
    ...(value.atRisk ? { atRisk: template(['atRisk'], value.atRisk) } : {}),
    fix: {
      byHand: template(['fix', 'byHand'], value.fix.byHand),
      automatic: automatics.map(({ at, written }) => ({
        action: written.action,
        with: Object.fromEntries(
          Object.entries(written.with as Readonly<Record<string, string>>).map(([key, text]) => [
            key,
            template([...at, 'with', key], text),
          ]),
        ),
        onlyIf: Object.entries((written.onlyIf ?? {}) as Readonly<Record<string, string>>).map(([label, text]) => ({
          label,
          value: expression([...at, 'onlyIf', label], text),
        })),
        risk: written.risk ?? '',
      })),
    },
    locate: (...path) => document.locate(path),
  };
}

function thresholdsOf(written: Readonly<Record<string, string | number>>, complain: Complain): readonly Threshold[] {
  return Object.entries(written).flatMap(([name, text]) => {
    const measure = parseThreshold(text);
    if (!measure) complain(['thresholds', name], `"${text}" is no threshold: write 10min, 80%, 1GiB or a number`);
    return measure ? [{ name, ...measure }] : [];
  });
}

/** One action, or several to choose from, with their places. */
function automaticsIn(automatic: Checked): readonly { readonly at: Path; readonly written: Checked }[] {
  const at = ['fix', 'automatic'];
  if (automatic === undefined) return [];
  if (!Array.isArray(automatic)) return [{ at, written: automatic }];
  return automatic.map((written, index) => ({ at: [...at, index], written }));
}

/** Splits prose at `${…}`; braces and quotes inside an expression are respected. */
function toTemplate(path: Path, text: string, document: OpenDocument, complain: Complain): Template {
  const at = document.locate(path);
  const parts: (string | Expression)[] = [];
  let rest = text;
  for (let start = rest.indexOf('${'); start !== -1; start = rest.indexOf('${')) {
    if (start > 0) parts.push(rest.slice(0, start));
    const end = closingBrace(rest, start + 2);
    if (end === -1) {
      complain(path, '"${" is not closed by "}"');
      return { parts: [text], file: document.path, line: at.line };
    }
    parts.push({ text: rest.slice(start + 2, end), file: document.path, ...at });
    rest = rest.slice(end + 1);
  }
  if (rest !== '') parts.push(rest);
  return { parts, file: document.path, line: at.line };
}

function closingBrace(text: string, from: number): number {
  let depth = 0;
  let quote = '';
  for (let index = from; index < text.length; index += 1) {
    const letter = text[index]!;
    if (quote) {
      if (letter === '\\') index += 1;
      else if (letter === quote) quote = '';
    } else if (letter === '"' || letter === "'") quote = letter;
    else if (letter === '{') depth += 1;
    else if (letter === '}') {
      if (depth === 0) return index;
      depth -= 1;
    }
  }
  return -1;
}
