import { describe, expect, it } from 'vitest';
import { comparedWithNothing, isConstant, parsePromql, selectorsOf } from '../../src/evidence/components/promql.ts';

const metrics = (text: string) => {
  const node = parsePromql(text);
  if (!node) return undefined;
  return selectorsOf(node).map(one => `${one.metric}${one.needed ? '' : '?'}${one.inAbsent ? ' absent' : ''}`);
};

describe('parsePromql', () => {
  it.each([
    ['up', ['up']],
    ['vector(1)', []],
    ['up{job="a"} == 0', ['up']],
    ['sum by (job) (rate(a_total{x=~"b|c"}[5m])) > 0', ['a_total']],
    ['sum(rate(a_total[5m])) without (pod) / on (job) group_left (x) b offset 5m', ['a_total', 'b']],
    ['a and b or c', ['a?', 'b?', 'c?']],
    ['a unless b', ['a', 'b?']],
    ['absent(up{job="x"} == 1)', ['up? absent']],
    ['a > 1 and on (pod) b < bool 2', ['a', 'b']],
    ['max_over_time(a[1h:5m] @ end()) - 2 ^ -1', ['a']],
    ['100 * (count by (cluster) (up == 0) / count by (cluster) (up)) > 10', ['up', 'up']],
    ['{__name__="quoted", a!~"x"}', ['quoted']],
    ['{"dotted.name", a="b"}', ['dotted.name']],
    ['label_replace(a, "x", "$1", "y", "(.*)")', ['a']],
    ['time() - a > 3 * 3600 # a comment with b', ['a']],
    ['thanos_compact_iterations_total_extra', ['thanos_compact_iterations_total_extra']],
    ['a{l="thanos_compact_iterations_total"}', ['a']],
    ['histogram_quantile(0.99, sum by (le) (rate(x_bucket[5m])))', ['x_bucket']],
    ['topk(5, sum by (a) (b))', ['b']],
    ['-a + Inf', ['a']],
  ])('%s', (text, expected) => {
    expect(metrics(text)).toEqual(expected);
  });

  it.each(['up{job="a', 'sum(rate(a[5m]', 'a b', '', 'up{job="kube-prometheus-st…', 'a ?'])('refuses %s', text => {
    expect(parsePromql(text)).toBeUndefined();
  });

  it('keeps matchers with escapes and operators', () => {
    const node = parsePromql('up{job=~"a\\\\.b", pod!=\'c\', x=`d\\e`}')!;
    expect(selectorsOf(node)[0]!.matchers).toEqual([
      { label: 'job', op: '=~', value: 'a\\.b' },
      { label: 'pod', op: '!=', value: 'c' },
      { label: 'x', op: '=', value: 'd\\e' },
    ]);
  });

  it('knows what is always true, and what compares with nothing', () => {
    expect(isConstant(parsePromql('vector(1)')!)).toBe(true);
    expect(isConstant(parsePromql('vector(1) > 0')!)).toBe(false);
    expect(comparedWithNothing(parsePromql('up{job="a"} == 0')!)?.metric).toBe('up');
    expect(comparedWithNothing(parsePromql('(up < 1)')!)?.metric).toBe('up');
    expect(comparedWithNothing(parsePromql('up == 1')!)).toBeUndefined();
  });
});
