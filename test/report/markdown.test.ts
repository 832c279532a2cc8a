import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { cell, code, fence, prose } from '../../src/report/escape.ts';
import { markdown } from '../../src/report/markdown.ts';
import { text } from '../../src/report/text.ts';
import {
  clusterOf,
  FILE,
  FORBIDDEN,
  findingOf,
  forbiddenLog,
  gapOf,
  HEALTHY,
  HOSTILE,
  hostileReport,
  logLine,
  MANY_PLACES,
  reportOf,
  subject,
  THREE_ROOTS,
  unknownOf,
} from './samples.ts';

const lines = (report: Report) => markdown(report, FILE).split('\n');

describe('markdown', () => {
  it.each([
    ['three-roots', THREE_ROOTS],
    ['healthy', HEALTHY],
    ['forbidden', FORBIDDEN],
    ['many-places', MANY_PLACES],
  ])('%s looks as it did', async (name, report) => {
    await expect(markdown(report, FILE)).toMatchFileSnapshot(`golden/${name}.md.txt`);
  });

  it('begins with a paragraph for whoever reads nothing else', () => {
    const [title, , ...rest] = lines(THREE_ROOTS);
    expect(title).toBe('# Incident report: fleet demo, 2026-11-23 08:12 UTC');
    const paragraph = rest.slice(0, rest.indexOf('')).join(' ');
    expect(paragraph).toContain('3 root causes explain 4 other problems');
    expect(paragraph).toContain('At risk: Local blocks are dropped after 6 h: from 09:58 on');
  });

  it('holds every command in a block of its own', () => {
    const page = markdown(THREE_ROOTS, FILE);
    expect(page).toContain(
      '```sh\nkubectl --context west -n metrics edit secret objstore\n# The configuration is read at start only:\n',
    );
    expect(page).toContain('```sh\nthanos-doctor diagnose --contexts hub,west,east\n```');
  });

  it('is the same twice', () => {
    expect(markdown(THREE_ROOTS, FILE)).toBe(markdown(structuredClone(THREE_ROOTS), FILE));
  });
});

describe('what a log says stays where it is quoted', () => {
  const everything = HOSTILE.join('\n');
  it.each(
    [...HOSTILE, everything, HOSTILE.join(''), '`'.repeat(3000), '|'.repeat(3000), '\\|`'.repeat(900)].map(text => [
      text,
    ]),
  )('%j', text => {
    for (const all of [false, true]) {
      const page = markdown(hostileReport(text), { ...FILE, all });
      expect(outsideOfCode(page)).not.toMatch(/[<>@$*_\\[\]~#`|]|:\/\/|www\./);
      expect(page).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069]/);
      expect(shapeOf(page)).toEqual(shapeOf(markdown(hostileReport('harmless'), { ...FILE, all })));
    }
  });

  it('is cut at 400 characters a line', () => {
    for (const text of [everything, 'x'.repeat(10_000_000), `${'word '.repeat(4000)}`, '한'.repeat(5000)]) {
      const longest = Math.max(...lines(hostileReport(text)).map(line => line.length));
      expect(longest).toBeLessThanOrEqual(400);
    }
  });
});

describe('escaping', () => {
  it('makes a fence that is longer than anything in it', () => {
    expect(fence('a\n````\nb', 'text')).toEqual(['`````text', 'a', '````', 'b', '`````']);
  });

  it('makes code of what could be taken for something else', () => {
    expect(prose('Ask @team about a_b, see #1 (https://x.example/y).')).toBe(
      'Ask `@team` about `a_b`, see `#1` (`https://x.example/y`).',
    );
    expect(prose('set `insecure: true` under `config:`')).toBe('set `insecure: true` under `config:`');
    expect(prose('- no list')).toBe('\\- no list');
    expect(prose('1. no list')).toBe('1\\. no list');
    expect(code('a`b')).toBe('``a`b``');
    expect(code('`')).toBe('`` ` ``');
    expect(code('')).toBe('');
  });

  it('never lets two code spans touch', () => {
    expect(prose('`a` `b`')).toBe('`a` `b`');
    expect(prose('`a`b`c`')).toBe('`` `a`b`c` ``');
    expect(prose('```a')).toBe('<code>&#96;&#96;&#96;a</code>');
  });

  it('writes a cell with a bar in it as entities', () => {
    expect(cell('a|b', 40)).toBe('<code>a&#124;b</code>');
    expect(cell('x'.repeat(100), 20).length).toBeLessThanOrEqual(20);
    expect(cell('|'.repeat(100), 40).length).toBeLessThanOrEqual(40);
  });
});

