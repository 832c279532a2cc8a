import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { LOG_COMPONENTS, loadSignatures, matchesIn } from '../../../src/evidence/logs/signature-file.ts';
import { gatesOf } from '../../../src/evidence/logs/signatures.ts';
import { loaded, signatures } from './signatures-of-the-package.ts';

const SCHEMA = JSON.parse(readFileSync(new URL('../../../rules/signatures.schema.json', import.meta.url), 'utf8'));

test('the signatures of the package have no mistake, and all of their examples hold', () => {
  expect(loaded.mistakes).toEqual([]);
  expect(loaded.signatures.length).toBeGreaterThan(190);
});

test.each(loaded.signatures.map(signature => [signature.id, signature] as const))(
  '%s: examples match alone and as its components see them',
  (_id, signature) => {
    for (const component of signature.components) {
      const search = signatures.search(component === 'any' ? 'prometheus' : component.replace(/^thanos-/, ''));
      for (const line of signature.examples.problem) expect(matchesIn(search, line)).toContain(signature);
      for (const line of signature.examples.benign) expect(matchesIn(search, line)).not.toContain(signature);
    }
    for (const gate of gatesOf(signature)) expect(gate.length).toBeGreaterThanOrEqual(5);
  },
);

test('what editors complete from agrees with what is checked', () => {
  const validate = new Ajv({ strict: false, allErrors: true }).compile(SCHEMA);
  const files = new Set(loaded.signatures.map(signature => signature.file));
  for (const file of files) {
    const text = readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');
    expect(validate(parse(text)), `${file}: ${JSON.stringify(validate.errors)}`).toBe(true);
  }
  expect(SCHEMA.items.properties.components.items.enum).toEqual(LOG_COMPONENTS);
});

const GOOD = `
- id: thing-broke
  means: The thing broke.
  components: [prometheus]
  match: { all: ["thing broke"] }
  healedBy: [restart]
  rules: []
  examples: { problem: ["the thing broke"] }
`;

function mistakesOf(text: string): readonly string[] {
  return loadSignatures([{ path: 'own.yaml', text }]).mistakes.map(
    ({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`,
  );
}

test('a good file gives dense signatures', () => {
  const { signatures: list, mistakes } = loadSignatures([{ path: 'own.yaml', text: GOOD }]);
  expect(mistakes).toEqual([]);
  expect(list).toEqual([
    {
      id: 'thing-broke',
      file: 'own.yaml',
      means: 'The thing broke.',
      components: ['prometheus'],
      level: '',
      marker: false,
      atLeast: 1,
      match: { all: ['thing broke'], any: [], not: [], regex: '' },
      healedBy: ['restart'],
      captures: {},
      rules: [],
      examples: { problem: ['the thing broke'], benign: [] },
    },
  ]);
});

test.each([
  [
    'look-around',
    GOOD.replace('all: ["thing broke"]', 'all: ["thing broke"], regex: "(?=x)"'),
    /own\.yaml:5:.*look-around/,
  ],
  ['a back-reference', GOOD.replace('all: ["thing broke"]', `all: ["thing broke"], regex: '(a)\\1'`), /own\.yaml:5:/],
  ['no literal', GOOD.replace('all: ["thing broke"]', 'regex: "thing broke"'), /needs a literal/],
  ['an empty literal', GOOD.replace('"thing broke"]', '""]'), /not empty/],
  ['a short literal', GOOD.replace('["thing broke"]', '["brok"]'), /"brok" is too short/],
  ['a quote in a literal', GOOD.replace('["thing broke"]', `['thing "broke']`), /holds no quote/],
  ['an id twice', GOOD + GOOD, /own\.yaml:10:7: "thing-broke" is also in own\.yaml/],
  [
    'an unknown healer',
    GOOD.replace('[restart]', '[thing-mended]'),
    /own\.yaml:6:14: there is no signature "thing-mended"/,
  ],
  ['a duration that is none', GOOD.replace('[restart]', '["quiet:soon"]'), /no duration/],
  ['a pace of another component', GOOD.replace('[restart]', '["quiet:1m@grafana"]'), /none of the components/],
  ['no healer', GOOD.replace('  healedBy: [restart]\n', ''), /"healedBy" has to say/],
  [
    'an example that does not match',
    GOOD.replace('["the thing broke"]', '["all is well"]'),
    /own\.yaml:8:25: this line does not match/,
  ],
  [
    'an example that does',
    GOOD.replace('["the thing broke"]', '["the thing broke"], benign: ["a thing broke"]'),
    /this line matches/,
  ],
  ['no example', GOOD.replace('examples: { problem: ["the thing broke"] }', 'examples: {}'), /no example/],
  ['an unknown component', GOOD.replace('[prometheus]', '[nginx]'), /there is no component "nginx"/],
  ['an unknown key', GOOD.replace('rules: []', 'rule: []'), /there is no key "rule"/],
  ['a level that is none', GOOD.replace('rules: []', 'rules: []\n  level: loud'), /"level" has to be one of/],
  [
    'a capture without its group',
    GOOD.replace('rules: []', 'rules: []\n  captures: { who: "by (.*)" }'),
    /no group \(\?<who>…\)/,
  ],
  [
    "Python's named group",
    GOOD.replace('rules: []', 'rules: []\n  captures: { who: "by (?P<who>.*)" }'),
    /write a named group as/,
  ],
  ['YAML that is broken', '- id: [', /own\.yaml:/],
  ['something else than a list', 'id: x', /holds a list/],
])('%s is a mistake', (_what, text, message) => {
  expect(mistakesOf(text).join('\n')).toMatch(message);
});

test('every mistake is told at once, with its place, and a broken signature is left out', () => {
  const text = `${GOOD}${GOOD.replaceAll('thing', 'other').replace('[prometheus]', '[nginx]').replace('"other broke"]', '"x"]')}`;
  const { signatures: list, mistakes } = loadSignatures([{ path: 'own.yaml', text }]);
  expect(list.map(signature => signature.id)).toEqual(['thing-broke']);
  expect(mistakes.map(mistake => mistake.line)).toEqual([12, 13]);
});
