// Packs a recorded incident into a bundle: node scripts/pack-incident.mjs FOLDER OUT.tar.gz
// The same folder gives the same bytes: paths sorted, times 0, no owner. truth.yaml, which says what is wrong, is never
// packed, because whatever reads the bundle must not know it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

const [folder, target] = process.argv.slice(2);
if (!folder || !target) {
  console.error('usage: node scripts/pack-incident.mjs FOLDER OUT.tar.gz');
  process.exit(2);
}

const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter(entry => entry.isFile())
  .map(entry => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
  .filter(path => path !== 'truth.yaml')
  .sort();

const tar = pack();
for (const name of paths) {
  tar.entry({ name, mtime: new Date(0), mode: 0o644, uid: 0, gid: 0 }, readFileSync(join(folder, name)));
}
tar.finalize();
const chunks = [];
for await (const chunk of tar) chunks.push(chunk);

const archive = gzipSync(Buffer.concat(chunks), { level: 9 });
// Byte 9 of a gzip header names the operating system that packed it; 255 is "unknown".
archive[9] = 255;
writeFileSync(target, archive);
console.log(`${target}: ${paths.length} files, ${Math.ceil(archive.length / 1024)} KiB`);
