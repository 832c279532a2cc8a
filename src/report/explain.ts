import type { Access } from '../model/evidence.ts';
import type { FormatOptions, Report } from '../model/report.ts';
import type { Rule } from '../model/rule.ts';
import { clean, oneLine, toAscii } from './clean.ts';
import { instructions } from './commands.ts';
import { beside, finished, unbroken, widthOf } from './page.ts';
import { templateText } from './placeholders.ts';
import { painted, type Symbols, symbolsFor } from './symbols.ts';
import { displayWidth, pad, wrap } from './wrap.ts';

/** A rule that may explain another, and what may explain it. */
export interface PossibleCause {
  readonly rule: string;
  readonly title: string;
  readonly causes: readonly PossibleCause[];
}

/** A rule, and what others know of it. */
export interface Explanation {
  /** As the fleet file tunes it. */
  readonly rule: Rule;
  /** What the fleet file sets otherwise of it. */
  readonly tuned: NonNullable<Report['tuned']>;
  /** Why the obvious condition would be wrong; '' where nobody wrote it down. */
  readonly why: string;
  /** What it reads, with one sentence each. */
  readonly evidence: readonly { readonly id: string; readonly about: string }[];
  readonly causes: readonly PossibleCause[];
  readonly access: readonly Access[];
  /** Address of the guide's section; '' if none. */
  readonly guide: string;
}

const LABEL = 16;
const CAUSES = 12;

/** What a rule looks for and on what evidence, what may be behind it, what to do, and which access it needs. */
export function explain(explanation: Explanation, options: FormatOptions): string {
  const { rule, tuned, why, evidence, causes, access, guide } = explanation;
  const symbols = symbolsFor(options.unicode);
  const room = widthOf(options) - LABEL;
  const paragraph = (text: string) => wrap(oneLine(text), room);
  const parts: readonly (readonly [string, readonly string[]])[] = [
    ['Looks for', paragraph(rule.symptom)],
    ['On evidence', evidenceLines(evidence, room)],
    ['Not obvious', paragraph(why)],
    ['Thresholds', thresholdLines(rule, tuned, room)],
    ['Severity', severityLines(tuned, room)],
    ['Possible causes', causeLines(causes, options.all ? Infinity : CAUSES, symbols, room)],
    ['At risk', rule.atRisk ? paragraph(templateText(rule.atRisk, rule)) : []],
    ['What to do', whatToDoLines(rule, room)],
    ['Needs', wrap(accessTexts(access).map(unbroken).join(', '), room)],
    ['Guide', guide === '' ? [] : [guide]],
  ];
  const lines = [
    ...titleLines(rule, options),
    '',
    ...parts.filter(([, body]) => body.length > 0).flatMap(([label, body]) => beside(label, LABEL, body)),
  ];
  const whole = `${lines.map(line => finished(clean(line))).join('\n')}\n`;
  return options.unicode ? colored(whole, rule, options) : colored(toAscii(whole), rule, options);
}

function titleLines(rule: Rule, options: FormatOptions): readonly string[] {
  const label = rule.severity.toUpperCase();
  const column = displayWidth(label) + 2;
  const tags = rule.tags.length === 0 ? '' : `  (${rule.tags.join(', ')})`;
  return beside(label, column, [
    ...wrap(oneLine(rule.title), widthOf(options) - column),
    `${rule.id}, in ${rule.file}${tags}`,
  ]);
}

/** Painted last: a colour is no text, and what comes from a rule is cleaned. */
function colored(whole: string, { severity }: Rule, { color }: FormatOptions): string {
  const word = severity.toUpperCase();
  return `${painted(word, severity, color)}${whole.slice(word.length)}`;
}

function evidenceLines(evidence: Explanation['evidence'], room: number): readonly string[] {
  const column = Math.min(34, Math.max(0, ...evidence.map(({ id }) => id.length))) + 2;
  return evidence.flatMap(({ id, about }) => {
    const lines = wrap(oneLine(about), Math.max(20, room - column));
    return lines.length === 0 ? [id] : lines.map((line, at) => `${pad(at === 0 ? id : '', column)}${line}`);
  });
}

