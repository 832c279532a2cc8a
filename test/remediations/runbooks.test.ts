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

test('kubectl is told which cluster: the one that the shell points at may be another', () => {
  const lines = RUNBOOKS.flatMap(({ steps }) => steps.flatMap(({ byHand }) => byHand));
  expect(lines.filter(line => /(?<![\w-])kubectl (?!--context )/.test(line))).toEqual([]);
});

test('a command of this program is one that there is', () => {
  const lines = RUNBOOKS.flatMap(({ steps }) => steps.flatMap(({ byHand }) => byHand));
  const words = lines.flatMap(line =>
    [...line.matchAll(/thanos-doctor (\S+) ?(\S*)/g)].map(found => [found[1], found[2]]),
  );
  const ids = new Set(RUNBOOKS.map(({ id }) => id));
  for (const [command, argument] of words) {
    expect(['collect', 'diagnose', 'fix', 'recover']).toContain(command);
    if (command === 'fix' && !argument!.startsWith('-')) expect(RULES).toContain(argument);
    if (command === 'recover') expect(ids).toContain(argument);
  }
});
