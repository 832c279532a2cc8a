import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { openBlockCache } from '../../src/clusters/block-cache.ts';
import { keptFields } from '../../src/clusters/block-fields.ts';
import { bucketPage } from '../../src/clusters/bucket-page.ts';
import type { ListedObject } from '../../src/model/source.ts';

const PLACE = { endpoint: 'minio:9000', bucket: 'blocks', prefix: 'team/' };
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'block-cache-'));
  const own = folder;
  onTestFinished(() => rmSync(own, { recursive: true, force: true }));
});

const block = (name: string, etag = `"${name}"`): ListedObject => ({
  key: `team/${name}/meta.json`,
  size: 10,
  lastModified: '',
  ...(etag ? { etag } : {}),
});

/** One run over these objects, a page each: what it found, after which it keeps the rest as `text of …`. */
function run(objects: readonly ListedObject[], { place = PLACE, whole = true } = {}): readonly (string | undefined)[] {
  const cache = openBlockCache(folder, place);
  const found = objects.map(object => {
    const text = cache?.find(object);
    if (text === undefined) cache?.keep(object, `{"of":"${object.key}"}`);
    cache?.flush(object.key);
    return text;
  });
  cache?.finish(whole);
  return found;
}

const textOf = (name: string) => `{"of":"team/${name}/meta.json"}`;
const files = () => readdirSync(folder);
const only = () => join(folder, files()[0]!);

describe('what was read of blocks', () => {
  test('is found again, by nobody but the user', () => {
    expect(run([block('A'), block('B')])).toEqual([undefined, undefined]);
    expect(run([block('A'), block('B')])).toEqual([textOf('A'), textOf('B')]);
    expect(files()).toHaveLength(1);
    expect(statSync(only()).mode & 0o777).toBe(0o600);
  });

  test('is read again where its content is another, or of another size', () => {
    run([block('A'), block('B'), block('C')]);
    const other = { ...block('C'), size: 11 };
    expect(run([block('A'), block('B', '"new"'), other])).toEqual([textOf('A'), undefined, undefined]);
    expect(run([block('A'), block('B', '"new"'), other])).toEqual([textOf('A'), textOf('B'), textOf('C')]);
  });

  test('is not kept where the store tells no content from another', () => {
    run([block('A', ''), block('B')]);
    expect(run([block('A', ''), block('B')])).toEqual([undefined, textOf('B')]);
  });

  test('drops out with its block, and takes in new ones anywhere', () => {
    run([block('B'), block('C'), block('D')]);
    expect(run([block('A'), block('C'), block('E')])).toEqual([undefined, textOf('C'), undefined]);
    expect(run([block('A'), block('B'), block('C'), block('D'), block('E')])).toEqual([
      textOf('A'),
      undefined,
      textOf('C'),
      undefined,
      textOf('E'),
    ]);
    run([]);
    expect(files()).toEqual([]);
  });

  test('stays for what an unfinished listing did not come to', () => {
    run([block('A'), block('B'), block('C')]);
    run([block('A', '"new"')], { whole: false });
    expect(run([block('A', '"new"'), block('B'), block('C')])).toEqual(['A', 'B', 'C'].map(textOf));
  });

  test('is that of one endpoint, bucket and prefix', () => {
    run([block('A')]);
    expect(run([block('A')], { place: { ...PLACE, endpoint: 'other:9000' } })).toEqual([undefined]);
    expect(run([block('A')], { place: { ...PLACE, bucket: 'other' } })).toEqual([undefined]);
    expect(files()).toHaveLength(3);
    expect(run([block('A')])).toEqual([textOf('A')]);
  });

  test.each([
    ['of another format', (text: string) => text.replace('"format":1', '"format":9')],
    ['of something else', () => 'something else\n'],
    ['without an end', (text: string) => text.slice(0, 50)],
    ['empty', () => ''],
    ['that is no text', () => '\u0000'.repeat(2 * 1024 ** 2)],
  ])('is ignored and written anew in a file %s', (_, damage) => {
    run([block('A'), block('B')]);
    writeFileSync(only(), damage(readFileSync(only(), 'utf8')));
    expect(run([block('A'), block('B')])).toEqual([undefined, undefined]);
    expect(run([block('A'), block('B')])).toEqual([textOf('A'), textOf('B')]);
  });

  test('is no worse for lines that were damaged', () => {
    run([block('A'), block('B'), block('C')]);
    writeFileSync(only(), readFileSync(only(), 'utf8').replace('{"of":"team/B', '{"of":"team/X'));
    expect(run([block('A'), block('B'), block('C')])).toEqual([textOf('A'), undefined, textOf('C')]);
  });

  test('takes no harm from two runs at once', () => {
    run([block('A')]);
    const [first, second] = [openBlockCache(folder, PLACE)!, openBlockCache(folder, PLACE)!];
    for (const cache of [first, second]) {
      expect(cache.find(block('A'))).toBe(textOf('A'));
      expect(cache.find(block('B'))).toBe(undefined);
      cache.keep(block('B'), textOf('B'));
    }
    first.finish(true);
    second.finish(true);
    expect(files()).toHaveLength(1);
    expect(run([block('A'), block('B')])).toEqual([textOf('A'), textOf('B')]);
  });

  test('is nothing where nothing can be written', () => {
    expect(openBlockCache('/dev/null/no', PLACE)).toBe(undefined);
    if (process.getuid?.() === 0) return;
    chmodSync(folder, 0o500);
    expect(openBlockCache(folder, PLACE)).toBe(undefined);
    chmodSync(folder, 0o700);
  });

  test('comes out of order without harm', () => {
    const cache = openBlockCache(folder, PLACE)!;
    for (const name of ['C', 'A', 'B']) {
      cache.keep(block(name), textOf(name));
      cache.flush(block(name).key);
    }
    cache.finish(true);
    expect(run([block('A'), block('B'), block('C')])).toEqual([undefined, undefined, textOf('C')]);
  });

  test('goes with buckets that nobody looks at any more', () => {
    run([block('A')], { place: { ...PLACE, bucket: 'old' } });
    const [old] = files();
    const long = new Date(Date.now() - 40 * 86_400_000);
    utimesSync(join(folder, old!), long, long);
    writeFileSync(join(folder, 'of-somebody-else'), '');
    utimesSync(join(folder, 'of-somebody-else'), long, long);
    run([block('A')]);
    expect(files()).not.toContain(old);
    expect(files()).toContain('of-somebody-else');
  });
});

