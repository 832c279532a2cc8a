import { describe, expect, test } from 'vitest';
import { gapElement } from '../../src/evidence/gaps.ts';
import type { Finding, Verdict } from '../../src/model/finding.ts';
import { type Gap, GapSignal } from '../../src/model/gap.ts';
import { box, evaluate, loadOne, storeOf } from './rule-texts.ts';

const GAP: Gap = { evidence: 'box.list', reason: 'timed-out', detail: 'no answer', path: '', notLookedAt: false };

function findingOf(verdicts: readonly Verdict[]): Finding {
  const [verdict] = verdicts;
  if (verdict?.is !== 'problem') throw new Error(`no problem: ${JSON.stringify(verdicts)}`);
  return verdict.finding;
}

/** A row of which one field is a gap. */
function withGap(field: string, changes: Readonly<Record<string, unknown>> = {}, gap: Gap = GAP): object {
  return Object.defineProperty({ ...box(changes) }, field, {
    enumerable: true,
    get() {
      throw new GapSignal(gap);
    },
  });
}

describe('a single check', () => {
  const single = {
    evidence: '{ room: box.room }',
    forEach: undefined,
    subject: '{ kind: Room, name: "${room.name}" }',
    message: 'Room ${room.name} is open.',
    fix: '{ byHand: "close the room" }',
  };

  test('to which the rule does not apply is nothing', async () => {
    const rule = loadOne({ ...single, where: 'room.name == "north"', problemWhen: 'room.open' });
    expect(await evaluate(rule, storeOf({ 'box.room': { name: 'south', open: true } }))).toEqual([]);
    expect(await evaluate(rule, storeOf({ 'box.room': { name: 'north', open: true } }))).toHaveLength(1);
  });

  test('whose where is not known is unknown', async () => {
    const rule = loadOne({ ...single, where: 'room.name == "north"', problemWhen: 'room.open' });
    expect(await evaluate(rule, storeOf({}))).toMatchObject([
      { is: 'unknown', unknown: { gaps: [{ reason: 'forbidden' }] } },
    ]);
  });
});

describe('the name of what is judged', () => {
  const heavy = {
    evidence: '{ boxes: box.list, weight: { from: box.weight, with: { name: "${box.name}" } } }',
    subject: '{ kind: Box, name: "${weight.kilos} kg" }',
  };

  test('is read only where it is needed: what is well has none', async () => {
    const asked: string[] = [];
    const verdicts = await evaluate(loadOne(heavy), storeOf({ 'box.list': [box()] }, asked));
    expect(verdicts).toMatchObject([{ is: 'healthy', subject: { name: '' } }]);
    expect(asked).toEqual(['box.list']);
  });

  test('is read for a problem', async () => {
    const values = { 'box.list': [box({ full: true })], 'box.weight red': { kilos: 12 } };
    expect(findingOf(await evaluate(loadOne(heavy), storeOf(values))).subject.name).toBe('12 kg');
  });

  test('that cannot be known loses no problem', async () => {
    const finding = findingOf(await evaluate(loadOne(heavy), storeOf({ 'box.list': [box({ full: true })] })));
    expect(finding.subject.name).toBe('(not known) kg');
  });
});

