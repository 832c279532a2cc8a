import { expect, it } from 'vitest';
import { type LogHit, logMeanings } from '../../src/report/logs.ts';

const HIT: LogHit = {
  signature: 'some-signature',
  means: 'Something stopped.',
  rules: ['some-rule'],
  marker: false,
  source: '',
  count: 1,
  first: '',
  last: '',
  sample: `ts=2026-01-01T00:00:00Z level=error msg="stopped" err="${'early words '.repeat(15)}what decides"`,
};
const OPTIONS = { width: 80, all: false };

it('shows a line as far as to what decides, and once where it means two things', () => {
  const page = logMeanings([{ file: '-', lines: 1, hits: [HIT, { ...HIT, signature: 'other' }] }], OPTIONS);
  expect(page).toMatch(/^standard input: 1 line, 2 known meanings\n/);
  expect(page.match(/what\s+decides/g)).toHaveLength(1);
  expect(page).toContain('    the same line\n');
  expect(Math.max(...page.split('\n').map(line => line.length))).toBeLessThanOrEqual(80);
});

it('does not call an empty log harmless', () => {
  expect(logMeanings([{ file: 'a.log', lines: 0, hits: [] }], OPTIONS)).toBe(
    'a.log: empty, so nothing is known of it\n',
  );
  expect(logMeanings([{ file: 'a.log', lines: 2, hits: [] }], OPTIONS)).toBe(
    'a.log: 2 lines, none of them known to mean trouble\n',
  );
});
