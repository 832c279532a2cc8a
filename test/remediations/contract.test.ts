import { expect, test } from 'vitest';
import { RULES_FOLDER } from '../../src/app/package-files.ts';
import { loadRulesFrom } from '../../src/app/rule-files.ts';
import { ACTIONS } from '../../src/remediations/catalogue.ts';
import { SCENES } from './scenes.ts';

const { rules, mistakes } = loadRulesFrom(RULES_FOLDER);
const offered = rules.flatMap(({ id, fix }) => fix.automatic.map(automatic => ({ rule: id, ...automatic })));

test('every rule gives its actions what they take, and they exist', () => {
  expect(mistakes).toEqual([]);
  expect(offered.length).toBeGreaterThan(60);
});

test('every action is offered by a rule', () => {
  const used = new Set(offered.map(({ action }) => action));
  expect([...ACTIONS.keys()].filter(id => !used.has(id))).toEqual([]);
});

test('every parameter of an action is given by a rule, and by the scene that it is tried on', () => {
  const unused = [...ACTIONS.values()].flatMap(({ id, parameters }) => {
    const given = new Set(offered.filter(({ action }) => action === id).flatMap(entry => Object.keys(entry.with)));
    return Object.keys(parameters).filter(name => !given.has(name) && !Object.hasOwn(SCENES[id]?.with ?? {}, name));
  });
  expect(unused).toEqual([]);
});

test('every rule says what its fix risks', () => {
  expect(offered.filter(({ risk }) => !/\.$/.test(risk)).map(({ rule }) => rule)).toEqual([]);
});

test('of several actions, all but the last are offered on a condition', () => {
  const hidden = rules.filter(({ fix }) => fix.automatic.slice(0, -1).some(({ onlyIf }) => onlyIf.length === 0));
  expect(hidden.map(({ id }) => id)).toEqual([]);
});

test('in a rule of the fleet, an object that is changed is named with its cluster', () => {
  const fleet = rules
    .filter(({ scope }) => scope === 'fleet')
    .flatMap(({ id, fix }) => fix.automatic.map(({ with: given }) => ({ id, given })));
  expect(fleet.length).toBeGreaterThan(5);
  for (const { id, given } of fleet) {
    const keys = ['workload', 'compactor', 'prometheus'].filter(name => given[name]);
    expect(keys, id).not.toEqual([]);
  }
});