describe('gaps', () => {
  test('inside of a row that do not say whose they are belong to the first evidence', async () => {
    const row = withGap('full', {}, { ...GAP, evidence: '' });
    expect(await evaluate(loadOne(), storeOf({ 'box.list': [row] }))).toMatchObject([
      { is: 'unknown', unknown: { gaps: [{ evidence: 'box.list', reason: 'timed-out' }] } },
    ]);
  });

  test('of what a bundle lacks were not looked at, where the evidence is optional', async () => {
    const row = withGap('full', {}, { ...GAP, reason: 'not-in-bundle' });
    expect(await evaluate(loadOne(), storeOf({ 'box.list': [row] }))).toMatchObject([
      { is: 'unknown', unknown: { gaps: [{ notLookedAt: true }] } },
    ]);
  });

  test('a parameter that is not known is a gap, too', async () => {
    const rule = loadOne({
      evidence: '{ boxes: box.list, weight: { from: box.weight, with: { name: "a-${box.since}" } } }',
      problemWhen: 'weight.kilos > 10',
    });
    expect(await evaluate(rule, storeOf({ 'box.list': [withGap('since')] }))).toMatchObject([{ is: 'unknown' }]);
    expect(await evaluate(rule, storeOf({ 'box.list': [box()], 'box.weight a-': { kilos: 12 } }))).toMatchObject([
      { is: 'problem' },
    ]);
  });

  test('a mistake at run time is a gap of ours, and never health', async () => {
    const rule = loadOne({ problemWhen: 'box.tags[5] == "x"' });
    expect(await evaluate(rule, storeOf({ 'box.list': [box()] }))).toMatchObject([
      { is: 'unknown', unknown: { gaps: [{ reason: 'rule-error', evidence: 'box.list' }] } },
    ]);
  });

  test('each is named once, however often it was met', async () => {
    const rule = loadOne({ problemWhen: 'box.full || box.full || box.since == "x"' });
    const [verdict] = await evaluate(rule, storeOf({ 'box.list': [withGap('full')] }));
    expect(verdict?.is === 'unknown' && verdict.unknown.gaps).toHaveLength(1);
  });

  test('a bug is thrown, and is no gap', async () => {
    const row = Object.defineProperty({ ...box({ full: true }) }, 'labels', {
      get() {
        throw new RangeError('a bug');
      },
    });
    const rule = loadOne({ show: '{ L: "[box]" }' });
    await expect(evaluate(rule, storeOf({ 'box.list': [row] }))).rejects.toThrow();
  });
});

describe('facts and prose', () => {
  const fullBox = (changes: object) => storeOf({ 'box.list': [{ ...box({ full: true }), ...changes }] });

  test('what is not known of a list is said, and what is not known at all is no fact', async () => {
    const rule = loadOne({
      show: '{ Tags: box.tags, Second: "box.tags[1]", None: "box.tags.filter(t, t == \\"z\\")" }',
    });
    const finding = findingOf(await evaluate(rule, fullBox({ tags: ['x', gapElement(GAP)] })));
    expect(finding.facts).toEqual({ Tags: ['x', '(not known)'] });
  });

  test('numbers, no age, records, lists and gaps in prose', async () => {
    const rule = loadOne({
      message:
        '"Box ${box.name}: ${box.size}, ${box.share}, ${box.labels}, ${box.tags}, ${box.since} and ${box.full} is full."',
    });
    const finding = findingOf(
      await evaluate(rule, fullBox({ size: -1, share: 0.25, labels: { a: '1', b: '' }, tags: ['x', 'y'] })),
    );
    expect(finding.message).toBe('Box red: -1, 0.25, a=1, x, y,  and true is full.');
  });

  test('a record with a part that is not known keeps the others', async () => {
    const labels = Object.defineProperty({ b: '2', c: '' }, 'a', {
      enumerable: true,
      get() {
        throw new GapSignal(GAP);
      },
    });
    expect(findingOf(await evaluate(loadOne({ show: '{ L: box.labels }' }), fullBox({ labels }))).facts).toEqual({
      L: { b: '2' },
    });
  });

  test('an element that is not known is left out of lists of objects', async () => {
    const rule = loadOne({ involves: '["box.tags", "box.size"]' });
    const finding = findingOf(await evaluate(rule, fullBox({ tags: ['Box x', gapElement(GAP), ''] })));
    expect(finding.involves).toEqual(['Box red @attic', 'Box x @attic']);
  });

  test('of a time that is none', async () => {
    expect(
      findingOf(
        await evaluate(loadOne({ since: 'box.since' }), storeOf({ 'box.list': [withGap('since', { full: true })] })),
      ).since,
    ).toBe('');
  });
});

