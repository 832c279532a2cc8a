import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cleanLine, SAMPLE_LENGTH } from '../../../src/evidence/logs/clean-line.ts';

test.each([
  ['a bearer token', 'Authorization: Bearer abcDEF123456.x-y_z'],
  ['a password in a URL', 'Get "https://user:hunter2hunter2@s3.example.test/": x'],
  ['a password alone in a URL', 'Get "https://:hunter2hunter2@s3.example.test/": x'],
  ['an AWS key', 'key AKIAIOSFODNN7EXAMPLE is unknown'],
  ['a secret key', 'secret_key: wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY'],
  ['a password', 'password="hunter2hunter2"'],
  ['a password in logfmt in quotes', String.raw`err="cannot log in with password=\"hunter2hunter2\""`],
  ['a password in JSON', '{"smtp_auth_password":"hunter2hunter2"}'],
  ['a web token', 'token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefgh'],
  ['a Slack hook', 'Post "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXX"'],
  ['a signature', 'GET /b?X-Amz-Signature=0123456789abcdef0123456789abcdef&list-type=2'],
  ['a GitHub token', 'ghp_abcdefghijklmnopqrstuvwxyz0123'],
])('%s is taken out', (_what, line) => {
  const cleaned = cleanLine(line);
  expect(cleaned).toContain('[redacted]');
  expect(cleaned).not.toMatch(/hunter2|AKIA|wJalr|abcDEF|eyJ|XXXX|0123456789abcdef|ghp_/);
});

test.each([
  'The Access Key Id you provided does not exist in our records.',
  'level=warn msg="token expired" id=01JD6T3K9QX7R5V2B8N4M6P0WZ',
  'Get "http://s3.example.test/blocks/?list-type=2&prefix=": connect: connection refused',
  'no s3 secret_key specified while access_key is present in config file',
])('what is no credential stays: %s', line => {
  expect(cleanLine(line)).toBe(line);
});

test('terminal sequences, control characters and turned writing go', () => {
  expect(cleanLine('\u001b[31mred\u001b[0m\u0007 a\tb\u202ec\u001b]0;title\u0007')).toBe('red  a b c');
});

test('a sample is bounded and well formed, and cleaning twice changes nothing', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 3000, unit: 'grapheme' }), text => {
      const cleaned = cleanLine(text);
      expect(cleaned.length).toBeLessThanOrEqual(SAMPLE_LENGTH);
      expect(cleaned).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
      expect(cleanLine(cleaned)).toBe(cleaned);
    }),
  );
  expect(cleanLine('x'.repeat(5000))).toHaveLength(SAMPLE_LENGTH);
  expect(cleanLine(`${'x'.repeat(SAMPLE_LENGTH - 2)}😀y`)).toBe(`${'x'.repeat(SAMPLE_LENGTH - 2)}…`);
});
