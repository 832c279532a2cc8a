import { describe, expect, it } from 'vitest';
import { parseThreshold } from '../../src/checks/thresholds.ts';
import { box, evaluate, loadOne, storeOf } from './rule-texts.ts';

describe('a threshold as people write it', () => {
  it.each([
    ['90s', 'duration', 90],
    ['10min', 'duration', 600],
    ['10 min', 'duration', 600],
    ['30m', 'duration', 1800],
    ['1h30min', 'duration', 5400],
    ['1 h 30 min', 'duration', 5400],
    ['14d', 'duration', 1_209_600],
    ['2w', 'duration', 1_209_600],
    ['80%', 'percentage', 80],
    ['0.5 %', 'percentage', 0.5],
    ['100%', 'percentage', 100],
    ['1GiB', 'size', 1_073_741_824],
    ['1.5 MiB', 'size', 1_572_864],
    ['10GB', 'size', 10_000_000_000],
    ['3', 'count', 3],
    ['0.75', 'count', 0.75],
  ])('%s', (text, unit, value) => {
    expect(parseThreshold(text)).toEqual({ text, unit, value });
  });

  it.each(['', '-1', '10 minutes', 'min', '101%', '1Gi', '1e9', '10min!', '1.2.3', 'soon', '5m5', '1h 30'])(
    'not %s',
    text => {
      expect(parseThreshold(text)).toBeUndefined();
    },
  );

  it('takes a number of YAML for a count', () => {
    expect(parseThreshold(3)).toEqual({ text: '3', unit: 'count', value: 3 });
  });
});

describe('thresholds in expressions', () => {
  it.each([
    ['{ large: 5 }', 'box.size >= thresholds.large', 5, 'problem'],
    ['{ large: 5 }', 'box.size > thresholds.large', 5, 'healthy'],
    ['{ long: 1min }', 'box.size > thresholds.long', 61, 'problem'],
    ['{ heavy: 1KiB }', 'box.size == thresholds.heavy', 1024, 'problem'],
    ['{ share: 90% }', 'box.size * 100 >= thresholds.share * 10', 9, 'problem'],
  ])('%s: %s with %d', async (thresholds, problemWhen, size, is) => {
    const rule = loadOne({ thresholds, problemWhen });
    const verdicts = await evaluate(rule, storeOf({ 'box.list': [box({ size })] }));
    expect(verdicts.map(verdict => verdict.is)).toEqual([is]);
  });

  it('stand in messages', async () => {
    const rule = loadOne({
      thresholds: '{ long: 90s }',
      problemWhen: 'box.size > thresholds.long',
      message: 'Box ${box.name} waits for more than ${duration(thresholds.long)}.',
    });
    const [verdict] = await evaluate(rule, storeOf({ 'box.list': [box({ size: 100 })] }));
    expect(verdict?.is === 'problem' && verdict.finding.message).toBe('Box red waits for more than 1 min 30 s.');
  });
});