describe('rows of one subject', () => {
  test('where one does not apply, the other counts', async () => {
    const rule = loadOne({ where: 'box.size > 1', subject: '{ kind: Room, name: north }' });
    const verdicts = await evaluate(rule, storeOf({ 'box.list': [box(), box({ size: 2, full: true })] }));
    expect(verdicts).toMatchObject([{ is: 'problem' }]);
  });

  test('where a part of the condition has to be collected, and the rule does not apply to some', async () => {
    const rule = loadOne({
      evidence: '{ boxes: box.list, weight: { from: box.weight, with: { name: "${box.name}" } } }',
      where: 'weight.kilos > 5',
    });
    const values = {
      'box.list': [box({ full: true }), box({ name: 'blue' })],
      'box.weight red': { kilos: 9 },
      'box.weight blue': { kilos: 1 },
    };
    expect(await evaluate(rule, storeOf(values))).toMatchObject([
      { is: 'problem', finding: { subject: { name: 'red' } } },
    ]);
  });

  test('facts that only some of them have', async () => {
    const rule = loadOne({ subject: '{ kind: Room, name: north }', show: '{ Since: box.since, Labels: box.labels }' });
    const boxes = [box({ full: true }), box({ full: true, since: '2026-01-01T00:00:00Z', labels: { a: '1' } })];
    const finding = findingOf(await evaluate(rule, storeOf({ 'box.list': boxes })));
    expect(finding.facts).toEqual({ Since: '2026-01-01T00:00:00Z', Labels: { a: '1' } });
    expect(finding.since).toBe('');
  });

  const withFix = (onlyIf: string) =>
    loadOne({
      subject: '{ kind: Room, name: north }',
      fix: `{ byHand: "empty the boxes now", automatic: { action: box.empty, with: { box: "\${box.name}", room: north }, onlyIf: { fine: ${onlyIf} } } }`,
    });
  const two = [box({ full: true, size: 1 }), box({ name: 'blue', full: true, size: 2 })];

  test('one action for all of them', async () => {
    const { fix } = findingOf(await evaluate(withFix('box.size > 0'), storeOf({ 'box.list': two })));
    expect(fix).toMatchObject({ automatic: 'box.empty', action: { with: { box: 'red,blue', room: 'north' } } });
  });

  test('none where one of them may not be fixed', async () => {
    const { fix } = findingOf(await evaluate(withFix('box.size > 1'), storeOf({ 'box.list': two })));
    expect(fix).toEqual({ byHand: 'empty the boxes now', automatic: '' });
  });

  test('the first of several of which all conditions hold', async () => {
    const rule = loadOne({
      fix: `{ byHand: "empty the boxes now", automatic: [{ action: box.empty, with: { box: first }, onlyIf: { fine: box.size > 5 } }, { action: box.empty, with: { box: second } }] }`,
    });
    const offered = async (size: number) =>
      findingOf(await evaluate(rule, storeOf({ 'box.list': [box({ full: true, size })] }))).fix.action?.with;
    expect(await offered(6)).toEqual({ box: 'first' });
    expect(await offered(1)).toEqual({ box: 'second' });
  });

  test('none where a parameter is not known', async () => {
    const rule = loadOne({
      fix: '{ byHand: "empty the boxes now", automatic: { action: box.empty, with: { box: "${box.since}" } } }',
    });
    const { fix } = findingOf(await evaluate(rule, storeOf({ 'box.list': [withGap('since', { full: true })] })));
    expect(fix.automatic).toBe('');
  });
});

describe('quotes', () => {
  const rule = loadOne({
    evidence: '{ boxes: box.list, log: { from: logs.signatures, with: { pod: "${box.name}" } } }',
    where: 'box.name != "none"',
    quote: 'log.hits',
  });
  const hit = (number: number) => ({ id: 'a', sample: `line ${number}`, last: '2026-01-01T00:00:00Z', count: 1 });
  const log = (hits: readonly unknown[]) => ({ pod: { namespace: 'n', name: 'p' }, container: 'c', hits });

  test('are no more than a reader looks at', async () => {
    const values = {
      'box.list': [box({ full: true })],
      'logs.signatures red': log(Array.from({ length: 20 }, (_, number) => hit(number))),
    };
    const { evidence } = findingOf(await evaluate(rule, storeOf(values)));
    expect(evidence.filter(item => item.line)).toHaveLength(8);
  });

  test('are left out where the log, or a line of it, is not known', async () => {
    const unread = findingOf(await evaluate(rule, storeOf({ 'box.list': [box({ full: true })] })));
    expect(unread.evidence.filter(item => item.line)).toEqual([]);
    const broken = Object.defineProperty({ ...hit(1) }, 'sample', {
      get() {
        throw new GapSignal(GAP);
      },
    });
    const values = { 'box.list': [box({ full: true })], 'logs.signatures red': log([broken, hit(2)]) };
    const partly = findingOf(await evaluate(rule, storeOf(values)));
    expect(partly.evidence.filter(item => item.line).map(item => item.line)).toEqual(['line 2']);
  });
});
