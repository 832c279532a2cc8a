import type { EvidenceItem, Finding, Severity, Suspect } from '../model/finding.ts';
import { type Place, type Root, type Symptoms, subjectText } from './arrange.ts';
import { cap, oneLine } from './clean.ts';
import { type Instruction, instructions } from './commands.ts';
import { whatIsMissing } from './could-not-check.ts';
import { factText } from './facts.ts';
import { essence } from './log-lines.ts';
import {
  beside,
  clusterText,
  firstOf,
  fitted,
  indented,
  LABELLED,
  labelled,
  type Page,
  PROSE,
  SEVERITY,
  shown,
  unbroken,
} from './page.ts';
import { counted } from './summary.ts';
import { painted } from './symbols.ts';
import { chopped, displayWidth, pad, withoutMiddle, wrap } from './wrap.ts';

/** How much is shown of a root cause. */
export interface Density {
  readonly places: number;
  readonly message: number;
  readonly facts: number;
  readonly factRows: number;
  readonly logs: number;
  readonly logRows: number;
  readonly symptoms: number;
  readonly symptomMessages: boolean;
  readonly risk: number;
  readonly steps: number;
  readonly suspects: number;
}

/** One root cause: what, where, since when, on what grounds, what it explains, what it endangers, what to type. */
export function rootLines(root: Root, page: Page, density: Density): readonly string[] {
  return [
    ...titleLines(root, page),
    ...placeLines(root, page, density),
    ...messageLines(root, page, density),
    ...factLines(root, page, density),
    ...symptomLines(root, page, density),
    ...riskLines(root, page, density),
    ...whatToDoLines(root, page, density),
    ...suspectLines(root.suspects, page, density),
  ];
}

/** What and where, for a root cause that there is no room for. */
export function briefRootLines(root: Root, page: Page): readonly string[] {
  const [place] = root.places;
  const more = root.places.length > 1 ? ` and ${root.places.length - 1} more` : '';
  const where =
    place === undefined ? [] : fitted(`${placeText(place, page)}${more}`, page.width - page.indent, 1, page);
  return [
    ...titleLines(root, page),
    ...[...where, `thanos-doctor explain ${root.rule}`].map(line => indented(line, page)),
  ];
}

/** One finding with its place and message, for a list that shows all of them. */
export function findingRows(finding: Finding, room: number, page: Page): readonly string[] {
  const place = { clusters: [finding.cluster], subject: finding.subject, since: finding.since };
  return [...wrap(placeText(place, page), room), ...wrap(shown(finding.message, finding.cluster, page), room)];
}

/** `Kind namespace/name and 3 more, cluster`. */
export function placesText(places: readonly Place[]): string {
  const [place, ...others] = places;
  if (place === undefined) return '';
  const more = others.length > 0 ? ` and ${others.length} more` : '';
  const clusters = clusterText([...new Set(places.flatMap(({ clusters: names }) => names))], 3);
  return `${subjectText(place.subject)}${more}${clusters === '' ? '' : `, ${clusters}`}`;
}

function titleLines(
  { title, severity }: { readonly title: string; readonly severity: Severity },
  page: Page,
): readonly string[] {
  const label = pad(` ${severity.toUpperCase()} `, SEVERITY);
  const [first = '', ...rest] = fitted(oneLine(title), page.width - SEVERITY, page.all ? Infinity : 2, page);
  return [`${painted(label, severity, page.color)}${first}`, ...rest.map(line => indented(line, page))];
}

function placeLines(root: Root, page: Page, density: Density): readonly string[] {
  const { places, findings, facts } = root;
  const room = page.width - page.indent;
  if (page.all && findings.length > 1) {
    const shared = new Set(facts.map(([label]) => label));
    return findings
      .flatMap(finding => [...findingRows(finding, room, page), ...ownFacts(finding, shared, room, page)])
      .map(line => indented(line, page));
  }
  const [taken, left] = firstOf(places, density.places);
  const lines = taken.flatMap(place => wrap(placeText(place, page), room));
  return [...lines, ...(left > 0 ? [`and ${left} more places`] : [])].map(line => indented(line, page));
}

