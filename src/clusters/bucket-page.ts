import type { ListedObject } from '../model/source.ts';

/** One answer to ListObjectsV2. */
export interface BucketPage {
  readonly objects: readonly ListedObject[];
  /** Where the next one begins; undefined for the last one. */
  readonly next: string | undefined;
}

/**
 * The page that an answer holds; undefined where it is in any way other than S3 servers write it: then the SDK reads it,
 * whose reader of XML takes ten times as long. Texts are made of their own bytes, so that none keeps its page.
 */
export function bucketPage(body: Buffer): BucketPage | undefined {
  const text = body.toString('latin1');
  if (!text.includes('<ListBucketResult') || text.includes('<![CDATA[')) return undefined;
  const objects: ListedObject[] = [];
  let around = '';
  let at = 0;
  for (;;) {
    const start = text.indexOf('<Contents>', at);
    around += text.slice(at, start === -1 ? undefined : start);
    if (start === -1) break;
    const end = text.indexOf('</Contents>', start);
    if (end === -1) return undefined;
    const object = listedObject(body, text, start, end);
    if (!object) return undefined;
    objects.push(object);
    at = end + '</Contents>'.length;
  }
  const truncated = /<IsTruncated>(true|false)<\/IsTruncated>/.exec(around)?.[1];
  const count = /<KeyCount>([0-9]+)<\/KeyCount>/.exec(around)?.[1];
  const token = /<NextContinuationToken>([^<]+)<\/NextContinuationToken>/.exec(around)?.[1];
  if (truncated === undefined || Number(count) !== objects.length || (truncated === 'true' && !token)) return undefined;
  return { objects, next: truncated === 'true' ? plain(Buffer.from(token!, 'latin1').toString('utf8')) : undefined };
}

function listedObject(body: Buffer, text: string, start: number, end: number): ListedObject | undefined {
  const within = (name: string): readonly [number, number] | undefined => {
    const open = text.indexOf(`<${name}>`, start);
    if (open === -1 || open > end) return undefined;
    const from = open + name.length + 2;
    const to = text.indexOf(`</${name}>`, from);
    return to === -1 || to > end ? undefined : [from, to];
  };
  const [key, size, time, etag] = [within('Key'), within('Size'), within('LastModified'), within('ETag')];
  if (!key || !size || !time) return undefined;
  const name = plain(body.toString('utf8', ...key));
  const bytes = text.slice(...size);
  const lastModified = body.toString('latin1', ...time);
  if (!/^[0-9]{1,15}$/.test(bytes) || !/^[0-9-]{10}T[0-9:]{8}\.[0-9]{3}Z$/.test(lastModified)) return undefined;
  // Nothing but what describes a block is ever compared by its content.
  const described = etag && name.endsWith('.json');
  return {
    key: name,
    size: Number(bytes),
    lastModified,
    ...(described ? { etag: plain(body.toString('latin1', ...etag)) } : {}),
  };
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function plain(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#([0-9]{1,7})|([a-z]+));/gi, (whole, hexadecimal, decimal, name) => {
    if (name) return ENTITIES[name] ?? whole;
    return String.fromCodePoint(hexadecimal ? Number.parseInt(hexadecimal, 16) : Number(decimal));
  });
}
