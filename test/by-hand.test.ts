import { expect, test } from 'vitest';
import { builtinRules } from '../src/app/rule-files.ts';
import { instructions } from '../src/report/commands.ts';

/** What the rules tell a person to do, with a word where a name is filled in. */
const RULES = builtinRules().map(({ id, fix }) => ({
  id,
  lines: instructions(fix.byHand.parts.map(part => (typeof part === 'string' ? part : 'VALUE')).join('')),
}));
const COMMANDS = RULES.flatMap(({ id, lines }) =>
  lines.filter(({ is }) => is === 'command').map(({ text }) => `${id}: ${text}`),
);

test('rules give commands', () => {
  expect(COMMANDS.length).toBeGreaterThan(300);
});

test('kubectl is told which cluster: the one that the shell points at may be another', () => {
  expect(COMMANDS.filter(line => /(?<![\w-])kubectl (?!--context )(?!version|krew|completion)/.test(line))).toEqual([]);
});

test('where Longhorn is installed is nowhere taken for granted', () => {
  expect(COMMANDS.filter(line => /-n longhorn-system\b/.test(line))).toEqual([]);
});

test('a command can be pasted: no remark behind it, and nothing but commands on its line', () => {
  expect(COMMANDS.filter(line => /\s{2,}\(|; (?:then|the|and|if|look|it)\b|…/.test(line))).toEqual([]);
});

test('a command stands on a line of its own', () => {
  const inside = RULES.flatMap(({ id, lines }) =>
    lines
      .filter(({ is, text }) => is !== 'command' && /\bkubectl (--context|-n) /.test(text.replace(/`[^`]*`/g, '')))
      .map(({ text }) => `${id}: ${text}`),
  );
  expect(inside).toEqual([]);
});