describe('of what describes a block', () => {
  test('nothing is kept but what collectors read', () => {
    const meta = {
      ulid: 'X',
      minTime: 1,
      stats: { numSamples: 2, numChunks: 3 },
      thanos: {
        labels: { a: 'b' },
        files: [{ rel_path: 'index', size_bytes: 4, hash: { value: 'x' } }],
        extensions: {},
      },
    };
    expect(JSON.parse(keptFields(JSON.stringify(meta)))).toEqual({
      minTime: 1,
      stats: { numSamples: 2 },
      thanos: { labels: { a: 'b' }, files: [{ rel_path: 'index', size_bytes: 4 }] },
    });
  });

  test('what has another form keeps it', () => {
    for (const text of ['', '{', '[1]', '3', 'null']) expect(keptFields(text)).toBe(text);
    const odd = { minTime: 'x', stats: 7, compaction: [], thanos: { labels: [1], downsample: 'no', files: { a: 1 } } };
    expect(JSON.parse(keptFields(JSON.stringify(odd)))).toEqual(odd);
  });
});

describe('a page of a listing', () => {
  const entry = (key: string) =>
    `<Contents><Key>${key}</Key><LastModified>2026-11-23T08:00:00.000Z</LastModified><ETag>&quot;e&#34;</ETag><Size>7</Size></Contents>`;
  const page = (contents: string, more = '<KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>') =>
    Buffer.from(`<?xml version="1.0"?><ListBucketResult xmlns="x"><Name>b</Name>${more}${contents}</ListBucketResult>`);

  test('is read as it is written', () => {
    expect(bucketPage(page(entry('a&amp;b&#x20;ü/meta.json')))).toEqual({
      objects: [{ key: 'a&b ü/meta.json', size: 7, lastModified: '2026-11-23T08:00:00.000Z', etag: '"e"' }],
      next: undefined,
    });
    const cut =
      '<KeyCount>1</KeyCount><IsTruncated>true</IsTruncated><NextContinuationToken>x&amp;y</NextContinuationToken>';
    expect(bucketPage(page(entry('a'), cut))).toEqual({
      objects: [{ key: 'a', size: 7, lastModified: '2026-11-23T08:00:00.000Z' }],
      next: 'x&y',
    });
  });

  test.each([
    ['has no count', page(entry('a'), '<IsTruncated>false</IsTruncated>')],
    ['counts otherwise', page(entry('a'), '<KeyCount>2</KeyCount><IsTruncated>false</IsTruncated>')],
    ['does not say whether it is the last', page(entry('a'), '<KeyCount>1</KeyCount>')],
    ['goes on nowhere', page(entry('a'), '<KeyCount>1</KeyCount><IsTruncated>true</IsTruncated>')],
    ['has an object without a size', page(entry('a').replace('<Size>7</Size>', ''))],
    ['has a time in words', page(entry('a').replace('2026-11-23T08:00:00.000Z', 'yesterday'))],
    ['is cut off', page(entry('a').slice(0, -5))],
    ['has other names', page(entry('a').replaceAll('Contents>', 's3:Contents>'))],
    ['is a web page', Buffer.from('<html></html>')],
  ])('is left to the SDK where it %s', (_, body) => {
    expect(bucketPage(body)).toBe(undefined);
  });
});
