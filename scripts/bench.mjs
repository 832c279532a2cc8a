// npm run bench: what a diagnosis costs, each thing beside a floor that is measured in the same run. `--quick` is for every
// change: small sizes, and a failure where a ratio is far from what it was. `--only fetch,parts` measures less; `--dist FOLDER`
// measures another build; BENCH_RUNS says how often.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { measureBucket } from './bench/bucket.mjs';
import { measureBundle } from './bench/bundle.mjs';
import { measureFetch } from './bench/fetch.mjs';
import { measureParts } from './bench/parts.mjs';
import { measureReal } from './bench/real.mjs';
import { openBench } from './bench/shared.mjs';
import { setUp } from './setup.mjs';

/** In this order; each gets what those before it said. */
const PARTS = {
  fetch: bench => measureFetch(bench),
  real: bench => measureReal(bench),
  bundle: bench => measureBundle(bench),
  bucket: bench => measureBucket(bench),
  parts: (bench, said) => measureParts(bench, said.fetch),
};

const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, only: { type: 'string' }, dist: { type: 'string' } },
});
const chosen = values.only?.split(',') ?? Object.keys(PARTS);
const unknown = chosen.find(name => !(name in PARTS));
if (unknown !== undefined) throw new Error(`--only knows ${Object.keys(PARTS).join(', ')}, not ${unknown}`);

// Nothing that is measured remembers what an earlier run read, unless that is what is measured.
process.env.XDG_CACHE_HOME = '/dev/null';
setUp();
const quick = values.quick === true;
const runs = Number(process.env.BENCH_RUNS ?? (quick ? 1 : 3));
const bench = openBench({ quick, runs, ...(values.dist && { dist: resolve(values.dist) }) });
try {
  console.log(`Node ${process.version}, medians of ${runs} runs`);
  const said = {};
  for (const name of Object.keys(PARTS)) if (chosen.includes(name)) said[name] = await PARTS[name](bench, said);
} finally {
  bench.close();
}
for (const regression of bench.regressions) console.error(`regression: ${regression}`);
if (quick && bench.regressions.length > 0) process.exitCode = 1;
