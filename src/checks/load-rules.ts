import type { EvidenceDescription } from '../model/evidence.ts';
import type { CauseLink, Expression, Rule, Template } from '../model/rule.ts';
import type { Shape } from '../model/shape.ts';
import { type Compiled, compile } from './cel.ts';
import { fixMistakes, type KnownActions } from './check-fix.ts';
import {
  openYaml,
  type RuleMistake,
  readRuleFile,
  schemaMistakes,
  type TextFile,
  type WrittenRule,
} from './rule-file.ts';
import { isSyntaxProblem, parse } from './syntax.ts';
import { isList, type Scope, suggest, typeCheck } from './type-check.ts';

/** An expression longer than this is no longer read by a person: the missing word is a piece of evidence. */
const LONGEST_EXPRESSION = 120;

export interface RuleTexts {
  readonly rules: readonly TextFile[];
  readonly groups: TextFile | undefined;
  /** JSON Schema of a rule (`rules/schema.json`). */
  readonly schema: object;
  /** Ids that may never be used again (`rules/RETIRED.md`). */
  readonly retired: readonly string[];
}

export interface LoadedRules {
  /** Sorted by id; every rule in it is sound. */
  readonly rules: readonly Rule[];
  readonly mistakes: readonly RuleMistake[];
}

type Describe = (id: string) => EvidenceDescription | undefined;

/**
 * Reads and type-checks rules against the evidence that there is. Every mistake is returned at once, with its place;
 * a rule with a mistake is left out of `rules`. `known` are rules that are loaded already and may be named as causes.
 */
export function loadRules(
  texts: RuleTexts,
  describe: Describe,
  actions: KnownActions,
  known: readonly Rule[] = [],
): LoadedRules {
  const mistakes: RuleMistake[] = [];
  const written: WrittenRule[] = [];
  for (const file of texts.rules) {
    const read = readRuleFile(file, texts.schema);
    mistakes.push(...read.mistakes);
    if (read.rule) written.push(read.rule);
  }
  const ids = new Map<string, string>(known.map(rule => [rule.id, rule.file]));
  for (const rule of written) {
    const other = ids.get(rule.id);
    const at = { file: rule.file, ...rule.locate('id') };
    if (other) mistakes.push({ ...at, message: `the id ${rule.id} is taken by ${other}` });
    if (texts.retired.includes(rule.id))
      mistakes.push({ ...at, message: `the id ${rule.id} is retired: choose another` });
    ids.set(rule.id, rule.file);
  }
  const groups = readGroups(texts.groups, ids, mistakes);
  for (const rule of written) mistakes.push(...checkRule(rule, describe), ...fixMistakes(rule, actions));
  const broken = new Set(mistakes.map(mistake => mistake.file));
  const rules = written
    .map(rule => resolveCauses(rule, groups, ids, mistakes))
    .filter(rule => !broken.has(rule.file))
    .sort((a, b) => a.id.localeCompare(b.id, 'en'));
  return { rules, mistakes: mistakes.sort(byPlace) };
}

function byPlace(a: RuleMistake, b: RuleMistake): number {
  return a.file.localeCompare(b.file, 'en') || a.line - b.line || a.column - b.column;
}

const GROUPS_SCHEMA = {
  type: 'object',
  additionalProperties: {
    type: 'object',
    additionalProperties: false,
    required: ['means', 'members'],
    properties: {
      means: { type: 'string', minLength: 10 },
      members: {
        type: 'array',
        items: {
          type: 'object',
          additionalProperties: false,
          required: ['rule'],
          properties: {
            rule: { type: 'string' },
            shares: { type: 'array', minItems: 1, items: { type: 'string' } },
            when: { type: 'string', minLength: 1 },
          },
        },
      },
    },
  },
} as const;

interface Member {
  readonly rule: string;
  readonly shares?: readonly string[];
  readonly when?: Expression;
}

