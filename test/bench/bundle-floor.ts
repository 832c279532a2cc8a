import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import tar from 'tar-stream';

/** The least that reading a bundle can cost: bundle-floor.mjs PLACE unpacks it, or reads the folder, and counts lines. */
const place = process.argv[2]!;
const PIECE = 512 * 1024;
let lines = 0;

async function count(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of chunks) {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines += 1;
  }
}

if (place.endsWith('.tar.gz')) {
  const entries = tar.extract();
  createReadStream(place, { highWaterMark: PIECE })
    .pipe(createGunzip({ chunkSize: PIECE }))
    .pipe(entries);
  for await (const entry of entries) await count(entry as unknown as AsyncIterable<Uint8Array>);
} else {
  for (const file of await readdir(place, { recursive: true, withFileTypes: true })) {
    if (file.isFile()) await count(createReadStream(join(file.parentPath, file.name), { highWaterMark: PIECE }));
  }
}
process.stdout.write(JSON.stringify({ lines }));
