import { describe, expect, test } from 'vitest';
import { gapElement } from '../../src/evidence/gaps.ts';
import type { Finding, Verdict } from '../../src/model/finding.ts';
import { box, evaluate, loadOne, storeOf } from './rule-texts.ts';

const GAP = { evidence: 'box.list', reason: 'timed-out', detail: 'no answer', path: '', notLookedAt: false } as const;

function findingOf(verdicts: readonly Verdict[]): Finding {
  const [verdict] = verdicts;
  if (verdict?.is !== 'problem') throw new Error(`no problem: ${JSON.stringify(verdicts)}`);
  return verdict.finding;
}

describe('a verdict for each subject', () => {
  test('problem, healthy', async () => {
    const verdicts = await evaluate(loadOne(), storeOf({ 'box.list': [box({ full: true }), box({ name: 'blue' })] }));
    expect(verdicts.map(verdict => verdict.is)).toEqual(['problem', 'healthy']);
    expect(findingOf(verdicts)).toMatchObject({
      id: 'box-full/attic/Box//red',
      message: 'Box red is full.',
      fix: { byHand: 'empty the box red', automatic: '' },
      involves: ['Box red @attic'],
      root: false,
    });
  });

  test('nothing where the rule does not apply', async () => {
    expect(await evaluate(loadOne({ where: 'box.size > 5' }), storeOf({ 'box.list': [box({ full: true })] }))).toEqual(
      [],
    );
  });

  test('unknown where the list cannot be read, with the reason', async () => {
    const [verdict] = await evaluate(loadOne(), storeOf({}));
    expect(verdict).toMatchObject({
      is: 'unknown',
      unknown: { rule: 'box-full', cluster: 'attic', gaps: [{ reason: 'forbidden' }] },
    });
  });

  test('unknown for a row that is not known, beside those that are', async () => {
    const verdicts = await evaluate(loadOne(), storeOf({ 'box.list': [box({ full: true }), gapElement(GAP)] }));
    expect(verdicts.map(verdict => verdict.is)).toEqual(['problem', 'unknown']);
  });

  test('unknown in where, with its subject', async () => {
    const rule = loadOne({ evidence: '{ boxes: box.list, room: box.room }', where: 'room.open' });
    const [verdict] = await evaluate(rule, storeOf({ 'box.list': [box()] }));
    expect(verdict).toMatchObject({ is: 'unknown', unknown: { subject: { kind: 'Box', name: 'red' } } });
  });

  test('a single check without forEach', async () => {
    const rule = loadOne({
      evidence: '{ room: box.room }',
      forEach: undefined,
      problemWhen: 'room.open',
      subject: '{ kind: Room, name: "${room.name}" }',
      message: 'Room ${room.name} of ${cluster} is open.',
      fix: '{ byHand: "close the room" }',
    });
    expect(findingOf(await evaluate(rule, storeOf({ 'box.room': { name: 'north', open: true } }))).message).toBe(
      'Room north of attic is open.',
    );
    expect(await evaluate(rule, storeOf({ 'box.room': { name: 'north', open: false } }))).toMatchObject([
      { is: 'healthy' },
    ]);
  });

  test('healthy without a name is nothing, a problem without a name is kept', async () => {
    const nameless = { subject: '{ kind: Box, name: "${box.labels[\\"name\\"]}" }' };
    expect(await evaluate(loadOne(nameless), storeOf({ 'box.list': [box()] }))).toEqual([]);
    expect(
      findingOf(await evaluate(loadOne(nameless), storeOf({ 'box.list': [box({ full: true })] }))).subject.name,
    ).toBe('(not known)');
  });
});

describe('laziness', () => {
  const rule = loadOne({
    evidence: '{ boxes: box.list, weight: { from: box.weight, with: { name: "${box.name}" } } }',
    problemWhen: 'box.full || weight.kilos > 10',
  });

  test('evidence is collected only when it decides', async () => {
    const asked: string[] = [];
    await evaluate(rule, storeOf({ 'box.list': [box({ full: true })] }, asked));
    expect(asked).toEqual(['box.list']);
  });

  test('and then for the row in question', async () => {
    const asked: string[] = [];
    const verdicts = await evaluate(rule, storeOf({ 'box.list': [box()], 'box.weight red': { kilos: 12 } }, asked));
    expect(asked).toEqual(['box.list', 'box.weight red']);
    expect(verdicts).toMatchObject([{ is: 'problem' }]);
  });

  test('what was touched and is not known is named as the gap', async () => {
    const [verdict] = await evaluate(rule, storeOf({ 'box.list': [box()] }));
    expect(verdict).toMatchObject({ is: 'unknown', unknown: { gaps: [{ detail: 'box.weight red is forbidden' }] } });
  });
});

