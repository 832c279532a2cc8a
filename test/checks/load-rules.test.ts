import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compiledExpression } from '../../src/checks/load-rules.ts';
import { openYaml, readRuleFile, schemaMistakes } from '../../src/checks/rule-file.ts';
import { suggest } from '../../src/checks/type-check.ts';
import { load, ruleText } from './rule-texts.ts';

function mistakesOf(text: string): readonly string[] {
  return load([text]).mistakes.map(({ line, column, message }) => `${line}:${column}: ${message}`);
}

test('a sound rule has no mistake and says what was written', () => {
  const { rules, mistakes } = load([
    ruleText({ tags: '[daily]', where: 'box.size > 0', since: 'box.since', atRisk: 'the floor below ${box.name}' }),
  ]);
  expect(mistakes).toEqual([]);
  expect(rules[0]).toMatchObject({
    id: 'box-full',
    folder: 'boxes',
    scope: 'cluster',
    tags: ['daily'],
    forEach: { name: 'box' },
  });
});

describe('each mistake is said with its place', () => {
  test.each<[string, Record<string, string | undefined>, string]>([
    ['a key that does not exist', { sevrity: 'critical' }, '11:1: there is no key "sevrity"; did you mean "severity"?'],
    ['a key that is missing', { message: undefined }, '"message" is missing'],
    ['a wrong severity', { severity: 'bad' }, '3:11: severity: must be one of critical, warning, info'],
    ['an expression that is a number', { problemWhen: '1' }, '7:14: problemWhen: must be a string'],
    ['an expression that is no condition', { problemWhen: 'box.size' }, '7:14: the expression gives no true or false'],
    ['a field that does not exist', { problemWhen: 'box.ful' }, '7:18: there is no field "ful"; did you mean "full"?'],
    ['a name that does not exist', { problemWhen: 'bax.full' }, '7:14: there is no "bax" here; did you mean "box"?'],
    [
      'a function that does not exist',
      { problemWhen: 'sise(boxes) > 0' },
      'there is no function "sise"; did you mean "size"?',
    ],
    ['matches, which may run for ever', { problemWhen: 'box.name.matches("(a+)+")' }, 'there is no method "matches"'],
    ['a function with too many values', { problemWhen: 'size(boxes, 1) > 0' }, '"size" takes 1 values, here are 2'],
    ['text compared with a number', { problemWhen: 'box.name == 1' }, 'a text is compared with a number'],
    ['text added to a number', { problemWhen: 'box.size + box.name == 1' }, '"+" between a number and a text'],
    [
      'a number where a condition is needed',
      { problemWhen: 'box.size && box.full' },
      'a number stands where true or false is needed',
    ],
    ['not before a number', { problemWhen: '"!box.size"' }, '"!" stands before a number'],
    ['in without a list', { problemWhen: '"\\"a\\" in box.size"' }, '"in" needs a list or a map, here is a number'],
    ['a field of a list', { problemWhen: 'boxes.full' }, 'a list has no field "full"'],
    ['a field of a text', { problemWhen: 'box.name.size' }, 'a text has no field "size"'],
    ['a list indexed by text', { problemWhen: 'boxes["a"].full' }, 'a list is indexed by a text'],
    ['a text indexed', { problemWhen: 'box.name[0] == "a"' }, 'a text cannot be indexed'],
    ['a text method on a list', { problemWhen: 'boxes.contains("a")' }, '"contains" does not apply to a list'],
    ['exists on a text', { problemWhen: 'box.name.exists(x, x == "a")' }, '"exists" does not apply to a text'],
    ['exists without a name', { problemWhen: 'boxes.exists(1, true)' }, 'invalid predicate iteration variable'],
    ['exists without a condition', { problemWhen: 'boxes.exists(x, x.size)' }, '"exists" needs a condition'],
    ['forEach over no list', { forEach: 'box in boxes[0].name' }, 'the expression gives no list'],
    ['a division by what may be 0', { problemWhen: 'box.size / box.share > 1' }, '"/" by what may be 0'],
    ['a remainder by 0', { problemWhen: 'box.size % 0 == 1' }, '"%" by what may be 0'],
    ['what cannot be parsed', { problemWhen: 'box.full &&' }, '7:'],
    [
      'a record where a condition is needed',
      { problemWhen: 'boxes[0] && box.full' },
      'a record stands where true or false is needed',
    ],
    ['a name that does not exist in a map', { problemWhen: '\'{"a": bax}.a == 1\'' }, 'there is no "bax" here'],
    ['a tag that is empty', { tags: '[""]' }, 'tags.0: is empty'],
    ['a record compared with a text', { problemWhen: 'boxes[0] == "red"' }, 'a record is compared with a text'],
    ['sense in a comparison of kinds', { problemWhen: 'box.full == "yes"' }, 'true or false is compared with a text'],
    [
      'a brace that is not closed after another',
      { message: '"Box ${ {\'a\': 1}.a is full."' },
      '"${" is not closed by "}"',
    ],
    ['an alias without end', { symptom: '[&a [1], *a]' }, 'symptom: must be a string'],
    ['evidence that does not exist', { evidence: '{ boxes: box.lisst }' }, 'there is no evidence box.lisst'],
    [
      'evidence that is never read',
      { evidence: '{ boxes: box.list, room: box.room }' },
      'the evidence "room" is named and never read',
    ],
    ['a threshold that is never read', { thresholds: '{ size: 5 }' }, 'the threshold "size" is named and never read'],
    ['a threshold without sense', { thresholds: '{ wait: 5 parsecs }' }, '"5 parsecs" is no threshold'],
    [
      'a threshold that nobody named',
      { thresholds: '{ size: 5 }', problemWhen: 'box.size > thresholds.sizze' },
      'there is no field "sizze"; did you mean "size"?',
    ],
    [
      'a threshold compared with a text',
      { thresholds: '{ size: 5 }', problemWhen: 'box.name == thresholds.size' },
      'a text is compared with a number',
    ],
    [
      'parameters that are missing',
      { evidence: '{ boxes: box.list, w: box.weight }', where: 'w.kilos > 1' },
      'box.weight needs with: name',
    ],
    [
      'parameters that are not wanted',
      { evidence: '{ boxes: { from: box.list, with: { a: b } } }' },
      'box.list needs no with:',
    ],
    ['a brace that is not closed', { message: '"Box ${box.name is full."' }, '"${" is not closed by "}"'],
    [
      'a cause that does not exist',
      { causedBy: '[{ rule: box-ful, shares: [Box] }]' },
      'there is no rule box-ful; did you mean "box-full"?',
    ],
    ['a group that does not exist', { causedBy: '[{ group: boxes, shares: [Box] }]' }, 'there is no group boxes'],
    [
      'a cause condition with a wrong name',
      { causedBy: '[{ rule: box-full, shares: [Box], when: "caus.rule == \\"a\\"" }]' },
      'there is no "caus" here',
    ],
    ['an expression that reads as a tag', { problemWhen: '!box.full' }, 'written after ">"'],
    ['an alias to nothing', { where: '*nothing' }, 'nothing'],
  ])('%s', (_name, changes, expected) => {
    expect(mistakesOf(ruleText(changes)).join('\n')).toContain(expected);
  });

  test('all at once, in the order of files and lines', () => {
    const { mistakes, rules } = load([
      ruleText({ id: 'b-rule', problemWhen: 'box.a && box.b' }),
      ruleText({ id: 'a-rule', title: undefined }),
    ]);
    expect(mistakes.map(mistake => mistake.file)).toEqual([
      'rules/boxes/a-rule.yaml',
      'rules/boxes/b-rule.yaml',
      'rules/boxes/b-rule.yaml',
    ]);
    expect(rules).toEqual([]);
  });

  test('words that are wrong keep nothing else from being said', () => {
    expect(mistakesOf(ruleText({ severity: 'bad', title: 'A box is full.', problemWhen: 'box.ful' }))).toEqual([
      '2:8: title: must not end with a full stop',
      '3:11: severity: must be one of critical, warning, info',
      '7:18: there is no field "ful"; did you mean "full"?',
    ]);
  });

  test('in an expression of several lines, the line in it', () => {
    const text = ruleText({ problemWhen: '|\n  box.full &&\n  box.nothing' });
    expect(mistakesOf(text).join()).toContain('8:');
  });
});

