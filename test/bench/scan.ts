import { createReadStream, createWriteStream, existsSync, writeFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { builtinSignatures } from '../../src/app/signature-files.ts';
import { scanLog } from '../../src/evidence/logs/run-scan.ts';
import { gatesOf } from '../../src/evidence/logs/signatures.ts';

/**
 * Signatures over the log of a sidecar: scan.mjs LOG MEGABYTES LITERALS PATTERNS. Writes the log, and what is looked for as
 * ripgrep takes it, where they are not there yet. The time is of the processor, without the start.
 */
const [log, megabytes, literals, patterns] = process.argv.slice(2) as [string, string, string, string];
const COMPONENT = 'sidecar';
const signatures = builtinSignatures();

/** As a sidecar writes it, one line of a thousand of which means something. */
function* lines(bytes: number): Generator<Uint8Array> {
  const line = (index: number) =>
    index % 1000 === 999
      ? `2026-01-15T12:00:00.000000000Z ts=2026-01-15T12:00:00.000Z caller=shipper.go:${index} level=warn err="check exists: stat s3 object: dial tcp 10.0.0.9:9000: connect: connection refused"\n`
      : `2026-01-15T12:00:00.000000000Z ts=2026-01-15T12:00:00.000Z caller=compact.go:${index} level=info msg="write block" mint=1768478400000 maxt=1768485600000 ulid=01KF0000000000000000${index}\n`;
  const chunk = Buffer.from(Array.from({ length: 5000 }, (_, index) => line(index)).join(''));
  for (let done = 0; done < bytes; done += chunk.length) yield chunk;
}

const escaped = (literal: string) => literal.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

if (!existsSync(log)) {
  await pipeline(lines(Number(megabytes) * 1e6), createWriteStream(log));
  const wanted = signatures.all.filter(one =>
    one.components.some(name => ['any', COMPONENT, `thanos-${COMPONENT}`].includes(name)),
  );
  const gates = [...new Set(wanted.flatMap(gatesOf))];
  writeFileSync(literals, gates.map(gate => `${gate}\n`).join(''));
  const expressions = wanted.flatMap(one => (one.match.regex ? [one.match.regex] : gatesOf(one).map(escaped)));
  writeFileSync(patterns, [...new Set(expressions)].map(one => `${one}\n`).join(''));
}
const before = process.cpuUsage();
const scan = await scanLog(signatures, COMPONENT, createReadStream(log, { highWaterMark: 256 * 1024 }));
const { user, system } = process.cpuUsage(before);
const found = scan.hits.reduce((sum, hit) => sum + hit.count, 0);
console.log(JSON.stringify({ ms: (user + system) / 1000, found, lines: scan.lines }));