describe('rows of the same subject are one verdict', () => {
  const rule = loadOne({
    subject: '{ kind: Room, name: north }',
    show: '{ Box: box.name, Sizes: box.tags, Size: box.size }',
    since: 'box.since',
    involves: '["\\"Box \\" + box.name"]',
  });

  test('a problem beats unknown and healthy; facts are joined, the earliest time counts', async () => {
    const boxes = [
      box({ name: 'a', full: true, tags: ['x'], since: '2026-01-02T00:00:00Z' }),
      box({ name: 'b', full: true, tags: ['y', 'x'], since: '2026-01-01T00:00:00Z' }),
      box({ name: 'c' }),
    ];
    const verdicts = await evaluate(rule, storeOf({ 'box.list': boxes }));
    expect(verdicts).toHaveLength(1);
    const finding = findingOf(verdicts);
    expect(finding.facts).toEqual({ Box: ['a', 'b'], Sizes: ['x', 'y'], Size: 1 });
    expect(finding.since).toBe('2026-01-01T00:00:00Z');
    expect(finding.involves).toEqual(['Room north @attic', 'Box a @attic', 'Box b @attic']);
  });

  test('unknown beats healthy', async () => {
    const unknownRow = Object.defineProperty(box({ name: 'd' }), 'full', {
      get: () => (gapElement(GAP) as { x: unknown }).x,
    });
    expect(await evaluate(rule, storeOf({ 'box.list': [box(), unknownRow] }))).toMatchObject([{ is: 'unknown' }]);
  });
});

describe('facts', () => {
  async function factsOf(show: string, row: object): Promise<unknown> {
    return findingOf(await evaluate(loadOne({ show }), storeOf({ 'box.list': [box({ full: true, ...row })] }))).facts;
  }

  test('empty values say nothing and are left out', async () => {
    expect(await factsOf('{ A: box.since, B: box.tags, C: box.labels, D: box.size }', { size: -1 })).toEqual({});
  });

  test('maps, references and lists', async () => {
    expect(await factsOf('{ L: box.labels, T: box.tags }', { labels: { a: '1' }, tags: ['x', ''] })).toEqual({
      L: { a: '1' },
      T: ['x'],
    });
    expect(await factsOf('{ L: box.labels }', { labels: { key: 'Pod a/b', name: 'b' } })).toEqual({ L: 'Pod a/b' });
    expect(await factsOf('{ L: box.labels }', { labels: { key: '' } })).toEqual({});
  });

  test('a fact that cannot be known is left out, and prose says so', async () => {
    const rule = loadOne({
      evidence: '{ boxes: box.list, room: box.room }',
      show: '{ Room: room.name, Size: box.size }',
      message: 'Box ${box.name} in ${room.name} with ${box.labels} and ${box.tags} is full.',
      atRisk: 'what lies in ${room.name}',
      involves: '["room.name", "box.tags"]',
    });
    const finding = findingOf(
      await evaluate(rule, storeOf({ 'box.list': [box({ full: true, labels: { a: '1' }, tags: ['Box x', ''] })] })),
    );
    expect(finding.facts).toEqual({ Size: 1 });
    expect(finding.message).toBe('Box red in (not known) with a=1 and Box x is full.');
    expect(finding.atRisk).toBe('');
    expect(finding.involves).toEqual(['Box red @attic', 'Box x @attic']);
  });

  test('let is evaluated once it is read, and may build on another', async () => {
    const rule = loadOne({
      let: '{ half: box.size / 2, quarter: half / 2 }',
      problemWhen: 'quarter == 2',
      show: '{ Q: quarter }',
    });
    expect(findingOf(await evaluate(rule, storeOf({ 'box.list': [box({ size: 8 })] }))).facts).toEqual({ Q: 2 });
  });
});

describe('where it comes from', () => {
  const log = (ids: readonly string[]) => ({
    pod: { namespace: 'n', name: 'p' },
    container: 'c',
    hits: ids.map(id => ({ id, sample: `line of ${id}`, last: '2026-01-01T00:00:00Z', count: 2 })),
  });

  test('evidence that was read is cited, log hits that the rule names are quoted', async () => {
    const rule = loadOne({
      evidence: '{ boxes: box.list, log: { from: logs.signatures, with: { pod: "${box.name}" } } }',
      problemWhen: '\'log.hits.exists(h, h.id == "too-full")\'',
    });
    const { evidence } = findingOf(
      await evaluate(rule, storeOf({ 'box.list': [box()], 'logs.signatures red': log(['other', 'too-full']) })),
    );
    expect(evidence.filter(item => item.line)).toMatchObject([
      { line: 'line of too-full', from: 'logs/n/p/c', pod: 'p', container: 'c', count: 2 },
    ]);
    expect(evidence.filter(item => !item.line).map(item => item.from)).toEqual(['/box.list', '/logs.signatures']);
  });

  test('quote says which lines', async () => {
    const rule = loadOne({
      evidence: '{ boxes: box.list, log: { from: logs.signatures, with: { pod: "${box.name}" } } }',
      problemWhen: 'box.full',
      quote: 'log.hits',
    });
    const store = storeOf({ 'box.list': [box({ full: true })], 'logs.signatures red': log(['a', 'a', 'b']) });
    expect(
      findingOf(await evaluate(rule, store))
        .evidence.filter(item => item.line)
        .map(item => item.line),
    ).toEqual(['line of a', 'line of b']);
  });
});

describe('an automatic fix is offered only where all of its conditions are known to hold', () => {
  const fix = (onlyIf: string) =>
    `{ byHand: "empty the box now", automatic: { action: box.empty, with: { box: "\${box.name}" }, onlyIf: { fine: ${onlyIf} } } }`;
  test.each([
    ['box.size == 1', 'box.empty'],
    ['box.size == 2', ''],
    ['room.open', ''],
  ])('%s', async (condition, expected) => {
    const rule = loadOne({
      evidence: '{ boxes: box.list, room: box.room }',
      fix: fix(condition),
      show: '{ R: room.open }',
    });
    expect(findingOf(await evaluate(rule, storeOf({ 'box.list': [box({ full: true })] }))).fix.automatic).toBe(
      expected,
    );
  });
});
