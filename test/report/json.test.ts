import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { json } from '../../src/report/json.ts';
import {
  FILE,
  FORBIDDEN,
  findingOf,
  HEALTHY,
  HOSTILE,
  hostileReport,
  MANY_PLACES,
  reportOf,
  THREE_ROOTS,
} from './samples.ts';

const schema = JSON.parse(
  readFileSync(new URL('../../src/report/report.schema.json', import.meta.url), 'utf8'),
) as object;
const validate = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true }).compile(schema);
const parsed = (report: Parameters<typeof json>[0]): unknown => JSON.parse(json(report, FILE));

describe('json', () => {
  it.each([
    ['problems', THREE_ROOTS],
    ['healthy', HEALTHY],
    ['unknown', FORBIDDEN],
    ['many places', MANY_PLACES],
    ['hostile', hostileReport(HOSTILE.join('\n'))],
    ['empty', reportOf({ clusters: [], fleet: '' })],
  ])('of %s is as the schema says', (_name, report) => {
    validate(parsed(report));
    expect(validate.errors).toBeNull();
  });

  it('is the report, whatever the options', () => {
    expect(parsed(THREE_ROOTS)).toEqual(THREE_ROOTS);
    expect(json(THREE_ROOTS, { ...FILE, all: true, width: 40, unicode: false })).toBe(json(THREE_ROOTS, FILE));
  });

  it('ends with what differs from run to run', () => {
    const keys = Object.keys(parsed(THREE_ROOTS) as object);
    expect(keys.at(0)).toBe('schemaVersion');
    expect(keys.at(-1)).toBe('run');
    expect(json(THREE_ROOTS, FILE)).toMatch(/\}\n$/);
  });

  it('holds no character that a terminal obeys', () => {
    expect(json(hostileReport(HOSTILE.join('\n')), FILE)).not.toMatch(
      /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/,
    );
  });

  it('has no number that JSON has not', () => {
    const finding = findingOf({ rule: 'x', facts: { rate: Number.POSITIVE_INFINITY, share: Number.NaN } });
    expect(parsed(reportOf({ findings: [finding] }))).toMatchObject({
      findings: [{ facts: { rate: 'Infinity', share: 'NaN' } }],
    });
  });
});

describe('report.schema.json', () => {
  it('refuses a missing and an unknown field, wherever it is', () => {
    const paths = objectPaths(parsed(THREE_ROOTS));
    expect(paths.length).toBeGreaterThan(50);
    for (const path of paths) {
      const report = parsed(THREE_ROOTS);
      const target = at(report, path);
      target.unforeseen = 1;
      expect(validate(report), `unknown field in ${path.join('.')}`).toBe(false);
      delete target.unforeseen;
      for (const key of Object.keys(target)) {
        const value = target[key];
        delete target[key];
        expect(validate(report), `missing ${[...path, key].join('.')}`).toBe(
          key === 'subject' && path[0] === 'unknowns',
        );
        target[key] = value;
      }
    }
  });

  it('refuses values of another kind', () => {
    const wrong: readonly ((report: Record<string, unknown>) => void)[] = [
      report => Object.assign(report, { schemaVersion: 2 }),
      report => Object.assign(report, { verdict: 'ok' }),
      report => Object.assign(report, { takenAt: 'yesterday' }),
      report => Object.assign(at(report, ['findings', '0']), { severity: 'error' }),
      report => Object.assign(at(report, ['findings', '0', 'facts']), { nothing: null }),
      report => Object.assign(at(report, ['unknowns', '0']), { gaps: [] }),
      report => Object.assign(at(report, ['counts']), { checks: -1 }),
      report => Object.assign(at(report, ['clusters', '0']), { role: 'spoke' }),
    ];
    for (const change of wrong) {
      const report = parsed(THREE_ROOTS) as Record<string, unknown>;
      change(report);
      expect(validate(report), change.toString()).toBe(false);
    }
  });
});

function at(value: unknown, path: readonly string[]): Record<string, unknown> {
  return path.reduce((inner, key) => (inner as Record<string, unknown>)[key], value) as Record<string, unknown>;
}

/** Paths of all records but facts, whose keys are free. */
function objectPaths(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null || path.at(-1) === 'facts') return [];
  const below = Object.entries(value).flatMap(([key, inner]) => objectPaths(inner, [...path, key]));
  return Array.isArray(value) ? below : [path, ...below];
}
