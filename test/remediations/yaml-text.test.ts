import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scalarAt, withScalar } from '../../src/remediations/yaml-text.ts';

const INSECURE = ['config', 'insecure'];
const TEXT = `# store of the fleet
type: S3
config:
  bucket: thanos   # one for all
  endpoint: "s3.example"
  access_key: 'a: b'

  secret_key: |
    insecure: false
  http_config: { idle_conn_timeout: 90s }
prefix: ''
`;

describe('one scalar of a YAML text', () => {
  test('is inserted after its neighbour, and no other byte changes', () => {
    const edited = withScalar(TEXT, INSECURE, 'true', 'endpoint');
    expect(edited).toBe(TEXT.replace('  endpoint: "s3.example"\n', '  endpoint: "s3.example"\n  insecure: true\n'));
    expect(withScalar(edited, INSECURE, undefined, 'endpoint')).toBe(TEXT);
  });

  test('is replaced where it stands', () => {
    const text = TEXT.replace('  bucket', '  insecure: false # why\n  bucket');
    expect(withScalar(text, INSECURE, 'true', 'endpoint')).toBe(text.replace('insecure: false #', 'insecure: true #'));
    expect(scalarAt(text, INSECURE)).toBe('false');
  });

  test.each([
    ['carriage returns', TEXT.replaceAll('\n', '\r\n')],
    ['no line end at the end', 'type: S3\nconfig:\n    bucket: b\n    endpoint: e'],
  ])('keeps %s', (_, text) => {
    const edited = withScalar(text, INSECURE, 'true', 'endpoint');
    expect(scalarAt(edited, INSECURE)).toBe('true');
    expect(withScalar(edited, INSECURE, undefined, 'endpoint')).toBe(text);
  });

  test.each([
    ['broken YAML', 'type: S3\nconfig: [\n'],
    ['a name twice', 'type: S3\nconfig:\n  endpoint: a\n  endpoint: b\n'],
    ['a flow mapping', 'type: S3\nconfig: { endpoint: e, bucket: b }\n'],
    ['no endpoint', 'type: S3\nconfig:\n  bucket: b\n'],
    ['a text', 'hello'],
    ['several documents', 'type: S3\nconfig:\n  endpoint: e\n---\na: 1\n'],
  ])('refuses %s, without quoting the text', (_, text) => {
    expect(() => withScalar(text, INSECURE, 'true', 'endpoint')).toThrow(expect.objectContaining({ name: 'Refusal' }));
  });

  test('comes and goes in any configuration', () => {
    const value = fc.stringMatching(/^[a-zA-Z0-9./-]{1,12}$/);
    const lines = fc.array(fc.tuple(fc.stringMatching(/^k[a-z]{1,6}$/), value), { maxLength: 6 });
    fc.assert(
      fc.property(lines, fc.nat(6), fc.constantFrom('\n', '\r\n'), fc.boolean(), (pairs, at, end, closed) => {
        const names = new Map(pairs);
        const rows = [...names].map(([name, text]) => `  ${name}: "${text}"`);
        rows.splice(Math.min(at, rows.length), 0, '  endpoint: host:80   # note');
        const text = `type: S3${end}config:${end}${rows.join(end)}${closed ? end : ''}`;
        const edited = withScalar(text, INSECURE, 'true', 'endpoint');
        expect(withScalar(edited, INSECURE, undefined, 'endpoint')).toBe(text);
      }),
      { numRuns: 200 },
    );
  });
});
