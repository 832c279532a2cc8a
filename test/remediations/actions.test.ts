import { expect, test } from 'vitest';
import { ACTIONS } from '../../src/remediations/catalogue.ts';
import { startMutableServer } from '../mutable-server/server.ts';
import { describeActions } from './action-suite.ts';
import { SCENES } from './scenes.ts';

test('every action has a scene', () => {
  expect([...ACTIONS.keys()].filter(id => !SCENES[id])).toEqual([]);
});

describeActions(startMutableServer);
