import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { findUpward } from './package-files.ts';

/** One place under a heading of the operators' guide, and what has become of it. */
export interface GuideAnswer {
  /** `symptom`, `cause 2`, `step 1`, `alert`, `whole`, or `beyond` for what the guide leaves out. */
  readonly to: string;
  readonly says: string;
  readonly rules: readonly string[];
  readonly actions: readonly string[];
  /** Scenarios of `thanos-doctor recover`. */
  readonly recover: readonly string[];
  readonly instead: string;
  readonly corrected: string;
}

export interface GuideHeading {
  /** The heading's anchor, as rules name it in `guide:`. */
  readonly heading: string;
  readonly document: 'README' | 'TROUBLESHOOTING';
  readonly title: string;
  /** The heading under which this one is answered; '' for itself. */
  readonly see: string;
  /** It states nothing that could be checked. */
  readonly nothing: boolean;
  readonly answers: readonly GuideAnswer[];
}

/** As it is written: what is empty may be left out. */
interface WrittenHeading extends Partial<Omit<GuideHeading, 'answers'>> {
  readonly answers?: readonly Partial<GuideAnswer>[];
}

const NO_HEADING = { heading: '', document: 'TROUBLESHOOTING', title: '', see: '', nothing: false } as const;
const NO_ANSWER: GuideAnswer = { to: '', says: '', rules: [], actions: [], recover: [], instead: '', corrected: '' };

/** `docs/guide-coverage.yaml`, every field filled in. */
export function guideCoverage(): readonly GuideHeading[] {
  const written: readonly WrittenHeading[] = parse(readFileSync(findUpward('docs/guide-coverage.yaml') ?? '', 'utf8'));
  return written.map(heading => ({
    ...NO_HEADING,
    ...heading,
    answers: (heading.answers ?? []).map(answer => ({ ...NO_ANSWER, ...answer })),
  }));
}

/** The chapter of `docs/TROUBLESHOOTING.md` that leads from the operators' guide to the rules. */
export function guideChapter(headings: readonly GuideHeading[]): readonly string[] {
  const titles = new Map(headings.map(({ heading, title }) => [heading, title]));
  const lines = [
    'What became of the guide that operators walked through by hand: its headings, and what answers each cause and step now.',
    '',
  ];
  for (const { title, heading, see, nothing, answers } of headings) {
    if (nothing) continue;
    lines.push(`### ${title}`, '', `\`${heading}\``, '');
    if (see) lines.push(`See *${titles.get(see)}*.`, '');
    for (const answer of answers) lines.push(...answerLines(answer));
    if (answers.length > 0) lines.push('');
  }
  return lines;
}

function answerLines({ to, says, rules, actions, recover, instead, corrected }: GuideAnswer): readonly string[] {
  const names = { whole: 'In whole', beyond: 'Not in the guide' };
  const place = names[to as keyof typeof names] ?? `${to.charAt(0).toUpperCase()}${to.slice(1)}`;
  const parts = [
    rules.map(rule => `[\`${rule}\`](#${rule})`).join(', '),
    actions.length > 0 ? `fix: ${actions.map(action => `\`${action}\``).join(', ')}` : '',
    recover.length > 0 ? `\`thanos-doctor recover\`: ${recover.map(id => `\`${id}\``).join(', ')}` : '',
    instead,
    corrected ? `corrected: ${corrected}` : '',
  ].filter(part => part !== '');
  return [`- **${place}**${says ? ` (${says})` : ''}: ${parts.join('; ')}.`];
}
