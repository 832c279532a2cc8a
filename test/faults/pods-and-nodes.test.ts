import { expect, test } from 'vitest';
import { diagnosed } from './recorded-world.ts';
import { settled } from './settle.ts';

test('of a healthy fleet nothing follows', async () => {
  const report = await diagnosed('healthy-fleet', settled);
  expect(report.findings.filter(finding => finding.severity !== 'info')).toEqual([]);
});
