import { join } from 'node:path';
import { expect, test } from 'vitest';
import { diagnoseFleet, NO_EXPECTATIONS } from '../../src/app/diagnose.ts';
import { builtinRules } from '../../src/app/rule-files.ts';
import { builtinSignatures } from '../../src/app/signature-files.ts';
import { memoryFiles, openBundleFiles } from '../../src/clusters/bundle-files.ts';
import { openBundleCluster, readManifest } from '../../src/clusters/bundle-source.ts';
import type { Finding } from '../../src/model/finding.ts';
import type { Report } from '../../src/model/report.ts';
import type { RawObject } from '../../src/model/source.ts';
import { json } from '../../src/report/json.ts';
import { markdown } from '../../src/report/markdown.ts';
import { text } from '../../src/report/text.ts';

const INCIDENTS = join(import.meta.dirname, '..', 'incidents');
const rules = builtinRules();
const signatures = builtinSignatures();

/** What somebody who may write a log line, an annotation or a message would write to get something out of a reader. */
const LURES = [
  '\u001b[2J\u001b[1;1H\u001b]0;owned\u0007\u001b]8;;https://lure.example\u0007click\u001b]8;;\u0007',
  '\u009b31m\u0090payload\u009c\r\u0008\u0008all is well',
  '\u202Egnp.exe\u2066\u2069\u200b\ufeff',
  '<script>alert(1)</script><img src=x onerror=alert(1)><svg/onload=alert(1)>',
  '</code></pre></details><h1>HEALTHY</h1><a href="javascript:alert(1)">more</a>',
  '[click](https://lure.example) ![i](https://lure.example/i.png) <https://lure.example> javascript:alert(1)',
  '```\n# HEALTHY\n~~~\n| a | b |\n|---|---|\n',
  '`` ` ``` ```` \\` &lt;b&gt; <!-- -->',
  '${7*7} {{7*7}} $(reboot) `reboot` ; reboot\nreboot',
  '__proto__ constructor prototype toString hasOwnProperty',
  `${'a'.repeat(30_000)}!`,
  `${'('.repeat(5_000)}${'\\"'.repeat(5_000)}${' :'.repeat(5_000)}`,
  `secret_key${' '.repeat(20_000)}: ${'x'.repeat(20_000)}@`,
  `https://${'a@'.repeat(10_000)}`,
  'null',
  'true',
  '*anchor',
  '&anchor [*anchor]',
  '!!js/function "x"',
  '--- \n...\n',
  '\ud800 half a character \udfff \u0000',
];

function plant(files: Map<string, Uint8Array>): void {
  for (const [path, bytes] of files) {
    const content = Buffer.from(bytes).toString('utf8');
    if (/\/objects\/.*\.json$/.test(path)) {
      const list = JSON.parse(content);
      for (const [index, item] of list.items.entries()) plantInObject(path, item, index);
      files.set(path, Buffer.from(JSON.stringify(list)));
    } else if (/\/logs\//.test(path)) {
      const stamp = /^\S+Z /m.exec(content)?.[0] ?? '2026-01-01T00:00:00.000000000Z ';
      const lines = LURES.map(
        lure =>
          `${stamp}ts=${stamp.trim()} level=error msg=${JSON.stringify(lure)} err="${lure.replaceAll('\n', ' ')}"\n`,
      );
      files.set(path, Buffer.from(content + lines.join('') + lines.join('').replaceAll('ts=', '')));
    } else if (/\/http\/.*\.json$/.test(path)) {
      files.set(path, Buffer.from(plantInAnswer(content)));
    }
  }
}

function plantInObject(path: string, object: RawObject, index: number): void {
  const lure = LURES[index % LURES.length]!;
  object.metadata.annotations = {
    ...object.metadata.annotations,
    'lure.example/note': lure,
    [lure.slice(0, 60)]: lure,
  };
  object.metadata.labels = { ...object.metadata.labels, 'lure.example/label': lure };
  Object.defineProperty(object.metadata.labels, '__proto__', { value: lure, enumerable: true });
  if (path.endsWith('/events.json')) object.message = `${object.message} ${lure}`;
  for (const condition of object.status?.conditions ?? []) condition.message = `${condition.message ?? ''} ${lure}`;
  for (const status of object.status?.containerStatuses ?? []) {
    for (const state of [status.state?.waiting, status.lastState?.terminated]) {
      if (state) state.message = `${state.message ?? ''} ${LURES.join('\n')}`;
    }
  }
}

