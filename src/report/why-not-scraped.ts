import type { FactValue } from '../model/finding.ts';
import type { FormatOptions } from '../model/report.ts';
import { clean, oneLine, toAscii } from './clean.ts';
import { instructions, shortLines } from './commands.ts';
import { factText } from './facts.ts';
import { beside } from './page.ts';
import { sweep } from './sweep.ts';
import { type Clock, clockFor } from './times.ts';
import { wrap } from './wrap.ts';

export interface ScrapeStep {
  /** named, chosen, accepted, finds, configured or answers */
  readonly step: string;
  readonly state: 'done' | 'stopped' | 'unknown';
  readonly says: string;
  /** The rule that knows more; '' for none. */
  readonly rule: string;
  readonly facts: Readonly<Record<string, FactValue>>;
  /** What gets it over this step; '' where nothing is known. */
  readonly remedy: string;
}

/** How far an object gets on its way into effect, and what stops it. */
export interface ScrapeAnswer {
  readonly cluster: string;
  /** RFC 3339: when the evidence was taken. */
  readonly takenAt: string;
  readonly object: { readonly kind: string; readonly namespace: string; readonly name: string };
  readonly verdict: 'works' | 'stopped' | 'unknown';
  readonly steps: readonly ScrapeStep[];
  /** Of a Service: the monitors that name it. */
  readonly through: readonly ScrapeAnswer[];
}

const SCRAPED = { works: 'it is scraped', stopped: 'it is not scraped', unknown: 'it could not be told' } as const;
const VERDICTS: Readonly<Record<string, Readonly<Record<ScrapeAnswer['verdict'], string>>>> = {
  PrometheusRule: { ...SCRAPED, works: 'it is evaluated', stopped: 'it is not evaluated' },
  AlertmanagerConfig: { ...SCRAPED, works: 'it is taken', stopped: 'it is not taken' },
};

const SIGNS = { done: '✓', stopped: '✗', unknown: '?' } as const;
const ASCII_SIGNS = { done: '+', stopped: 'x', unknown: '?' } as const;
const STEP = 14;
const FACTS = 3;

/** For people: each object with its steps, the one that stops it, and what gets it over that. */
export function scrapeText(answers: readonly ScrapeAnswer[], options: FormatOptions): string {
  const page: Page = {
    columns: Math.max(60, Math.min(120, options.width)),
    signs: options.unicode ? SIGNS : ASCII_SIGNS,
    clock: clockFor(options),
  };
  const lines = sweep(answers).flatMap((answer, at) => [...(at === 0 ? [] : ['']), ...answerLines(answer, '', page)]);
  const text = `${lines.map(line => line.trimEnd()).join('\n')}\n`;
  return options.unicode ? text : toAscii(text);
}

/** The same as one JSON document. */
export function scrapeJson(answers: readonly ScrapeAnswer[]): string {
  return `${JSON.stringify(sweep({ answers }), null, 2)}\n`;
}

interface Page {
  readonly columns: number;
  readonly signs: Readonly<Record<ScrapeStep['state'], string>>;
  readonly clock: Clock;
}

function answerLines(answer: ScrapeAnswer, indent: string, page: Page): readonly string[] {
  const { object, cluster, verdict, steps, through } = answer;
  const stop = verdict === 'works' ? undefined : steps.find(({ state }) => state === 'stopped');
  // What comes after the step that stops it follows from that.
  const shown = steps.slice(0, stop ? steps.indexOf(stop) + 1 : steps.length);
  const inner = `${indent}  `;
  return [
    `${indent}${oneLine(`${object.kind} ${object.namespace}/${object.name} in ${cluster}`)}: ${wordsOf(answer)}`,
    ...shown.flatMap(step => stepLines(step, answer, page).map(line => inner + line)),
    ...(stop ? remedyLines(stop, page).map(line => (line === '' ? '' : inner + line)) : []),
    ...through.flatMap(monitor => ['', ...answerLines(monitor, inner, page)]),
  ];
}

/** Targets that answer in part are said so, also of the Service behind which they are. */
function wordsOf({ object, verdict, steps, through }: ScrapeAnswer): string {
  const isPartly = (all: readonly ScrapeStep[]) => all.find(({ state }) => state === 'stopped')?.step === 'answers';
  if (verdict === 'stopped' && [steps, ...through.map(monitor => monitor.steps)].some(isPartly))
    return 'it is not scraped in whole';
  return (VERDICTS[object.kind] ?? SCRAPED)[verdict];
}

function stepLines({ step, state, says, facts }: ScrapeStep, { takenAt }: ScrapeAnswer, page: Page): readonly string[] {
  const shown = Object.entries(facts)
    .slice(0, FACTS)
    .map(([label, value]) => `${oneLine(label)}: ${factText(value, page.clock, takenAt)}`);
  const texts = [says, ...(state === 'stopped' ? shown : [])];
  return beside(
    `${page.signs[state]} ${step}`,
    STEP,
    texts.flatMap(text => wrap(oneLine(text), page.columns - STEP - 6)),
  );
}

function remedyLines({ remedy, rule }: ScrapeStep, page: Page): readonly string[] {
  const lines = instructions(clean(remedy)).flatMap(({ is, text }) => {
    if (is === 'command') return shortLines(text).split('\n');
    return wrap(is === 'comment' ? `# ${text}` : text, page.columns - 4);
  });
  return ['', ...lines, ...(rule === '' ? [] : [`thanos-doctor explain ${rule}`])];
}