/** With what the rule itself says where a fleet file says otherwise, else the place where one would. */
function thresholdLines({ id, thresholds }: Rule, tuned: Explanation['tuned'], room: number): readonly string[] {
  if (thresholds.length === 0) return [];
  const texts = thresholds.map(({ name, text }) => {
    const change = tuned.find(({ what }) => what === name);
    return unbroken(change ? `${name} ${text} (by the fleet file; the rule says ${change.from})` : `${name} ${text}`);
  });
  return wrap(`${texts.join(', ')} (in a fleet file: ${unbroken(`tuning.thresholds.${id}`)})`, room);
}

function severityLines(tuned: Explanation['tuned'], room: number): readonly string[] {
  const change = tuned.find(({ what }) => what === 'severity');
  return change ? wrap(`${change.to}, by the fleet file; the rule says ${change.from}`, room) : [];
}

/** The tree as far as there is room: every nearest cause before any cause of a cause, and each cause once. */
function causeLines(causes: readonly PossibleCause[], rows: number, symbols: Symbols, room: number): readonly string[] {
  const seen = new Set<string>();
  const below = new Map<PossibleCause | undefined, PossibleCause[]>();
  const queue: (readonly [PossibleCause | undefined, PossibleCause])[] = causes.map(cause => [undefined, cause]);
  for (let at = 0; at < queue.length; at += 1) {
    const [parent, cause] = queue[at]!;
    if (seen.has(cause.rule)) continue;
    seen.add(cause.rule);
    if (seen.size <= rows) below.set(parent, [...(below.get(parent) ?? []), cause]);
    for (const next of cause.causes) queue.push([cause, next]);
  }
  const lines = branchLines(undefined, below, '', symbols, room);
  return seen.size > rows ? [...lines, `and ${seen.size - rows} more behind these (-v)`] : lines;
}

function branchLines(
  parent: PossibleCause | undefined,
  below: ReadonlyMap<PossibleCause | undefined, readonly PossibleCause[]>,
  stem: string,
  symbols: Symbols,
  room: number,
): readonly string[] {
  const causes = below.get(parent) ?? [];
  return causes.flatMap((cause, at) => {
    const isLast = at === causes.length - 1;
    const head = `${stem}${isLast ? symbols.lastBranch : symbols.branch}${cause.rule}`;
    const title = oneLine(cause.title);
    const fits = displayWidth(head) + 2 + displayWidth(title) <= room;
    const inner = `${stem}${isLast ? '   ' : symbols.stem}`;
    return [fits ? `${head}  ${title}` : head, ...branchLines(cause, below, inner, symbols, room)];
  });
}

function whatToDoLines(rule: Rule, room: number): readonly string[] {
  const lines = instructions(templateText(rule.fix.byHand, rule)).flatMap(({ is, text }) => {
    if (is === 'command') return text.split('\n');
    return wrap(text, room - 2).map(line => (is === 'comment' ? `# ${line}` : line));
  });
  if (rule.fix.automatic.length === 0) return lines;
  return [
    ...lines,
    `thanos-doctor fix ${rule.id}`,
    ...rule.fix.automatic.flatMap(({ action, risk }) =>
      wrap(`(${action}; ${oneLine(risk)})`, room - 2).map(line => `  ${line}`),
    ),
  ];
}

/** `list pods, statefulsets.apps`: by verbs, each resource once. */
function accessTexts(access: readonly Access[]): readonly string[] {
  const texts = access.map(({ verbs, group, resource }) => {
    const name = group === '' || resource.startsWith('/') ? resource : `${resource}.${group}`;
    return `${verbs.join('/')} ${name}`;
  });
  return [...new Set(texts)].sort();
}