/** Texts that components hand on: errors, annotations and labels of alerts. */
function plantInAnswer(content: string): string {
  let count = 0;
  const planted = content.replace(
    /"(lastError|summary|description|note|message)":"((?:[^"\\]|\\.)*)"/g,
    (_, key, value) => {
      count += 1;
      const lure = JSON.stringify(LURES[count % LURES.length]).slice(1, -1);
      return `"${key}":"${value}${value === '' ? '' : ` ${lure}`}"`;
    },
  );
  return planted.replace(/"labels":\{/g, '"labels":{"__proto__":"lure","lure":"<b>&[x](y)",');
}

/** Without the colours that the report itself gives. */
const withoutColours = (report: string) => report.replaceAll(/\u001b\[[0-9;]*m/g, '');
/** Characters that a terminal obeys, or that turn text around or hide it. */
const OBEYED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u200b\ufeff]/g;

/** Markdown without what is shown as it stands: blocks and spans of code. */
function withoutCode(report: string): string {
  return report
    .replaceAll(/^(\s*)(`{3,}|~{3,})[^\n]*\n[\s\S]*?^\s*\2`*\s*$/gm, '')
    .replaceAll(/(?<!`)(`+)(?!`)[\s\S]*?(?<!`)\1(?!`)/g, '');
}

const OPTIONS = { width: 100, color: true, unicode: true, all: true, timeZone: 'UTC', terminal: true };

test.each(['sidecar-speaks-https', 'query-unknown-flag', 'two-faults', 'healthy-with-history'])(
  'texts that want something of their reader change nothing, and are shown as text: %s',
  { timeout: 120_000 },
  async name => {
    const recording = await openBundleFiles(join(INCIDENTS, name, 'bundle.tar.gz'));
    const files = new Map<string, Uint8Array>();
    for (const path of recording.paths) files.set(path, (await recording.read(path))!);
    const before = await diagnosed(files);
    plant(files);
    const report = await diagnosed(files);
    expect(serious(report)).toEqual(serious(before));
    expect(({} as RawObject).lure).toBeUndefined();

    expect(withoutColours(text(report, OPTIONS)).match(OBEYED) ?? []).toEqual([]);
    const sheet = markdown(report, OPTIONS);
    expect(sheet.match(OBEYED) ?? []).toEqual([]);
    const prose = withoutCode(sheet);
    expect(prose.match(/<(?!\/?(?:details|summary|br|code)\b)[a-z!/][^\n]{0,80}/gi) ?? []).toEqual([]);
    expect(prose.match(/(?<!\\)\]\(\s*(?!#)[^\n]{0,80}|(?<!\\)!\[[^\n]{0,80}/g) ?? []).toEqual([]);
    const document = json(report, OPTIONS);
    expect(document.match(OBEYED) ?? []).toEqual([]);
    expect(JSON.parse(document).findings.length).toBe(report.findings.length);
  },
);

const serious = ({ findings }: Report) =>
  findings
    .filter(({ severity }) => severity !== 'info')
    .map(
      ({ rule, cluster, subject, root }: Finding) =>
        `${rule} @${cluster} ${subject.kind} ${subject.namespace}/${subject.name} ${root}`,
    )
    .sort();

async function diagnosed(files: ReadonlyMap<string, Uint8Array>): Promise<Report> {
  const bundle = memoryFiles('hostile', files);
  const { clusters } = await readManifest(bundle);
  return diagnoseFleet(await Promise.all(clusters.map(cluster => openBundleCluster(bundle, cluster))), {
    rules,
    signatures,
    expectations: NO_EXPECTATIONS,
    fleet: '',
    concurrency: 16,
    version: 'test',
    command: 'test',
  });
}
