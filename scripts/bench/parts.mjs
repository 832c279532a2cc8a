// Signatures over a log, rules over evidence that is there already, and reports of many findings, each alone.
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { alternately, head, installed, measuredProgram, medians, number, row } from './shared.mjs';

/** Each is about twice what was measured. */
const LIMITS = { ruleShare: 0.4, scanOverRipgrep: 4 };

/** `fetched` is what `measureFetch` says, where it was run. */
export async function measureParts(bench, fetched) {
  const [pods, megabytes, findings] = bench.quick ? [1000, 100, 1000] : [5000, 500, 10_000];
  const [program, scan] = [await bench.bundled('parts'), await bench.bundled('scan')];
  // What it looks for beside itself.
  for (const name of ['rules.json', 'signatures.json']) cpSync(join(bench.dist, name), join(bench.folder, name));
  cpSync(join(bench.root, 'rules'), join(bench.folder, 'rules'), { recursive: true });
  const { output } = await bench.measured(program, [bench.base, String(pods), String(findings)]);
  const { rules, render } = JSON.parse(output);
  const judged = rules.checks / (rules.ms / 1000);
  head('Parts alone, by time of the processor:', ['what', 'amount', 'ms', 'a second']);
  await measureScan(bench, scan, megabytes);
  const verdicts = `${rules.rules} rules, ${rules.pods} pods, ${rules.checks} verdicts`;
  row(['rules', verdicts, number(rules.ms), `${number(judged)} verdicts`]);
  for (const format of ['text', 'markdown', 'json']) {
    const rate = render.findings / (render[format] / 1000);
    row([`report as ${format}`, `${render.findings} findings`, number(render[format]), `${number(rate)} findings`]);
  }
  if (!fetched) return;
  const share = rules.ms / rules.pods / fetched.cpuPerPod;
  console.log(`\nRules are ${number(100 * share)} % of what a further pod costs.`);
  bench.limit('share of rules', share, LIMITS.ruleShare);
}

/** The log of a sidecar, and ripgrep over the same file for the same literals, and for the same regular expressions. */
async function measureScan(bench, program, megabytes) {
  const [log, literals, patterns] = ['log', 'literals', 'patterns'].map(name => join(bench.folder, name));
  const scan = () => bench.measured(program, [log, String(megabytes), literals, patterns]);
  await scan();
  const ripgrep = installed('rg');
  const counts = args => () => measuredProgram(bench, ripgrep, ['--count', ...args, log], { collects: true });
  const ways = ripgrep ? [counts(['--fixed-strings', '--file', literals]), counts(['--file', patterns])] : [];
  const [scans, ...others] = await alternately(bench.runs, [scan, ...ways]);
  // Without the start of Node, which is measured above.
  const said = scans.map(({ output }) => JSON.parse(output)).sort((one, other) => one.ms - other.ms);
  const { ms, found } = said[Math.floor(said.length / 2)];
  const line = (what, count, spent) =>
    row([what, `${megabytes} MB of a log, ${count} hits`, number(spent), `${number(megabytes / (spent / 1000))} MB`]);
  line('signatures', found, ms);
  for (const [index, name] of ['ripgrep, their literals', 'ripgrep, their expressions'].entries()) {
    if (!others[index]) continue;
    const { cpu } = medians(others[index]);
    line(name, Number(others[index][0].output), cpu);
    bench.limit(`signatures over ${name}`, ms / cpu, LIMITS.scanOverRipgrep);
  }
  rmSync(log);
}