test('an action that does not exist, or is given something else than it takes', () => {
  const automatic = (text: string) =>
    mistakesOf(ruleText({ fix: `{ byHand: "empty the box now", automatic: ${text} }` }));
  expect(automatic('{ action: box.empti, with: { box: red } }')).toEqual([
    '10:58: there is no action box.empti; did you mean "box.empty"?',
  ]);
  expect(automatic('{ action: box.empty, with: { box: red, rom: north } }')).toEqual([
    '10:92: box.empty takes no rom; did you mean "room"? (it takes box, room)',
  ]);
  expect(automatic('{ action: box.empty, with: { room: north } }')).toEqual(['10:75: box.empty needs box']);
  const two = '[{ action: box.empty, with: { box: red } }, { action: box.empty, with: {} }]';
  expect(automatic(two)).toEqual(['10:119: box.empty needs box']);
  expect(automatic('[{ action: box.empty, with: { box: red } }]')).toEqual([
    expect.stringContaining('fewer than 2 items'),
  ]);
});

test('an id that is taken, retired or not the name of the file', () => {
  expect(load([ruleText(), ruleText()]).mistakes[0]?.message).toContain('is taken by');
  expect(load([ruleText()], undefined, ['box-full']).mistakes[0]?.message).toContain('is retired');
});