function readGroups(
  file: TextFile | undefined,
  ids: ReadonlyMap<string, string>,
  mistakes: RuleMistake[],
): ReadonlyMap<string, readonly Member[]> {
  const groups = new Map<string, readonly Member[]>();
  if (!file) return groups;
  const document = openYaml(file);
  const problems = document.mistakes.length > 0 ? document.mistakes : schemaMistakes(GROUPS_SCHEMA, document);
  mistakes.push(...problems);
  if (problems.length > 0) return groups;
  type Written = { members: readonly { rule: string; shares?: readonly string[]; when?: string }[] };
  for (const [name, group] of Object.entries(document.value as Readonly<Record<string, Written>>)) {
    const members: Member[] = [];
    group.members.forEach((member, index) => {
      const at = { file: file.path, ...document.locate([name, 'members', index]) };
      if (!ids.has(member.rule)) {
        mistakes.push({ ...at, message: `there is no rule ${member.rule}${suggest(member.rule, [...ids.keys()])}` });
        return;
      }
      const when = member.when === undefined ? {} : { when: { text: member.when, ...at } };
      members.push({ rule: member.rule, ...(member.shares ? { shares: member.shares } : {}), ...when });
    });
    groups.set(name, members);
  }
  return groups;
}

/** `causedBy` with its groups written out; what names no rule is a mistake. */
function resolveCauses(
  rule: WrittenRule,
  groups: ReadonlyMap<string, readonly Member[]>,
  ids: ReadonlyMap<string, string>,
  mistakes: RuleMistake[],
): Rule {
  const { locate, ...rest } = rule;
  const links: CauseLink[] = [];
  rule.causedBy.forEach((cause, index) => {
    const complain = (message: string) => mistakes.push({ file: rule.file, ...locate('causedBy', index), message });
    const when = cause.when ? { when: cause.when } : {};
    if (cause.rule) {
      if (!ids.has(cause.rule)) complain(`there is no rule ${cause.rule}${suggest(cause.rule, [...ids.keys()])}`);
      else links.push({ rule: cause.rule, shares: cause.shares, ...when });
      return;
    }
    const members = groups.get(cause.group);
    if (!members) {
      complain(`there is no group ${cause.group}${suggest(cause.group, [...groups.keys()])}`);
      return;
    }
    for (const member of members) {
      if (member.rule === rule.id || cause.except.includes(member.rule)) continue;
      links.push({ shares: cause.shares, ...when, ...member });
    }
  });
  return { ...rest, causedBy: links };
}

/** The objects that `causedBy[].when` compares. */
const FINDING: Shape = {
  rule: 'str',
  cluster: 'str',
  severity: 'str',
  since: 'time',
  subject: { kind: 'str', namespace: 'str', name: 'str' },
  facts: 'any',
};
export const CAUSE_SCOPE: Scope = new Map<string, Shape>([
  ['finding', FINDING],
  ['cause', FINDING],
]);