/** What distinguishes one of several findings, on one line. */
function ownFacts(finding: Finding, shared: ReadonlySet<string>, room: number, page: Page): readonly string[] {
  const own = Object.entries(finding.facts).filter(([label]) => !shared.has(label));
  const texts = own.map(
    ([label, value]) => `${oneLine(label)}: ${factText(value, page.clock, page.now(finding.cluster))}`,
  );
  return wrap(texts.join(` ${page.symbols.dot} `), room - 2).map(line => `  ${line}`);
}

/** A name stays beside its kind, and an age beside its time, where a line is broken. */
function placeText({ clusters, subject, since }: Place, page: Page): string {
  const where = clusterText(clusters, 6);
  const parts = where === '' ? [] : [where];
  parts.push(unbroken(subjectText(subject)));
  if (since !== '') parts.push(unbroken(`since ${page.clock.since(since, page.now(clusters[0] ?? ''))}`));
  return parts.join(` ${page.symbols.dot} `);
}

/** Several findings have several messages; with all of them shown, each stands at its place. */
function messageLines({ messages, findings }: Root, page: Page, density: Density): readonly string[] {
  const [first] = messages;
  if (first === undefined || (page.all && findings.length > 1)) return [];
  const message = messages.length > 1 ? `For example: ${first}` : first;
  return fitted(shown(message, findings[0]?.cluster ?? '', page), page.width - page.indent, density.message, page).map(
    line => indented(line, page),
  );
}

function factLines(root: Root, page: Page, density: Density): readonly string[] {
  const now = page.now(root.findings[0]?.cluster ?? '');
  const taken = root.facts.slice(0, density.facts);
  const facts = taken.map(
    ([label, value]) => [cap(oneLine(label), 60), cap(factText(value, page.clock, now), PROSE)] as const,
  );
  const logs = root.logs.slice(0, density.logs);
  const column =
    Math.min(page.indent < SEVERITY ? 10 : 24, Math.max(3, ...facts.map(([label]) => displayWidth(label)))) + 2;
  const room = page.width - page.indent - 2 - column;
  const row = (label: string, lines: readonly string[]) =>
    beside(label, column, lines).map(line => indented(`  ${line}`, page));
  const left = root.logs.length - logs.length;
  return [
    ...facts.flatMap(([label, value]) => row(label, valueRows(value, room, density, page))),
    ...logs.flatMap((log, at) => {
      const further = at === logs.length - 1 && left > 0 ? `and ${counted(left, 'other line')}` : '';
      return row(at === 0 ? 'Log' : '', logRows(log, further, now, room, page, density));
    }),
  ];
}

/** A value without blanks that is wider than the page loses its middle, unless everything is shown. */
function valueRows(value: string, room: number, density: Density, page: Page): readonly string[] {
  const rows = fitted(value, room, density.factRows, page);
  return page.all ? rows : rows.map(row => withoutMiddle(row, room, page.symbols.more));
}

/** The line as far as there is room, then how often, when last, and where; on the same row where that fits. */
function logRows(
  log: EvidenceItem,
  further: string,
  now: string,
  room: number,
  page: Page,
  density: Density,
): readonly string[] {
  const last = page.clock.second(log.time, now);
  const count = log.count > 0 ? `${page.symbols.times}${log.count}` : '';
  const place = [log.pod, log.container].filter(name => name !== '').join(' / ') || log.from;
  const parts = density.logRows === 1 ? [count || place] : [count, last === '' ? '' : `last ${last}`, place, further];
  const origin = parts.filter(part => part !== '').join(', ');
  const line = essence(cap(oneLine(log.line), PROSE));
  const columns = density.logRows === 1 ? room - displayWidth(origin) - 3 : room * density.logRows - 12;
  const rows = chopped(withoutMiddle(line, columns, page.symbols.more), room);
  const lastRow = rows.at(-1) ?? '';
  const fits = displayWidth(lastRow) + 3 + displayWidth(origin) <= room;
  return fits ? [...rows.slice(0, -1), `${lastRow}   ${origin}`] : [...rows, ...wrap(origin, room)];
}