test('an expression too long to be read is refused', () => {
  const long = Array.from({ length: 50 }, (_, index) => `box.size == ${index}`).join(' || ');
  expect(mistakesOf(ruleText({ problemWhen: long })).join()).toContain('make it derived evidence');
});

describe('groups', () => {
  const cause = (id: string) => ruleText({ id });

  test("stand for their members, with the use's shares where a member has none", () => {
    const groups =
      'troubles:\n  means: Why boxes are full.\n  members:\n    - { rule: a-cause }\n    - { rule: b-cause, shares: [Room], when: "cause.rule != finding.rule" }\n    - { rule: c-cause }\n    - { rule: box-full }\n';
    const { rules, mistakes } = load(
      [
        ruleText({ causedBy: '[{ group: troubles, shares: [Box], except: [c-cause] }]' }),
        cause('a-cause'),
        cause('b-cause'),
        cause('c-cause'),
      ],
      groups,
    );
    expect(mistakes).toEqual([]);
    const links = rules.find(rule => rule.id === 'box-full')!.causedBy;
    expect(links.map(({ rule, shares }) => [rule, shares])).toEqual([
      ['a-cause', ['Box']],
      ['b-cause', ['Room']],
    ]);
    expect(links[1]!.when?.text).toContain('cause.rule');
  });

  test('that name no rule, or are broken, are mistakes', () => {
    expect(
      load([ruleText()], 'troubles:\n  means: Why boxes are full.\n  members: [{ rule: nobody }]\n').mistakes[0]
        ?.message,
    ).toContain('there is no rule nobody');
    expect(load([ruleText()], 'troubles: 1\n').mistakes[0]?.message).toContain('must be an object');
    expect(load([ruleText()], 'troubles: [\n').mistakes).not.toEqual([]);
  });
});

test('a fleet rule sees rows with their cluster', () => {
  const fleet = { scope: 'fleet', problemWhen: 'box.cluster == "attic" && box.full' };
  expect(load([ruleText(fleet)]).mistakes).toEqual([]);
  expect(
    load([ruleText({ ...fleet, evidence: '{ boxes: fleet.boxes }', problemWhen: 'box.count > 1' })]).mistakes,
  ).toEqual([]);
  const single = { scope: 'fleet', evidence: '{ boxes: box.room }', problemWhen: 'box.open && box.cluster != ""' };
  expect(load([ruleText(single)]).mistakes).toEqual([]);
});

