// Signatures over a log, rules over evidence that is there already, and reports of many findings, each alone.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { head, number, row } from './shared.mjs';

/** Each is about twice what was measured. */
const LIMITS = { ruleShare: 0.4, scanMegabytes: 60 };

/** `fetched` is what `measureFetch` says, where it was run. */
export async function measureParts(bench, fetched) {
  const [pods, megabytes, findings] = bench.quick ? [1000, 100, 1000] : [5000, 500, 10_000];
  const program = await bench.bundled('parts');
  // What it looks for beside itself.
  for (const name of ['rules.json', 'signatures.json']) cpSync(join(bench.dist, name), join(bench.folder, name));
  cpSync(join(bench.root, 'rules'), join(bench.folder, 'rules'), { recursive: true });
  const { output } = await bench.measured(program, [bench.base, ...[pods, megabytes, findings].map(String)]);
  const { scan, rules, render } = JSON.parse(output);
  const scanned = scan.megabytes / (scan.ms / 1000);
  const judged = rules.checks / (rules.ms / 1000);
  head('Parts alone, by time of the processor:', ['what', 'amount', 'ms', 'a second']);
  row(['signatures', `${scan.megabytes} MB of a log`, number(scan.ms), `${number(scanned)} MB`]);
  const verdicts = `${rules.rules} rules, ${rules.pods} pods, ${rules.checks} verdicts`;
  row(['rules', verdicts, number(rules.ms), `${number(judged)} verdicts`]);
  for (const format of ['text', 'markdown', 'json']) {
    const rate = render.findings / (render[format] / 1000);
    row([`report as ${format}`, `${render.findings} findings`, number(render[format]), `${number(rate)} findings`]);
  }
  if (scanned < LIMITS.scanMegabytes) bench.regressions.push(`signatures: ${number(scanned)} MB a second`);
  if (!fetched) return;
  const share = rules.ms / rules.pods / fetched.cpuPerPod;
  console.log(`\nRules are ${number(100 * share)} % of what a further pod costs.`);
  bench.limit('share of rules', share, LIMITS.ruleShare);
}