function symptomLines({ explains }: Root, page: Page, density: Density): readonly string[] {
  if (density.symptoms === 0) {
    const names = explains.map(({ rule, findings }) => (findings.length > 1 ? `${rule} (${findings.length})` : rule));
    return labelled('Explains', fitted(names.join(', '), page.width - page.indent - LABELLED, 1, page), page);
  }
  const [taken, left] = firstOf(explains, density.symptoms);
  const column = page.indent < SEVERITY ? 2 : Math.min(34, Math.max(0, ...taken.map(({ rule }) => rule.length))) + 2;
  const room = page.width - page.indent - LABELLED - column;
  const lines = taken.flatMap(symptoms => beside(symptoms.rule, column, symptomRows(symptoms, room, page, density)));
  const others = explains.slice(taken.length).reduce((sum, { findings }) => sum + findings.length, 0);
  return labelled('Explains', left > 0 ? [...lines, `and ${counted(others, 'other problem')}`] : lines, page);
}

function symptomRows({ findings, places }: Symptoms, room: number, page: Page, density: Density): readonly string[] {
  if (page.all) return findings.flatMap(finding => findingRows(finding, room, page));
  const [first] = findings;
  const message = density.symptomMessages && places.length === 1 ? (first?.message ?? '') : '';
  const text = placesText(places);
  const rows = fitted(text, room, density.symptomMessages ? 2 : 1, page);
  const [only = ''] = rows;
  // A kind without its name says nothing, and the rule mostly tells the kind: the name alone is shown.
  const isKindAlone = rows.length === 1 && only.endsWith(page.symbols.more) && only.split(' ').length < 3;
  return [
    ...(isKindAlone ? fitted(text.replace(/^\S+\s/, ''), room, 1, page) : rows).map(row =>
      withoutMiddle(row, room, page.symbols.more),
    ),
    ...fitted(shown(message, first?.cluster ?? '', page), room, 2, page),
  ];
}

function riskLines({ atRisk, findings }: Root, page: Page, density: Density): readonly string[] {
  const cluster = findings[0]?.cluster ?? '';
  const room = page.width - page.indent - LABELLED;
  const taken = page.all ? atRisk : atRisk.slice(0, 1);
  return labelled(
    'At risk',
    taken.flatMap(risk => fitted(shown(risk, cluster, page), room, density.risk, page)),
    page,
  );
}

/** Commands stand alone on a line that is never broken, so that they can be copied from their first word to its end. */
function whatToDoLines(root: Root, page: Page, density: Density): readonly string[] {
  const room = page.width - page.indent - LABELLED;
  const all = instructions(root.byHand);
  const [taken, left] = firstSteps(all, density.steps);
  const lines = taken.flatMap(({ is, text }) => {
    if (is === 'command') return text.split('\n');
    if (is === 'comment') return fitted(text, room - 2, 2, page).map(line => `# ${line}`);
    return fitted(text, room, page.all ? Infinity : 2, page);
  });
  if (left > 0) lines.push(`and ${left} more lines (--all)`);
  if (root.places.length > 1 && taken.length > 0)
    lines.push(...wrap(`the same for each of the ${root.places.length} places`, room));
  if (root.fixCommand !== '') {
    const fix = root.fixCommand;
    const about = '     shows the change, asks, verifies';
    lines.push(displayWidth(fix + about) <= room ? fix + about : fix);
  }
  return labelled('Do', lines, page);
}

/** The first steps; where there is a command, at least one of them is one. */
function firstSteps(all: readonly Instruction[], room: number): readonly [readonly Instruction[], number] {
  const [taken, left] = firstOf(all, room);
  const command = all.find(({ is }) => is === 'command');
  if (left === 0 || command === undefined || taken.some(({ is }) => is === 'command')) return [taken, left];
  return [[...taken.slice(0, -1), command], left];
}

function suspectLines(suspects: readonly Suspect[], page: Page, density: Density): readonly string[] {
  const room = page.width - page.indent - LABELLED;
  const lines = suspects.slice(0, density.suspects).flatMap(({ rule, cluster, gaps: [gap] }) => {
    const why = gap === undefined ? '' : ` (${whatIsMissing(gap)}: ${gap.reason})`;
    return fitted(`${rule} in ${cluster}, which could not be checked${why}`, room, 2, page);
  });
  return labelled('Or else', lines, page);
}