function checkRule(rule: WrittenRule, describe: Describe): readonly RuleMistake[] {
  const mistakes: RuleMistake[] = [];
  const read = new Set<string>();
  const scope = new Map<string, Shape>([['cluster', 'str']]);
  if (rule.thresholds.length > 0)
    scope.set('thresholds', Object.fromEntries(rule.thresholds.map(({ name }) => [name, 'float' as const])));
  const params: [string, Template][] = [];
  for (const [name, use] of Object.entries(rule.evidence)) {
    const at = { file: rule.file, ...rule.locate('evidence', name) };
    const description = describe(use.from);
    if (!description) {
      mistakes.push({ ...at, message: `there is no evidence ${use.from}` });
      scope.set(name, 'any');
      continue;
    }
    const given = Object.keys(use.with);
    if (given.sort().join() !== [...description.params].sort().join()) {
      const needs = description.params.length > 0 ? `with: ${description.params.join(', ')}` : 'no with:';
      mistakes.push({ ...at, message: `${use.from} needs ${needs}` });
    }
    if (rule.scope === 'cluster' || description.scope === 'fleet') scope.set(name, description.shape);
    else scope.set(name, mergedShape(description.shape));
    for (const template of Object.values(use.with)) params.push([name, template]);
  }

  const check = (expression: Expression, within: Scope, wanted: 'bool' | 'any' | 'list'): Shape => {
    const compiled = parse(expression.text);
    if (isSyntaxProblem(compiled)) {
      mistakes.push({ ...placeIn(expression, compiled.offset), message: compiled.message });
      return 'any';
    }
    const typed = typeCheck(compiled, within);
    for (const problem of typed.problems)
      mistakes.push({ ...placeIn(expression, problem.offset), message: problem.message });
    for (const name of typed.reads) read.add(name);
    if (typed.nodes > LONGEST_EXPRESSION) {
      mistakes.push({
        ...placeIn(expression, 0),
        message: `the expression has ${typed.nodes} parts, more than ${LONGEST_EXPRESSION}: make it derived evidence`,
      });
    }
    if (wanted === 'bool' && typed.shape !== 'bool' && typed.shape !== 'any') {
      mistakes.push({ ...placeIn(expression, 0), message: 'the expression gives no true or false' });
    }
    if (wanted === 'list' && !isList(typed.shape) && typed.shape !== 'any') {
      mistakes.push({ ...placeIn(expression, 0), message: 'the expression gives no list' });
    }
    return typed.shape;
  };
  const checkTemplate = (template: Template) => {
    for (const part of template.parts) if (typeof part !== 'string') check(part, scope, 'any');
  };

  if (rule.forEach) {
    const shape = check(rule.forEach.over, scope, 'list');
    scope.set(rule.forEach.name, isList(shape) ? shape[0] : 'any');
  }
  // Lazy, so that the evidence with parameters may use them and they may use it.
  for (const { name, value } of rule.let) scope.set(name, check(value, scope, 'any'));
  for (const [, template] of params) checkTemplate(template);
  if (rule.where) check(rule.where, scope, 'bool');
  check(rule.problemWhen, scope, 'bool');
  for (const template of [rule.subject.kind, rule.subject.namespace, rule.subject.name, rule.message])
    checkTemplate(template);
  if (rule.since) check(rule.since, scope, 'any');
  for (const { value } of rule.show) check(value, scope, 'any');
  if (rule.quote) check(rule.quote, scope, 'list');
  for (const value of rule.involves) check(value, scope, 'any');
  if (rule.atRisk) checkTemplate(rule.atRisk);
  checkTemplate(rule.fix.byHand);
  for (const automatic of rule.fix.automatic) {
    for (const template of Object.values(automatic.with)) checkTemplate(template);
    for (const { value } of automatic.onlyIf) check(value, scope, 'bool');
  }
  for (const { when } of rule.causedBy) if (when) check(when, CAUSE_SCOPE, 'bool');

  for (const { name } of rule.thresholds) {
    if (!read.has(`thresholds.${name}`)) {
      mistakes.push({
        file: rule.file,
        ...rule.locate('thresholds', name),
        message: `the threshold "${name}" is named and never read`,
      });
    }
  }
  for (const name of Object.keys(rule.evidence)) {
    if (!read.has(name)) {
      mistakes.push({
        file: rule.file,
        ...rule.locate('evidence', name),
        message: `the evidence "${name}" is named and never read`,
      });
    }
  }
  return mistakes;
}

/** What a fleet rule sees of the evidence of clusters: the rows of all, each with its cluster. */
export function mergedShape(shape: Shape): Shape {
  const row = isList(shape) ? shape[0] : shape;
  return [typeof row === 'object' && !isList(row) ? { ...row, cluster: 'str' } : row];
}

/** Where a character of an expression stands in its file; exact on one line, the line of its start otherwise. */
function placeIn(expression: Expression, offset: number): { file: string; line: number; column: number } {
  const before = expression.text.slice(0, offset);
  const lines = before.split('\n');
  if (lines.length === 1) return { file: expression.file, line: expression.line, column: expression.column + offset };
  return { file: expression.file, line: expression.line + lines.length - 1, column: lines.at(-1)!.length + 1 };
}

/** Every expression of a rule, compiled when it is first needed. */
export function compiledExpression(expression: Expression, cache: Map<string, Compiled>, row = ''): Compiled {
  const key = row ? `${row} ${expression.text}` : expression.text;
  let compiled = cache.get(key);
  if (!compiled) {
    const result = compile(expression.text, row);
    if (isSyntaxProblem(result)) throw new Error(`${expression.file}:${expression.line}: ${result.message}`);
    compiled = result;
    cache.set(key, compiled);
  }
  return compiled;
}
