import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { RUNBOOKS } from '../../src/remediations/runbooks.ts';

const RULES = new Set(
  readdirSync(join(import.meta.dirname, '../../rules'), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.yaml'))
    .map(entry => basename(entry.name, '.yaml')),
);

test.each(RUNBOOKS.map(runbook => [runbook.id, runbook] as const))(
  '%s rests on rules that there are',
  (_, { steps }) => {
    expect(steps.flatMap(({ rules }) => rules).filter(rule => !RULES.has(rule))).toEqual([]);
  },
);

test('a step that rests on no rule says what a person does', () => {
  const silent = RUNBOOKS.flatMap(({ steps }) => steps).filter(
    ({ rules, byHand }) => rules.length + byHand.length === 0,
  );
  expect(silent).toEqual([]);
});
