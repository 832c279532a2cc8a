import type { EvidenceItem } from '../model/finding.ts';
import type { Format, FormatOptions, Report } from '../model/report.ts';
import { type Arranged, arrange, type Root, type Symptoms, subjectText } from './arrange.ts';
import { oneLine } from './clean.ts';
import { instructions, shortLines } from './commands.ts';
import { whatIsMissing } from './could-not-check.ts';
import { cell, cellCode, code, fence, prose, proseLines } from './escape.ts';
import { factText } from './facts.ts';
import { ranges, type Section, sectionsWithin } from './markdown-budget.ts';
import { couldNotCheckLines, lookedAtLines, timelineLines } from './markdown-notes.ts';
import { folded, type Sheet, sheetFor } from './markdown-sheet.ts';
import { table } from './markdown-table.ts';
import { clusterText } from './page.ts';
import { counted, headline, joined } from './summary.ts';
import { sweep } from './sweep.ts';
import { withShownTimes } from './times.ts';

/**
 * For a ticket: what happened in one paragraph, then each root cause with its evidence and what to do, what is not known,
 * what happened when, and how to repeat it. Nothing that a cluster says can leave the place where it is quoted.
 */
export const markdown: Format = (report, options) => {
  const swept = sweep(report);
  return `${documentLines(swept, arrange(swept), options).join('\n')}\n`;
};

/** A report of 200 findings stays below 60 000 bytes; what does not fit is left to the JSON, and said. */
const BYTES = 58_000;
/** More root causes than these have no room in any case. */
const CANDIDATES = 150;

function documentLines(report: Report, arranged: Arranged, options: FormatOptions): readonly string[] {
  const sheet = sheetFor(report, options);
  const candidates = options.all ? arranged.roots : arranged.roots.slice(0, CANDIDATES);
  const sections: readonly Section[] = [
    { versions: [headLines(report, arranged, sheet)], leaves: '' },
    { versions: [overviewLines(arranged, sheet)], leaves: '' },
    { versions: couldNotCheckLines(arranged, sheet), leaves: 'what could not be checked' },
    { versions: lookedAtLines(report, arranged, sheet), leaves: 'what was looked at' },
    { versions: worthKnowingLines(arranged, sheet), leaves: 'what is worth knowing' },
    { versions: timelineLines(report, sheet), leaves: 'the timeline' },
    ...candidates.map((root, at) => rootSection(root, at, sheet)),
  ];
  const { texts, left } = sectionsWithin(sections, options.all ? Infinity : BYTES);
  const skipped = arranged.roots.slice(candidates.length).map((_root, at) => rootName(candidates.length + at));
  const [head = [], overview = [], couldNotCheck = [], lookedAt = [], worthKnowing = [], timeline = [], ...roots] =
    texts;
  return [
    ...head,
    ...overview,
    ...roots.flat(),
    ...worthKnowing,
    ...couldNotCheck,
    ...timeline,
    ...lookedAt,
    ...leftLines(ranges([...left, ...skipped])),
  ];
}

function leftLines(left: readonly string[]): readonly string[] {
  if (left.length === 0) return [];
  return [
    '',
    ...proseLines(
      `Shortened here, and whole in the JSON (\`thanos-doctor diagnose -o report.json\`): ${joined(left)}.`,
    ),
  ];
}

// ------------------------------------------------------------------------------------------------- the first paragraph

const IN_SUMMARY = 3;

function headLines(report: Report, arranged: Arranged, sheet: Sheet): readonly string[] {
  const kind = report.verdict === 'problems' ? 'Incident report' : 'Health report';
  const about =
    report.fleet === ''
      ? clusterText(
          report.clusters.map(({ name }) => name),
          3,
        )
      : `fleet ${report.fleet}`;
  const when = `${sheet.clock.day(report.takenAt)} ${sheet.clock.zone}`;
  const told = arranged.roots.slice(0, IN_SUMMARY).map(root => toldOf(root, sheet));
  const left = arranged.roots.length - told.length;
  const further = left > 0 ? [`${counted(left, 'further root cause')} below.`] : [];
  const lines = [headline(report, arranged), ...told, ...further].flatMap(proseLines);
  return [`# ${prose(`${kind}: ${about}, ${when}`, 200)}`, '', ...lines.map(line => `> ${line}`)];
}

