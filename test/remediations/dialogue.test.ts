import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { confirmPlan, type Dialogue } from '../../src/cli/fix-dialogue.ts';
import type { Plan } from '../../src/model/remediation.ts';
import { stage } from './harness.ts';
import { SCENES } from './scenes.ts';

const PLAN: Plan = {
  action: 'a.b',
  title: 'do it',
  finding: 'rule/c/Kind/ns/name',
  rule: 'rule',
  cluster: 'c',
  risk: 'change',
  riskText: '',
  steps: [],
  diffs: [],
  objects: [],
  guards: [],
  verify: { what: '', seconds: 1 },
  undo: { what: '', steps: [] },
  typed: '',
  notes: [],
  patches: [],
  digest: 'abc',
};
const GIVEN = { yes: false, digest: '' };

function person(text: string | undefined, isTerminal = true): Dialogue {
  const input = new PassThrough();
  if (text !== undefined) input.write(text);
  input.end();
  const output = new PassThrough();
  output.resume();
  return { input, output, isTerminal, showWhole() {} };
}

test.each([
  ['y\n', { is: 'yes' }],
  ['YES\n', { is: 'yes' }],
  ['\n', { is: 'no' }],
  ['n\n', { is: 'no' }],
  ['s\n', { is: 'skip all' }],
  ['q\n', { is: 'quit' }],
])('%j on a terminal', async (text, answer) => {
  expect(await confirmPlan(PLAN, GIVEN, person(text))).toEqual(answer);
});

test('the end of the input is no yes', async () => {
  expect(await confirmPlan(PLAN, GIVEN, person(undefined))).toMatchObject({ is: 'refused' });
});

test('without a terminal nothing that is piped counts', async () => {
  const answer = await confirmPlan(PLAN, GIVEN, person('y\n', false));
  expect(answer).toMatchObject({ is: 'refused', why: expect.stringContaining('--confirm abc') });
});

test('--yes covers a change, and nothing by which data could be lost', async () => {
  const given = { yes: true, digest: '' };
  expect(await confirmPlan(PLAN, given, person(undefined, false))).toEqual({ is: 'yes' });
  const loss: Plan = { ...PLAN, risk: 'data-loss', typed: 'main' };
  expect(await confirmPlan(loss, given, person(undefined, false))).toMatchObject({ is: 'refused' });
  expect(await confirmPlan(loss, { yes: true, digest: 'abc' }, person(undefined, false))).toMatchObject({
    is: 'refused',
  });
  expect(await confirmPlan(loss, given, person('y\n'))).toEqual({ is: 'no' });
  expect(await confirmPlan(loss, given, person('main\n'))).toEqual({ is: 'yes' });
});

test('a digest confirms that plan, and no other', async () => {
  expect(await confirmPlan(PLAN, { yes: false, digest: 'abc' }, person(undefined, false))).toEqual({ is: 'yes' });
  expect(await confirmPlan(PLAN, { yes: true, digest: 'abd' }, person('y\n'))).toMatchObject({ is: 'refused' });
});

test('a plan with a guard that does not pass is never confirmed', async () => {
  const guards = [{ id: 'g', what: '', result: 'unknown' as const, detail: '' }];
  expect(await confirmPlan({ ...PLAN, guards }, { yes: true, digest: 'abc' }, person('y\n'))).toEqual({ is: 'no' });
});

test('what could lose data is taken back with the same consent', async () => {
  const scene = SCENES['prometheus.set-external-labels']!;
  const { plan, apply, undoPlan } = await stage(scene);
  const done = await plan();
  await apply(done);
  const undo = await undoPlan();
  expect(undo).toMatchObject({ risk: 'data-loss', typed: done.typed });
  expect(undo.typed).not.toBe('');
  const given = { yes: true, digest: '' };
  expect(await confirmPlan(undo, given, person(undefined, false))).toMatchObject({ is: 'refused' });
  expect(await confirmPlan(undo, given, person('y\n'))).toEqual({ is: 'no' });
  expect(await confirmPlan(undo, given, person(`${undo.typed}\n`))).toEqual({ is: 'yes' });
});

test('what needed no more than a yes is taken back with one', async () => {
  const { plan, apply, undoPlan } = await stage(SCENES['kubernetes.uncordon-node']!);
  await apply(await plan());
  expect(await undoPlan()).toMatchObject({ risk: 'change', typed: '' });
});
