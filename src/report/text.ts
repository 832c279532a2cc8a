import type { Format, FormatOptions, Report } from '../model/report.ts';
import { type Arranged, arrange } from './arrange.ts';
import { cap, oneLine, toAscii } from './clean.ts';
import { finished, type Page, pageFor } from './page.ts';
import { counted, headline } from './summary.ts';
import { sweep } from './sweep.ts';
import { moreLines, noteLines, timelineLines } from './text-notes.ts';
import { briefRootLines, type Density, rootLines } from './text-root.ts';
import { wrap } from './wrap.ts';

/** For 3 a.m.: root causes first, on one screen for up to three of them. */
export const text: Format = (report, options) => {
  const swept = sweep(report);
  const lines = pageLines(swept, arrange(swept), options).map(finished);
  const whole = `${lines.join('\n')}\n`;
  return options.unicode ? whole : toAscii(whole);
};

/** Lines of a screen of 100 columns; on a narrow one the same text takes more. */
const SCREEN = 40;
const COLUMNS = 100;
/** Root causes that are shown with their evidence; the others have three lines each, unless everything is asked for. */
const IN_FULL = 3;
const BRIEF = 12;

const EVERYTHING: Density = {
  places: Infinity,
  message: Infinity,
  facts: Infinity,
  factRows: Infinity,
  logs: Infinity,
  logRows: 6,
  symptoms: Infinity,
  symptomMessages: true,
  risk: Infinity,
  steps: Infinity,
  suspects: Infinity,
};
const AMPLE: Density = {
  places: 4,
  message: 3,
  facts: 8,
  factRows: 2,
  logs: 2,
  logRows: 2,
  symptoms: 6,
  symptomMessages: true,
  risk: 3,
  steps: 6,
  suspects: 2,
};
const MODERATE: Density = {
  ...AMPLE,
  message: 2,
  facts: 5,
  logs: 1,
  symptoms: 4,
  symptomMessages: false,
  steps: 4,
  suspects: 1,
};
const BARE: Density = {
  ...MODERATE,
  places: 1,
  facts: 0,
  factRows: 1,
  logRows: 1,
  symptoms: 2,
  risk: 2,
  steps: 3,
  suspects: 0,
};
/** From roomy to tight: what a reader needs least goes first; what is at risk and what to type stay. */
const DENSITIES: readonly Density[] = [
  AMPLE,
  { ...AMPLE, symptomMessages: false },
  MODERATE,
  { ...MODERATE, places: 3, facts: 3, factRows: 1, symptoms: 3, steps: 3 },
  { ...BARE, places: 2, facts: 2 },
  BARE,
  { ...BARE, symptoms: 0 },
  { ...BARE, symptoms: 0, steps: 2 },
  { ...BARE, symptoms: 0, message: 1, steps: 2 },
  { ...BARE, symptoms: 0, message: 1, logs: 0, risk: 1, steps: 1 },
];

function pageLines(report: Report, arranged: Arranged, options: FormatOptions): readonly string[] {
  const page = pageFor(report, options);
  const inFull = page.all ? arranged.roots : arranged.roots.slice(0, IN_FULL);
  const head = headLines(report, arranged, page);
  const after = (gaps: number) =>
    spaced([
      briefLines(arranged, inFull.length, page),
      noteLines(report, arranged, page, gaps),
      moreLines(report, arranged, page),
    ]);
  if (page.all) {
    const roots = inFull.map(root => rootLines(root, page, EVERYTHING));
    return [...head, ...spaced(roots), ...after(Infinity), ...timelineLines(report, page)];
  }
  const rendered = inFull.map(root => DENSITIES.map(density => rootLines(root, page, density)));
  const screen = SCREEN * Math.max(1, COLUMNS / page.width);
  let lines: readonly string[] = [];
  for (const levels of tighter(inFull.length)) {
    const roots = rendered.map((versions, at) => versions[levels[at] ?? 0] ?? []);
    const tightest = Math.max(0, ...levels);
    lines = [...head, ...spaced(roots), ...after(Math.max(1, 7 - tightest))];
    if (lines.length <= screen) break;
  }
  return lines;
}

/** One density a root: the last root gives up its lines first, and the first root last. */
function* tighter(roots: number): Generator<readonly number[]> {
  const levels = Array.from({ length: roots }, () => 0);
  yield levels;
  for (let level = 1; level < DENSITIES.length; level += 1) {
    for (let root = roots - 1; root >= 0; root -= 1) {
      levels[root] = level;
      yield levels;
    }
  }
}

function headLines(report: Report, arranged: Arranged, page: Page): readonly string[] {
  const fleet = report.fleet === '' ? '' : `fleet ${cap(oneLine(report.fleet), 60)}, `;
  const taken = page.clock.day(report.takenAt);
  return [
    ...wrap(headline(report, arranged), page.width),
    ...(taken === '' ? [] : wrap(`${fleet}${taken} ${page.clock.zone}`, page.width)),
  ];
}

function briefLines({ roots }: Arranged, skipped: number, page: Page): readonly string[] {
  const left = Math.max(0, roots.length - skipped - BRIEF);
  const lines = roots.slice(skipped, skipped + BRIEF).flatMap(root => briefRootLines(root, page));
  return left > 0 ? [...lines, `and ${counted(left, 'further root cause')} (--all)`] : lines;
}

function spaced(parts: readonly (readonly string[])[]): readonly string[] {
  return parts.filter(lines => lines.length > 0).flatMap(lines => ['', ...lines]);
}