/** A root cause in sentences: where, since when, what, and what is lost if nothing is done. */
function toldOf(root: Root, sheet: Sheet): string {
  const cluster = root.findings[0]?.cluster ?? '';
  const clusters = clusterText([...new Set(root.findings.map(finding => finding.cluster))], 3);
  const since = root.places[0]?.since ?? '';
  const where = [clusters, since === '' ? '' : `since ${sheet.clock.since(since, sheet.now(cluster))}`].filter(
    part => part !== '',
  );
  const sentences = [
    `${root.title}${where.length === 0 ? '' : ` (${where.join(', ')})`}.`,
    root.messages.length === 1 ? sentence(root.messages[0] ?? '') : '',
    root.atRisk[0] === undefined ? '' : `At risk: ${sentence(root.atRisk[0])}`,
  ];
  return withShownTimes(oneLine(sentences.filter(part => part !== '').join(' ')), sheet.clock, sheet.now(cluster));
}

function sentence(text: string): string {
  const trimmed = text.trim();
  return trimmed === '' || /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

const OVERVIEW_ROWS = 60;

function overviewLines({ roots }: Arranged, sheet: Sheet): readonly string[] {
  const rows = roots
    .slice(0, sheet.all ? Infinity : OVERVIEW_ROWS)
    .map((root, at) => [
      `${at + 1}`,
      root.severity,
      cell(root.title, 110),
      cell(clusterText([...new Set(root.findings.map(({ cluster }) => cluster))], 3) || 'fleet', 60),
      placesCell(root),
      since(root, sheet),
      root.explains.length === 0 ? '' : counted(effectsOf(root), 'problem'),
    ]);
  if (rows.length === 0) return [];
  const left = roots.length - rows.length;
  return [
    '',
    ...table(['', 'severity', 'what', 'cluster', 'about', `since (${sheet.clock.zone})`, 'explains'], rows),
    ...(left > 0 ? ['', `and ${counted(left, 'further root cause')}, in the JSON.`] : []),
  ];
}

function placesCell({ places }: Root): string {
  const [place] = places;
  if (place === undefined) return '';
  return `${cellCode(subjectText(place.subject), 80)}${places.length > 1 ? ` and ${places.length - 1} more` : ''}`;
}

function since({ places, findings }: Root, sheet: Sheet): string {
  return places[0] === undefined ? '' : sheet.clock.since(places[0].since, sheet.now(findings[0]?.cluster ?? ''));
}

function effectsOf({ explains }: Root): number {
  return explains.reduce((sum, { findings }) => sum + findings.length, 0);
}

// ---------------------------------------------------------------------------------------------------- one root cause

/** How many lines a root cause has of each kind. */
interface Extent {
  readonly places: number;
  readonly facts: number;
  readonly quotes: number;
  readonly evidence: number;
  readonly symptoms: number;
}

const WHOLE: Extent = { places: Infinity, facts: Infinity, quotes: 2, evidence: Infinity, symptoms: Infinity };
const USUAL: Extent = { places: 12, facts: 16, quotes: 2, evidence: 12, symptoms: 12 };
const SHORT: Extent = { places: 4, facts: 6, quotes: 1, evidence: 0, symptoms: 4 };

function rootSection(root: Root, at: number, sheet: Sheet): Section {
  const extents = sheet.all ? [WHOLE] : [USUAL, SHORT];
  return { versions: extents.map(extent => rootLines(root, at, sheet, extent)), leaves: rootName(at) };
}

function rootName(at: number): string {
  return `root cause ${at + 1}`;
}

function rootLines(root: Root, at: number, sheet: Sheet, extent: Extent): readonly string[] {
  const title = `## ${at + 1}. ${root.severity.toUpperCase()}: ${prose(root.title, 200)}`;
  return [
    '',
    title,
    ...placeLines(root, sheet, extent),
    ...messageLines(root, sheet, extent),
    ...factLines(root, sheet, extent),
    ...quoteLines(root, sheet, extent),
    ...evidenceLines(root, sheet, extent),
    ...symptomLines(root, sheet, extent),
    ...riskLines(root, sheet),
    ...whatToDoLines(root),
    ...suspectLines(root, extent),
  ];
}

function placeLines({ places, rule }: Root, sheet: Sheet, extent: Extent): readonly string[] {
  const taken = places.slice(0, extent.places);
  const lines = taken.map(({ clusters, subject, since: from }) => {
    const parts = [
      clusterText(clusters, 6) === ''
        ? ''
        : `${clusters.length > 1 ? 'clusters' : 'cluster'} ${code(clusterText(clusters, 6), 100)}`,
      code(subjectText(subject), 200),
      from === '' ? '' : `since ${sheet.clock.since(from, sheet.now(clusters[0] ?? ''))}`,
    ];
    return `- ${parts.filter(part => part !== '').join(', ')}`;
  });
  const left = places.length - taken.length;
  return ['', `Rule ${code(rule, 100)}`, '', ...lines, ...(left > 0 ? [`- and ${left} more, in the JSON`] : [])];
}

function messageLines({ messages, findings }: Root, sheet: Sheet, extent: Extent): readonly string[] {
  return messages
    .slice(0, Math.min(3, extent.places))
    .flatMap(message => ['', ...paragraph(message, findings[0]?.cluster ?? '', sheet)]);
}

function factLines({ facts, findings }: Root, sheet: Sheet, extent: Extent): readonly string[] {
  const now = sheet.now(findings[0]?.cluster ?? '');
  const rows = facts
    .slice(0, extent.facts)
    .map(([label, value]) => [cell(label, 80), cellCode(factText(value, sheet.clock, now), 250)]);
  return rows.length === 0 ? [] : ['', ...table(['fact', 'value'], rows)];
}

/** The lines that decided, in sight. */
function quoteLines({ logs, findings }: Root, sheet: Sheet, extent: Extent): readonly string[] {
  const now = sheet.now(findings[0]?.cluster ?? '');
  return logs
    .slice(0, extent.quotes)
    .flatMap(log => ['', origin(log, now, sheet), '', ...fence(oneLine(log.line), 'text')]);
}

function origin(log: EvidenceItem, now: string, sheet: Sheet): string {
  const last = sheet.clock.second(log.time, now);
  const from = [log.pod, log.container].filter(name => name !== '').join(' / ') || log.from;
  const often = log.count > 0 ? `, seen ${counted(log.count, 'time')}` : '';
  return `Log of ${code(from, 200)}${often}${last === '' ? '' : `, last ${last}`}:`;
}

/** Everything else that it was concluded from, folded. */
function evidenceLines({ logs, sources, findings }: Root, sheet: Sheet, extent: Extent): readonly string[] {
  const now = sheet.now(findings[0]?.cluster ?? '');
  const items = [...logs.slice(extent.quotes), ...sources];
  const taken = items.slice(0, extent.evidence);
  if (taken.length === 0) return [];
  const lines = taken.map(item =>
    [
      sheet.clock.second(item.time, now),
      item.evidence,
      item.from,
      item.line === '' ? '' : `${item.count}x ${item.line}`,
    ]
      .filter(part => part !== '')
      .map(oneLine)
      .join('  '),
  );
  const left = items.length - taken.length;
  return folded(`Evidence (${items.length})`, [
    ...fence(lines.join('\n'), 'text'),
    ...(left > 0 ? ['', `and ${left} more, in the JSON`] : []),
  ]);
}

function symptomLines(root: Root, sheet: Sheet, extent: Extent): readonly string[] {
  const { explains } = root;
  if (explains.length === 0) return [];
  const taken = explains.slice(0, extent.symptoms);
  const left = effectsOf(root) - taken.reduce((sum, { findings }) => sum + findings.length, 0);
  return [
    '',
    `**Explains** ${counted(effectsOf(root), 'other problem')}:`,
    '',
    ...table(
      ['rule', 'about', 'cluster', 'what'],
      taken.flatMap(symptoms => symptomRows(symptoms, sheet)),
    ),
    ...(left > 0 ? ['', `and ${left} more, in the JSON.`] : []),
  ];
}

function symptomRows({ rule, title, findings, places }: Symptoms, sheet: Sheet): readonly (readonly string[])[] {
  const [only] = findings;
  if (sheet.all || findings.length === 1) {
    return findings.map(finding => [
      cellCode(rule, 70),
      cellCode(subjectText(finding.subject), 90),
      cell(finding.cluster, 40),
      cell(withShownTimes(finding.message || title, sheet.clock, sheet.now(finding.cluster)), 160),
    ]);
  }
  const clusters = clusterText([...new Set(findings.map(({ cluster }) => cluster))], 3) || 'fleet';
  const first = only === undefined ? '' : cellCode(subjectText(only.subject), 80);
  return [
    [
      cellCode(rule, 70),
      places.length > 1 ? `${first} and ${places.length - 1} more` : first,
      cell(clusters, 60),
      cell(title, 140),
    ],
  ];
}

function riskLines({ atRisk, findings }: Root, sheet: Sheet): readonly string[] {
  return atRisk.slice(0, sheet.all ? Infinity : 2).flatMap(risk => {
    const [first = '', ...rest] = paragraph(risk, findings[0]?.cluster ?? '', sheet);
    return ['', `**At risk:** ${first}`, ...rest];
  });
}

/** Sentences as sentences, what can be pasted in blocks with a button to copy it. */
function whatToDoLines(root: Root): readonly string[] {
  const steps = instructions(root.byHand);
  const lines: string[] = [];
  let block: string[] = [];
  const close = () => {
    if (block.length > 0) lines.push('', ...fence(block.join('\n'), 'sh'));
    block = [];
  };
  for (const { is, text } of steps) {
    if (is === 'prose') {
      close();
      lines.push('', ...proseLines(text));
    } else block.push(is === 'comment' ? `# ${text}` : shortLines(text));
  }
  close();
  const isSame = root.places.length > 1 && steps.length > 0;
  const several = isSame ? ['', `The same for each of the ${root.places.length} places.`] : [];
  const automatic =
    root.automatic === ''
      ? []
      : ['', `${code(root.fixCommand, 400)} shows this change, asks, and verifies it (${code(root.automatic, 80)}).`];
  if (lines.length + automatic.length === 0) return [];
  return ['', '**What to do**', ...lines, ...several, ...automatic];
}

function suspectLines({ suspects }: Root, extent: Extent): readonly string[] {
  const taken = suspects.slice(0, extent.symptoms);
  if (taken.length === 0) return [];
  const lines = taken.map(({ rule, cluster, gaps: [gap] }) => {
    const why = gap === undefined ? '' : ` (${prose(`${whatIsMissing(gap)}: ${gap.reason}`, 150)})`;
    return `- ${code(rule, 80)} in ${code(cluster, 60)}${why}`;
  });
  return ['', '**What may be behind it, and could not be checked:**', '', ...lines];
}

// -------------------------------------------------------------------------------------------------------------- notes

function worthKnowingLines({ worthKnowing }: Arranged, sheet: Sheet): readonly (readonly string[])[] {
  if (worthKnowing.length === 0) return [[]];
  const rows = worthKnowing.flatMap(symptoms => symptomRows(symptoms, sheet));
  const lines = (count: number) => [
    '',
    '## Worth knowing',
    '',
    ...table(['rule', 'about', 'cluster', 'what'], rows.slice(0, count)),
    ...(rows.length > count ? ['', `and ${rows.length - count} more, in the JSON.`] : []),
  ];
  return sheet.all ? [lines(Infinity)] : [lines(30), lines(5)];
}

function paragraph(text: string, cluster: string, sheet: Sheet): readonly string[] {
  return proseLines(withShownTimes(oneLine(text), sheet.clock, sheet.now(cluster)));
}
