import type { Access } from '../model/evidence.ts';
import type { FormatOptions } from '../model/report.ts';
import type { Rule, Template } from '../model/rule.ts';
import { clean, oneLine, toAscii } from './clean.ts';
import { instructions } from './commands.ts';
import { beside, finished, unbroken, widthOf } from './page.ts';
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
  readonly rule: Rule;
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
  const { rule, why, evidence, causes, access, guide } = explanation;
  const symbols = symbolsFor(options.unicode);
  const room = widthOf(options) - LABEL;
  const paragraph = (text: string) => wrap(oneLine(text), room);
  const parts: readonly (readonly [string, readonly string[]])[] = [
    ['Looks for', paragraph(rule.symptom)],
    ['On evidence', evidenceLines(evidence, room)],
    ['Not obvious', paragraph(why)],
    ['May be behind it', causeLines(causes, options.all ? Infinity : CAUSES, symbols, room)],
    ['At risk', rule.atRisk ? paragraph(templateText(rule.atRisk)) : []],
    ['What to do', whatToDoLines(rule, room)],
    ['Needs', wrap(accessTexts(access).map(unbroken).join(', '), room)],
    ['Guide', guide === '' ? [] : [guide]],
  ];
  const lines = [
    ...titleLines(rule, options),
    '',
    ...parts.filter(([, body]) => body.length > 0).flatMap(([label, body]) => besideOrBelow(label, body)),
  ];
  const whole = `${lines.map(line => finished(clean(line))).join('\n')}\n`;
  return options.unicode ? colored(whole, rule, options) : colored(toAscii(whole), rule, options);
}

function titleLines(rule: Rule, options: FormatOptions): readonly string[] {
  const label = `${rule.severity.toUpperCase()}  `;
  const tags = rule.tags.length === 0 ? '' : `  (${rule.tags.join(', ')})`;
  return [
    ...beside(label, displayWidth(label), wrap(oneLine(rule.title), widthOf(options) - displayWidth(label))),
    `${' '.repeat(displayWidth(label))}${rule.id}, in ${rule.file}${tags}`,
  ];
}

/** Painted last: a colour is no text, and what comes from a rule is cleaned. */
function colored(whole: string, { severity }: Rule, { color }: FormatOptions): string {
  const word = severity.toUpperCase();
  return `${painted(word, severity, color)}${whole.slice(word.length)}`;
}

function besideOrBelow(label: string, lines: readonly string[]): readonly string[] {
  if (displayWidth(label) < LABEL) return beside(label, LABEL, lines);
  return [label, ...lines.map(line => `${' '.repeat(LABEL)}${line}`)];
}

function evidenceLines(evidence: Explanation['evidence'], room: number): readonly string[] {
  const column = Math.min(34, Math.max(0, ...evidence.map(({ id }) => id.length))) + 2;
  return evidence.flatMap(({ id, about }) => {
    const lines = wrap(oneLine(about), Math.max(20, room - column));
    return lines.length === 0 ? [id] : lines.map((line, at) => `${pad(at === 0 ? id : '', column)}${line}`);
  });
}

/** The tree, breadth first as far as there is room: every nearest cause before any cause of a cause. */
function causeLines(causes: readonly PossibleCause[], rows: number, symbols: Symbols, room: number): readonly string[] {
  const shown = new Set<PossibleCause>();
  const queue = [...causes];
  for (let at = 0; at < queue.length && shown.size < rows; at += 1) {
    const cause = queue[at];
    if (cause === undefined || shown.has(cause)) continue;
    shown.add(cause);
    queue.push(...cause.causes);
  }
  const total = count(causes, new Set());
  const lines = branchLines(causes, shown, '', symbols, room);
  return total > shown.size ? [...lines, `and ${total - shown.size} more behind these (--all)`] : lines;
}

function branchLines(
  causes: readonly PossibleCause[],
  shown: ReadonlySet<PossibleCause>,
  stem: string,
  symbols: Symbols,
  room: number,
): readonly string[] {
  const taken = causes.filter(cause => shown.has(cause));
  return taken.flatMap((cause, at) => {
    const isLast = at === taken.length - 1;
    const head = `${stem}${isLast ? symbols.lastBranch : symbols.branch}${cause.rule}`;
    const title = oneLine(cause.title);
    const fits = displayWidth(head) + 2 + displayWidth(title) <= room;
    const below = `${stem}${isLast ? '   ' : symbols.stem}`;
    return [fits ? `${head}  ${title}` : head, ...branchLines(cause.causes, shown, below, symbols, room)];
  });
}

function count(causes: readonly PossibleCause[], seen: Set<PossibleCause>): number {
  for (const cause of causes) {
    if (seen.has(cause)) continue;
    seen.add(cause);
    count(cause.causes, seen);
  }
  return seen.size;
}

function whatToDoLines(rule: Rule, room: number): readonly string[] {
  const lines = instructions(templateText(rule.fix.byHand)).flatMap(({ is, text }) => {
    if (is === 'command') return text.split('\n');
    return wrap(text, room - 2).map(line => (is === 'comment' ? `# ${line}` : line));
  });
  if (rule.fix.automatic === undefined) return lines;
  const { action, risk } = rule.fix.automatic;
  return [
    ...lines,
    `thanos-doctor fix ${rule.id}`,
    ...wrap(`(${action}; ${oneLine(risk)})`, room - 2).map(line => `  ${line}`),
  ];
}

/** A template as it reads before anything is known: `<store.endpoint>` in place of a value. */
export function templateText({ parts }: Template): string {
  return parts.map(part => (typeof part === 'string' ? part : `<${part.text}>`)).join('');
}

/** `list pods, statefulsets.apps`: by verbs, each resource once. */
function accessTexts(access: readonly Access[]): readonly string[] {
  const texts = access.map(({ verbs, group, resource }) => {
    const name = group === '' || resource.startsWith('/') ? resource : `${resource}.${group}`;
    return `${verbs.join('/')} ${name}`;
  });
  return [...new Set(texts)].sort();
}
