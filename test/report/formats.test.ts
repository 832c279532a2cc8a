import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/model/user-error.ts';
import { bugText, userErrorText } from '../../src/report/errors.ts';
import { FORMATS, formatByFile, formatByName } from '../../src/report/formats.ts';
import { json } from '../../src/report/json.ts';
import { markdown } from '../../src/report/markdown.ts';
import { text } from '../../src/report/text.ts';
import { FILE, HEALTHY } from './samples.ts';

describe('formats', () => {
  it('are found by name', () => {
    expect(formatByName('text')).toBe(text);
    expect(formatByName('Markdown')).toBe(markdown);
    expect(formatByName('md')).toBe(markdown);
    expect(formatByName('json')).toBe(json);
  });

  it('are found by the ending of a file', () => {
    expect(formatByFile('/tmp/report.md')).toBe(markdown);
    expect(formatByFile('a.b/Report.JSON')).toBe(json);
    expect(formatByFile('report.txt')).toBe(text);
  });

  it('that do not exist are a mistake of the user', () => {
    expect(() => formatByName('yaml')).toThrow(UserError);
    expect(() => formatByFile('report')).toThrow(/none of \.txt/);
    expect(() => formatByFile('md')).toThrow(UserError);
  });

  it('have names and endings of their own', () => {
    const names = FORMATS.flatMap(({ name, endings }) => [name, ...endings]);
    expect(new Set(names).size).toBe(names.length);
  });

  it('end with a line end', () => {
    for (const { format } of FORMATS) expect(format(HEALTHY, FILE)).toMatch(/[^\n]\n$/);
  });
});

describe('errors', () => {
  it('of the user have no stack', () => {
    const error = new UserError(
      'cannot use context "cluster-9": it is not in ~/.kube/config',
      'contexts there: cluster-01, cluster-02',
      'did you mean cluster-01?',
    );
    expect(userErrorText(error)).toBe(
      [
        'thanos-doctor: cannot use context "cluster-9": it is not in ~/.kube/config',
        '  contexts there: cluster-01, cluster-02',
        '  did you mean cluster-01?',
        '',
      ].join('\n'),
    );
  });

  it('of several lines stay one block', () => {
    expect(userErrorText(new UserError('rules/a.yaml: 2 mistakes\na.yaml:3:1: no id\n', '\u001b[31mhint'))).toBe(
      'thanos-doctor: rules/a.yaml: 2 mistakes\n  a.yaml:3:1: no id\n  hint\n',
    );
  });

  it('that nobody foresaw have a stack, a version and no secret', () => {
    const error = new Error('cannot read secret_key: hunter2hunter2', { cause: new TypeError('x is not a function') });
    const page = bugText(error, { version: '0.1.0', platform: 'Node 22.12.0 on linux x64' });
    expect(page).toMatch(/^thanos-doctor: unexpected error: cannot read secret_key: \[redacted\]\n/);
    expect(page).toContain('This is a bug of thanos-doctor 0.1.0 (Node 22.12.0 on linux x64)');
    expect(page).toMatch(/\n {4}at .*formats\.test\.ts/);
    expect(page).toContain('caused by TypeError: x is not a function');
    expect(page).not.toContain('hunter2');
  });

  it('may be anything that was thrown', () => {
    expect(bugText(undefined, { version: '1', platform: 'p' })).toContain('unexpected error: undefined');
    expect(bugText(new Error(''), { version: '1', platform: 'p' })).toContain('an error without a message');
  });
});