describe('expressions that are sound', () => {
  test.each([
    'box.full == true',
    '-box.size < 0',
    'size({"a": box.size}) == 1',
    'first(boxes, box).full',
    'max(boxes.map(b, b.size)) > 3',
    'size(distinct(box.tags)) > 1',
    'first(box.tags, "") == "x"',
    'box.labels["a"] == "1" && box.labels.b == "2"',
    'box.labels.exists(k, k == "a")',
    'box.size + box.share > 1.5',
    'box.tags.all(t, t.startsWith("x")) ? box.full : !box.full',
    '"x" in box.tags || "a" in box.labels',
    'minutes(5) > 1',
    'box.full && ["a", "b"].exists(t, t in box.tags)',
    'size([]) == 0',
    'box.size / 2 > 1 && box.size % 3 == 0',
    'size(boxes.filter(b, b.full)) > 1 && double(box.size) / 1.5 > 1',
    '[].exists(x, x == 1)',
    'first([], 1) == 1',
    'box.since == "" || box.since.size() > 3',
    'box.name.split(",").join(";") == ""',
  ])('%s', problemWhen => {
    const { rules, mistakes } = load([ruleText({ problemWhen: `'${problemWhen.replaceAll("'", "''")}'` })]);
    expect(mistakes).toEqual([]);
    expect(rules).toHaveLength(1);
  });

  test('braces and quotes inside of prose', () => {
    const { mistakes } = load([
      ruleText({ message: `'Box \${ {"a": "}"}["a"] } of \${box.name} and \${"\\"}"} is full.'` }),
    ]);
    expect(mistakes).toEqual([]);
  });
});

describe('files', () => {
  const SCHEMA = {
    type: 'object',
    properties: { a: { type: 'string', minLength: 3 }, items: { type: 'array', items: { enum: ['x'] } } },
    oneOf: [{ required: ['a'] }, { required: ['b'] }],
  };
  const open = (text: string) => openYaml({ path: 'file.yaml', text });
  const said = (text: string) =>
    schemaMistakes(SCHEMA, open(text)).map(({ line, column, message }) => `${line}:${column}: ${message}`);

  test('what a schema has against them, in words and with its place', () => {
    expect(said('a: abc')).toEqual([]);
    expect(said('items: [x, y]\na: abc')).toEqual(['1:12: items.1: must be one of x']);
    expect(said('a: ab')).toEqual(['1:4: a: has fewer than 3 characters']);
    expect(said('a: abc\nb: 1')).toEqual(['1:1: must match exactly one schema in oneOf']);
    expect(said('')).toEqual(['1:1: must be an object']);
  });

  test('aliases without end are a mistake, and no more', () => {
    const levels = Array.from(
      { length: 9 },
      (_, level) => `l${level + 1}: &l${level + 1} [${`*l${level},`.repeat(9)}]`,
    );
    const { mistakes, value } = open(`l0: &l0 x\n${levels.join('\n')}`);
    expect(mistakes.map(({ message }) => message).join()).toMatch(/alias/i);
    expect(value).toBeUndefined();
  });

  test('the place of a key that is not there is that of its map', () => {
    const document = open('a:\n  b: 1\n');
    expect(document.locateKey(['a'], 'b')).toEqual({ line: 2, column: 3 });
    expect(document.locateKey(['a'], 'c')).toEqual({ line: 2, column: 3 });
    expect(document.locateKey(['a', 'b'], 'c')).toEqual({ line: 2, column: 6 });
    expect(open('').locate(['a'])).toEqual({ line: 1, column: 1 });
    expect(document.commentAbove('none')).toBe('');
  });

  test('a rule whose id is not its file name', () => {
    const file = { path: 'boxes/box.yaml', text: ruleText() };
    const { mistakes } = readRuleFile(
      file,
      JSON.parse(readFileSync(new URL('../../rules/schema.json', import.meta.url), 'utf8')),
    );
    expect(mistakes).toMatchObject([{ line: 1, message: 'id "box-full" is not the file\'s name "box"' }]);
  });
});

test('the nearest name; of two that are equally near the first in the alphabet', () => {
  expect(suggest('red', ['rod', 'rid', 'blue'])).toBe('; did you mean "rid"?');
  expect(suggest('red', ['green', 'yellow'])).toBe('');
});

test('an expression that cannot be compiled any more is a bug with its place', () => {
  const expression = { text: 'a &&', file: 'rules/a.yaml', line: 3, column: 1 };
  expect(() => compiledExpression(expression, new Map())).toThrow(/^rules\/a\.yaml:3: /);
});
