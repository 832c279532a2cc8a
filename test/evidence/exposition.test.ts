import { describe, expect, it } from 'vitest';
import { parseExposition, sumOf, valuesOf } from '../../src/evidence/components/exposition.ts';

const TEXT = `# HELP prometheus_notifications_dropped_total Total number of alerts dropped.
# TYPE prometheus_notifications_dropped_total counter
prometheus_notifications_dropped_total 3
prometheus_notifications_errors_total{alertmanager="http://10.0.0.1:9093/api/v2/alerts"} 1
prometheus_notifications_errors_total{alertmanager="http://10.0.0.2:9093/api/v2/alerts"} 2 1700000000000
prometheus_tsdb_lowest_timestamp NaN
go_gc_duration_seconds{quantile="0.5",path="C:\\\\x \\"y\\"\\nz",} +Inf
{"name.with.dots", "label.too"="v"} 4
`;

describe('parseExposition', () => {
  it('reads samples, labels with escapes, special values, timestamps and quoted names', () => {
    const exposition = parseExposition(TEXT);
    expect(sumOf(exposition, 'prometheus_notifications_errors_total')).toBe(3);
    expect(valuesOf(exposition, 'prometheus_tsdb_lowest_timestamp')).toEqual([Number.NaN]);
    expect(exposition.samples.find(sample => sample.name === 'go_gc_duration_seconds')).toMatchObject({
      labels: { quantile: '0.5', path: 'C:\\x "y"\nz' },
      value: Number.POSITIVE_INFINITY,
    });
    expect(exposition.samples.at(-1)).toMatchObject({ name: 'name.with.dots', labels: { 'label.too': 'v' }, value: 4 });
  });

  it('keeps the wanted names alone, and an absent family is not 0', () => {
    const exposition = parseExposition(TEXT, ['prometheus_notifications_*', 'absent_total']);
    expect(exposition.families).toEqual([
      'prometheus_notifications_dropped_total',
      'prometheus_notifications_errors_total',
    ]);
    expect(sumOf(exposition, 'absent_total')).toBeUndefined();
  });

  it('refuses what is no exposition, and a line that was cut off', () => {
    expect(() => parseExposition('<html><body>login</body></html>\n')).toThrow(/no line of a metrics exposition/);
    expect(() => parseExposition('up{job="a\n')).toThrow(/no line of a metrics exposition/);
    expect(() => parseExposition('up{job="a"}\n')).toThrow(/no line of a metrics exposition/);
    expect(() => parseExposition('up{job="a"} 1')).toThrow(/end in the middle of a line/);
  });
});
