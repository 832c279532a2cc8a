import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { guideCoverage } from '../src/app/guide-coverage.ts';
import { builtinRules } from '../src/app/rule-files.ts';
import { ACTIONS } from '../src/remediations/catalogue.ts';
import { RUNBOOKS } from '../src/remediations/runbooks.ts';

/** What a heading of the guide holds itself, without the headings below it. */
interface Passage {
  readonly heading: string;
  readonly places: readonly string[];
  /** Nothing but headings below it. */
  readonly chapter: boolean;
}

const COVERAGE = guideCoverage();
const RULES = builtinRules();
const DOCUMENTS = ['README', 'TROUBLESHOOTING'] as const;

describe.each(DOCUMENTS)('%s of the guide', name => {
  const passages = passagesOf(readFileSync(join(import.meta.dirname, `guide/${name}.ko.md`), 'utf8'));
  const covered = COVERAGE.filter(({ document }) => document === name);

  test('has headings, and causes and steps under them', () => {
    expect(passages.length).toBeGreaterThan(30);
    if (name === 'TROUBLESHOOTING') expect(passages.flatMap(({ places }) => places).length).toBeGreaterThan(80);
  });

  test('every heading is answered, and no other', () => {
    const wanted = passages.filter(({ chapter }) => !chapter).map(({ heading }) => heading);
    expect(covered.map(({ heading }) => heading).filter(heading => !passages.some(p => p.heading === heading))).toEqual(
      [],
    );
    expect(wanted.filter(heading => !covered.some(entry => entry.heading === heading))).toEqual([]);
    expect(new Set(covered.map(({ heading }) => heading)).size).toBe(covered.length);
  });

  test.each(passages.filter(({ places }) => places.length > 0))('$heading: $places', ({ heading, places }) => {
    const entry = covered.find(candidate => candidate.heading === heading);
    if (entry?.nothing) return;
    expect(places.filter(place => !entry?.answers.some(({ to }) => to === place))).toEqual([]);
    expect(entry?.answers.map(({ to }) => to).filter(to => /^(cause|step) /.test(to) && !places.includes(to))).toEqual(
      [],
    );
  });
});

const ANSWERS = COVERAGE.flatMap(({ heading, answers }) => answers.map(answer => ({ heading, ...answer })));

test('an answer is a rule, a fix, a scenario, or says in words what is done or was wrong', () => {
  const empty = ANSWERS.filter(
    a => [...a.rules, ...a.actions, ...a.recover].length === 0 && !a.instead && !a.corrected,
  );
  expect(empty).toEqual([]);
  expect(COVERAGE.filter(({ see, nothing, answers }) => answers.length === 0 && !nothing && !see)).toEqual([]);
  expect(
    COVERAGE.filter(
      ({ see }) => see && !COVERAGE.some(({ heading, answers }) => heading === see && answers.length > 0),
    ),
  ).toEqual([]);
});

test('every rule, action and scenario that is named exists', () => {
  const unknown = (names: readonly string[], known: ReadonlySet<string>) => names.filter(name => !known.has(name));
  expect(
    unknown(
      ANSWERS.flatMap(({ rules }) => rules),
      new Set(RULES.map(({ id }) => id)),
    ),
  ).toEqual([]);
  expect(
    unknown(
      ANSWERS.flatMap(({ actions }) => actions),
      new Set(ACTIONS.keys()),
    ),
  ).toEqual([]);
  expect(
    unknown(
      ANSWERS.flatMap(({ recover }) => recover),
      new Set(RUNBOOKS.map(({ id }) => id)),
    ),
  ).toEqual([]);
});

test('a rule that names a heading is named under it', () => {
  const rulesOf = (heading: string) =>
    ANSWERS.filter(answer => answer.heading === heading).flatMap(({ rules }) => rules);
  const overview = COVERAGE.filter(({ document }) => document === 'README').flatMap(({ heading }) => rulesOf(heading));
  const strays = RULES.filter(({ guide }) => guide !== '').filter(
    ({ id, guide }) => !(guide === 'overview' ? overview : rulesOf(guide)).includes(id),
  );
  expect(strays.map(({ id, guide }) => `${id}: ${guide}`)).toEqual([]);
});

function passagesOf(markdown: string): readonly Passage[] {
  const passages: { heading: string; level: number; body: string[] }[] = [];
  let code = false;
  for (const line of markdown.split('\n')) {
    if (line.startsWith('```')) code = !code;
    const heading = code ? null : /^(#{2,})\s+(.*)$/.exec(line);
    if (heading) passages.push({ heading: anchorOf(heading[2] ?? ''), level: heading[1]?.length ?? 0, body: [] });
    else if (!code) passages.at(-1)?.body.push(line);
  }
  return passages.map(({ heading, level, body }, index) => ({
    heading,
    places: placesIn(body),
    chapter: (passages[index + 1]?.level ?? 0) > level && body.every(line => /^(```.*|-*|\s*)$/.test(line)),
  }));
}

function placesIn(body: readonly string[]): readonly string[] {
  const places: string[] = [];
  let listsCauses = false;
  for (const line of body) {
    if (line.startsWith('**')) listsCauses = line.startsWith('**원인**');
    if (line.startsWith('**증상**')) places.push('symptom');
    if (listsCauses && line.startsWith('- '))
      places.push(`cause ${places.filter(p => p.startsWith('cause')).length + 1}`);
    const step = /^(\d+)\. /.exec(line);
    if (step) places.push(`step ${step[1]}`);
  }
  return places;
}

/** The anchor that Markdown makes of a heading. */
function anchorOf(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-');
}
