import { describe, expect, it } from 'vitest';
import { freshFor, isFresh } from '../../src/evidence/components/freshness.ts';

const NOW = Date.parse('2026-05-04T12:00:00Z');
const at = (secondsAgo: number) => new Date(NOW - secondsAgo * 1000).toISOString();
const hit = (lastAge: number, more: object = {}) => ({
  id: 's3-conn-refused',
  last: at(lastAge),
  lastAge,
  previous: false,
  open: true,
  ...more,
});
const runs = (component: string, more: object = {}) => ({
  component,
  args: [],
  running: true,
  runningAge: 4000,
  crashLooping: false,
  reason: '',
  ...more,
});

describe('isFresh', () => {
  it('takes the silence of a sidecar, which tries every 30 s, as success', () => {
    expect(isFresh(hit(40), [], runs('sidecar'), [])).toBe(true);
    expect(isFresh(hit(90), [], runs('sidecar'), [])).toBe(false);
  });

  it('gives a timeout more time', () => {
    expect(isFresh(hit(200, { id: 's3-conn-timeout' }), [], runs('sidecar'), [])).toBe(true);
  });

  it('ends with an upload or a look at the bucket that came later', () => {
    expect(isFresh(hit(40), [], runs('sidecar'), [at(10)])).toBe(false);
    expect(isFresh(hit(40), [], runs('sidecar'), [at(70)])).toBe(true);
  });

  it('lasts as long as a store takes to look again, unless it has synchronised since', () => {
    expect(isFresh(hit(1500), [], runs('store'), [])).toBe(true);
    expect(isFresh(hit(1500), [hit(900, { id: 'metas-synced' })], runs('store'), [])).toBe(false);
    expect(isFresh(hit(2400), [], runs('store'), [])).toBe(false);
  });

  it('counts the run before only while that still says how it is', () => {
    const before = hit(120, { previous: true });
    expect(isFresh(before, [], runs('store', { running: false, runningAge: -1, crashLooping: true }), [])).toBe(true);
    expect(isFresh(before, [], runs('store', { runningAge: 60 }), [])).toBe(true);
    expect(isFresh(before, [], runs('store', { runningAge: 2000 }), [])).toBe(false);
    expect(isFresh(before, [hit(20, { id: 'store-ready' })], runs('store', { runningAge: 60 }), [])).toBe(false);
  });

  it('follows the intervals that are set', () => {
    expect(freshFor(runs('store', { args: [{ flag: '--sync-block-duration', value: '3m' }] }))).toBe(660);
    expect(freshFor(runs('compact', { args: [{ flag: '--wait-interval', value: '10m' }] }))).toBe(1800);
    expect(freshFor(runs('query'))).toBe(120);
  });
});
