import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { ListedObject } from '../model/source.ts';

/** The bucket whose blocks are remembered. */
export interface CachedBucket {
  readonly endpoint: string;
  readonly bucket: string;
  /** Of all its keys: '' or with a slash at its end. */
  readonly prefix: string;
}

/** What was read of one bucket's blocks, during one listing: keys come in their order. */
export interface BlockCache {
  /** What an earlier run read of this very content; undefined where it did not. */
  find(object: ListedObject): string | undefined;
  /** Remembers it, unless nothing tells its content from another one's. */
  keep(object: ListedObject, text: string): void;
  /** No more is kept of keys up to this one. */
  flush(upTo: string): void;
  /** Puts what was kept in the place of what there was. Where the listing was not `whole`, its rest stays. */
  finish(whole: boolean): void;
}

/** A file of another format is ignored and written anew. */
const FORMAT = 1;
const FILE = /^blocks-[0-9a-f]{32}\.tsv(?:\.[0-9a-f]{16}\.new)?$/;
/** Bytes of one file; blocks past them are read in every run. */
const LARGEST = 256 * 1024 ** 2;
/** Characters; what is longer is read in every run. */
const LONGEST = 256 * 1024;
const CHUNK = 256 * 1024;
/** Milliseconds after which a file that no run has used goes. */
const FORGOTTEN = 30 * 86_400_000;

/**
 * Opens the memory of one bucket; undefined where nothing can be written into the folder, which is no error. Two runs at
 * once do no harm: each writes a file of its own, and the last one to finish puts it in place.
 */
export function openBlockCache(folder: string, place: CachedBucket): BlockCache | undefined {
  const { endpoint, bucket, prefix } = place;
  const header = JSON.stringify({ format: FORMAT, endpoint, bucket, prefix });
  const name = createHash('sha256').update(header).digest('hex').slice(0, 32);
  const file = join(folder, `blocks-${name}.tsv`);
  const written = `${file}.${randomBytes(8).toString('hex')}.new`;
  let output: number | undefined;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    output = openSync(written, 'wx', 0o600);
  } catch {
    return undefined;
  }
  const old = openLines(file, header);
  let size = 0;
  let last = '';
  let changed = false;
  let waiting: { readonly key: string; readonly line: string }[] = [];

  function abandon(): void {
    if (output === undefined) return;
    closeSync(output);
    output = undefined;
    rmSync(written, { force: true });
  }

  function write(lines: readonly string[]): void {
    if (output === undefined || lines.length === 0) return;
    const bytes = Buffer.from(`${size === 0 ? `${header}\n` : ''}${lines.join('\n')}\n`);
    if (size + bytes.length > LARGEST) return;
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(output, bytes, at);
      size += bytes.length;
    } catch {
      abandon();
    }
  }

  return {
    find({ key, size: bytes, etag }) {
      const short = key.slice(prefix.length);
      while (old.key !== undefined && old.key < short) {
        changed = true;
        old.next();
      }
      if (old.key !== short) return undefined;
      const text = etag ? textIn(old.line, keyPart(short, etag, bytes)) : undefined;
      if (text === undefined) changed = true;
      else waiting.push({ key: short, line: old.line });
      old.next();
      return text;
    },
    keep({ key, size: bytes, etag }, text) {
      if (!etag || /[\t\n\r]/.test(etag) || text.includes('\n') || text.length > LONGEST) return;
      changed = true;
      const short = key.slice(prefix.length);
      waiting.push({ key: short, line: lineOf(keyPart(short, etag, bytes), text) });
    },
    flush(upTo) {
      const short = upTo.slice(prefix.length);
      const done = waiting.filter(({ key }) => key <= short).sort((a, b) => (a.key < b.key ? -1 : 1));
      waiting = waiting.filter(({ key }) => key > short);
      const lines: string[] = [];
      for (const { key, line } of done) {
        // What comes out of order could not be found again.
        if (key <= last) continue;
        last = key;
        lines.push(line);
      }
      write(lines);
    },
    finish(whole) {
      this.flush(`${prefix}~`);
      if (whole && old.key !== undefined) changed = true;
      while (!whole && old.key !== undefined) {
        if (old.key > last) write([old.line]);
        old.next();
      }
      old.close();
      if (output === undefined) return;
      try {
        if (changed && size > 0) renameSync(written, file);
        else if (size > 0) utimesSync(file, new Date(), new Date());
        else if (whole) rmSync(file, { force: true });
      } catch {
        // What could not be put in place is read again next time.
      }
      abandon();
      forget(folder);
    },
  };
}

function keyPart(key: string, etag: string, size: number): string {
  return `${key}\t${etag}\t${size}\t`;
}

/** With a sum of its own, so that a file that was damaged tells nothing wrong. */
function lineOf(part: string, text: string): string {
  return `${part}${crc32(part + text).toString(16)}\t${text}`;
}

function textIn(line: string, part: string): string | undefined {
  if (!line.startsWith(part)) return undefined;
  const end = line.indexOf('\t', part.length);
  const text = line.slice(end + 1);
  return end !== -1 && crc32(part + text).toString(16) === line.slice(part.length, end) ? text : undefined;
}

interface Lines {
  /** Of the line that is next; undefined at the end. */
  readonly key: string | undefined;
  readonly line: string;
  next(): void;
  close(): void;
}

/** Lines of a file under this header, one at a time: no more than a piece of it is held. */
function openLines(file: string, header: string): Lines {
  let input: number | undefined;
  let rest: Buffer = Buffer.alloc(0);
  const lines = {
    key: undefined as string | undefined,
    line: '',
    next() {
      const line = read();
      lines.line = line ?? '';
      lines.key = line?.slice(0, Math.max(0, line.indexOf('\t')));
    },
    close() {
      if (input !== undefined) closeSync(input);
      input = undefined;
    },
  };

  /** The next whole line; what is left without an end was cut off. */
  function read(): string | undefined {
    for (;;) {
      const end = rest.indexOf(10);
      if (end !== -1) {
        const line = rest.toString('utf8', 0, end);
        rest = rest.subarray(end + 1);
        return line;
      }
      if (input === undefined || rest.length > 2 * LONGEST) return undefined;
      const more = Buffer.allocUnsafeSlow(CHUNK);
      let length = 0;
      try {
        length = readSync(input, more);
      } catch {
        // As at the end.
      }
      if (length === 0) return undefined;
      rest = rest.length === 0 ? more.subarray(0, length) : Buffer.concat([rest, more.subarray(0, length)]);
    }
  }

  try {
    input = openSync(file, 'r');
    if (read() === header) lines.next();
  } catch {
    // There is none yet.
  }
  return lines;
}

/** Files of buckets that nobody looks at any more, and what a run that was killed left. */
function forget(folder: string): void {
  try {
    for (const name of readdirSync(folder)) {
      const file = join(folder, name);
      const age = Date.now() - statSync(file).mtimeMs;
      if (FILE.test(name) && age > (name.endsWith('.new') ? FORGOTTEN / 30 : FORGOTTEN)) rmSync(file, { force: true });
    }
  } catch {
    // Another run may be at the same.
  }
}