describe('a large report', () => {
  it('of 200 findings stays below 60 kB and says what it left to the JSON', () => {
    const page = markdown(large(200), FILE);
    expect(Buffer.byteLength(page)).toBeLessThan(60_000);
    expect(page).toMatch(
      /Shortened here, and whole in the JSON \(`thanos-doctor diagnose -o report\.json`\): .*root causes? \d+/,
    );
    expect(page).toContain('## 1. CRITICAL');
    expect(page).toContain('## What could not be checked');
    expect(page).toContain('## What was looked at');
  });

  it('of one cause with 200 effects is short', () => {
    const root = findingOf({ rule: 'root-rule' });
    const effects = Array.from({ length: 199 }, (_, at) =>
      findingOf({ rule: `rule-${at % 9}`, subject: subject('Pod', 'metrics', `pod-${at}`), causedBy: [root.id] }),
    );
    expect(Buffer.byteLength(markdown(reportOf({ findings: [root, ...effects] }), FILE))).toBeLessThan(6000);
  });

  it('is whole with --all', () => {
    const page = markdown(large(200), { ...FILE, all: true });
    expect(page).not.toContain('Shortened here');
    expect(page).toContain('pod-199');
  });

  it('of a hundred thousand findings is as short, and so is the text', { timeout: 240_000 }, () => {
    const report = large(100_000);
    expect(Buffer.byteLength(markdown(report, FILE))).toBeLessThan(60_000);
    expect(text(report, FILE).split('\n').length).toBeLessThan(200);
  });
});

/** Every finding of another rule and a root; gaps, events and clusters to match. */
function large(count: number): Report {
  const words = 'what is said of this takes its place, and there is a lot of it to be said at length '.repeat(3).trim();
  const findings = Array.from({ length: count }, (_, at) =>
    findingOf({
      rule: `rule-${at}`,
      title: `${words.slice(0, 60)} ${at}`,
      subject: subject('Pod', 'metrics', `pod-${at}`),
      message: words,
      facts: { One: words, Two: words },
      evidence: [logLine(words), logLine(`${words} again`)],
      atRisk: words,
      fix: { byHand: `${words}\nkubectl get pods -n ns-${at}`, automatic: 'x.y' },
    }),
  );
  return reportOf({
    findings,
    clusters: Array.from({ length: 40 }, (_, at) => clusterOf(`cluster-${at}`, { deniedAccess: [words, words] })),
    unknowns: Array.from({ length: 200 }, (_, at) => unknownOf(`rule-${at}`, 'hub', forbiddenLog(`ns-${at}`, 'p'))),
    notLookedAt: Array.from({ length: 200 }, (_, at) => ({
      cluster: 'hub',
      gap: gapOf({ reason: 'not-asked', evidence: `e-${at}`, detail: words, notLookedAt: true }),
      rules: ['x'],
    })),
    timeline: Array.from({ length: 500 }, (_, at) => ({
      time: '2026-11-23T08:00:00Z',
      cluster: 'hub',
      object: `Pod metrics/pod-${at}`,
      what: words,
      source: 'event',
    })),
  });
}

/** The document without code blocks, code spans, and the markup that the report itself writes. */
function outsideOfCode(page: string): string {
  const kept: string[] = [];
  let fenceOf = '';
  for (const line of page.split('\n')) {
    const ticks = /^`{3,}/.exec(line)?.[0] ?? '';
    if (fenceOf !== '') {
      if (line === fenceOf) fenceOf = '';
      continue;
    }
    if (ticks !== '') fenceOf = ticks;
    else kept.push(line);
  }
  expect(fenceOf).toBe('');
  return kept
    .map(line =>
      withoutSpans(line)
        .replace(/<code>[^<>`|\\]*<\/code>/g, '')
        .replace(/^<details><summary>[\w ()]+<\/summary>$|^<\/details>$/, '')
        .replace(/^#{1,2} |^> |^- (?=\S)/, '')
        .replace(/\*\*[\w ,]+:?\*\*/, '')
        .replace(/^\|( .*? \|| {2}\|)+$/, row => row.replaceAll(/(^| )\|( |$)/g, ' '))
        .replace(/^([-+=:]*|\d+)\\[-+=:.)]/, ''),
    )
    .join('\n');
}

/** As CommonMark reads it: a run of back-ticks opens a span that ends with the next run of the same length. */
function withoutSpans(line: string): string {
  const runs = [...line.matchAll(/`+/g)];
  let text = '';
  let from = 0;
  for (let at = 0; at < runs.length; at += 1) {
    const open = runs[at];
    if (open === undefined || open.index < from) continue;
    const close = runs.slice(at + 1).find(run => run[0].length === open[0].length);
    if (close === undefined) continue;
    text += line.slice(from, open.index);
    from = close.index + close[0].length;
  }
  return text + line.slice(from);
}

/** Headings, tables and folds: what must not depend on what is quoted. */
function shapeOf(page: string): readonly string[] {
  const outside: string[] = [];
  let fenceOf = '';
  for (const line of page.split('\n')) {
    if (fenceOf !== '') fenceOf = line === fenceOf ? '' : fenceOf;
    else if (/^`{3,}/.test(line)) fenceOf = /^`+/.exec(line)?.[0] ?? '';
    else outside.push(line);
  }
  return outside
    .filter(line => /^(#{1,6} |\| ---|<(?!code>)|\*\*)/.test(line))
    .map(line =>
      line.startsWith('#') ? line.slice(0, 8) : line.startsWith('|') ? `${line.split('|').length}` : line.slice(0, 9),
    );
}
