import { GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import type { ListedObject, RawObject } from '../../model/source.ts';
import { age, list, number, strings, text } from '../objects.ts';
import { isUlid, labelText, timeOf, ulidTime } from './block-times.ts';

export const BLOCK = {
  id: 'str',
  /** complete or partial (no meta.json) */
  state: 'str',
  created: 'time',
  createdAge: 'int',
  minTime: 'time',
  maxTime: 'time',
  maxAge: 'int',
  labels: 'map',
  labelText: 'str',
  /** Seconds: 0 raw, 300, 3600. */
  resolution: 'int',
  level: 'int',
  source: 'str',
  sources: ['str'],
  size: 'int',
  indexBytes: 'int',
  files: 'int',
  /** Of index and chunks, what is not there. */
  missing: ['str'],
  /** Files that have another size than meta.json says. */
  truncated: ['str'],
  samples: 'int',
  series: 'int',
  marks: {
    deletion: 'bool',
    deletionAt: 'time',
    deletionAge: 'int',
    noCompact: 'bool',
    noCompactAt: 'time',
    noCompactReason: 'str',
    noDownsample: 'bool',
    noDownsampleAt: 'time',
    details: 'str',
  },
  /** Of meta.json, the last that is uploaded; of the newest file where there is none. */
  lastModified: 'time',
  lastModifiedAge: 'int',
  /** Seconds from the block's making to its meta.json. */
  uploadLag: 'int',
  /** Neither marked for deletion nor kept from compaction, and whole. */
  live: 'bool',
} as const;

export type Block = ShapeOf<typeof BLOCK>;

export interface StoredFile {
  /** Below the block's folder. */
  readonly path: string;
  readonly listed: ListedObject;
}

/** The block that a key belongs to, and its path there; undefined for one of no block. `below` is '' or ends with a slash. */
export function fileOfBlock(
  listed: ListedObject,
  below: string,
): { readonly id: string; readonly file: StoredFile } | undefined {
  const { key } = listed;
  const end = key.indexOf('/', below.length);
  if (end === -1) return undefined;
  const id = key.slice(below.length, end);
  return isUlid(id) ? { id, file: { path: key.slice(end + 1), listed } } : undefined;
}

export interface BlockTexts {
  readonly meta: string | null;
  readonly deletion: string | null;
  readonly noCompact: string | null;
  readonly noDownsample: string | null;
}

interface Now {
  readonly takenAt: number;
}

/** Makes blocks of one bucket, in which thousands have the same labels. */
export function blockMaker(now: Now): (id: string, files: readonly StoredFile[], texts: BlockTexts) => Block {
  const labelled = new Map<string, Pick<Block, 'labels' | 'labelText'>>();
  const shared = (labels: Block['labels']) => {
    const text = labelText(labels);
    const known = labelled.get(text) ?? { labels, labelText: text };
    labelled.set(text, known);
    return known;
  };
  return (id, files, texts) => blockOf(now, id, files, texts, shared);
}

type Shared = (labels: Block['labels']) => Pick<Block, 'labels' | 'labelText'>;

function blockOf(now: Now, id: string, files: readonly StoredFile[], texts: BlockTexts, shared: Shared): Block {
  const meta = parsed(texts.meta);
  // Whose block it is and what time it covers is not known: it may be the one that seems to be missing.
  if (texts.meta !== null && !meta) {
    throw new GapSignal({ reason: 'malformed', detail: `meta.json of block ${id} is no JSON object` });
  }
  const state = meta ? 'complete' : 'partial';
  const created = timeOf(ulidTime(id));
  const metaFile = files.find(file => file.path === 'meta.json')?.listed;
  const lastModified = metaFile?.lastModified ?? newestOf(files);
  const index = files.find(file => file.path === 'index')?.listed;
  const missing = [
    ...(index ? [] : ['index']),
    ...(files.some(file => file.path.startsWith('chunks/')) ? [] : ['chunks']),
  ];
  const maxTime = timeOf(number(meta?.maxTime));
  const marks = marksOf(now, texts);
  return {
    id,
    state,
    created,
    createdAge: age(now, created),
    minTime: timeOf(number(meta?.minTime)),
    maxTime,
    maxAge: age(now, maxTime),
    ...shared(strings(meta?.thanos?.labels)),
    resolution: Math.round(number(meta?.thanos?.downsample?.resolution) / 1000),
    level: number(meta?.compaction?.level),
    source: text(meta?.thanos?.source),
    sources: list(meta?.compaction?.sources).map(source => (source === id ? id : text(source))),
    size: files.reduce((sum, { listed }) => sum + listed.size, 0),
    indexBytes: index?.size ?? 0,
    files: files.length,
    missing: state === 'complete' && missing.length > 0 ? missing : NONE,
    truncated: state === 'complete' ? truncatedIn(meta, files) : NONE,
    samples: number(meta?.stats?.numSamples),
    series: number(meta?.stats?.numSeries),
    marks,
    lastModified,
    lastModifiedAge: age(now, lastModified),
    uploadLag: metaFile ? Math.max(0, Math.round((Date.parse(metaFile.lastModified) - ulidTime(id)) / 1000)) : 0,
    live: state === 'complete' && missing.length === 0 && !marks.deletion && !marks.noCompact,
  };
}

/** One for all: most blocks lack nothing. */
const NONE: readonly string[] = [];

function newestOf(files: readonly StoredFile[]): string {
  return files.reduce((newest, { listed }) => (listed.lastModified > newest ? listed.lastModified : newest), '');
}

/** Files of another size than meta.json says, and those that it names and are not there. */
function truncatedIn(meta: RawObject, files: readonly StoredFile[]): readonly string[] {
  const sizes = new Map(files.map(({ path, listed }) => [path, listed.size]));
  const wrong = list(meta?.thanos?.files).flatMap(file => {
    const path = text(file?.rel_path);
    if (path === 'meta.json' || file?.size_bytes === undefined) return [];
    const size = sizes.get(path);
    // A file that is not there at all is told by `missing` if it is the index; a lost chunk file is told here.
    if (size === undefined) return path === 'index' ? [] : [path];
    return size === number(file.size_bytes) ? [] : [path];
  });
  return wrong.length > 0 ? wrong : NONE;
}

/** One for all: most blocks have none. */
const UNMARKED: Block['marks'] = {
  deletion: false,
  deletionAt: '',
  deletionAge: -1,
  noCompact: false,
  noCompactAt: '',
  noCompactReason: '',
  noDownsample: false,
  noDownsampleAt: '',
  details: '',
};

function marksOf(now: Now, texts: BlockTexts): Block['marks'] {
  if (texts.deletion === null && texts.noCompact === null && texts.noDownsample === null) return UNMARKED;
  const [deletion, noCompact, noDownsample] = [texts.deletion, texts.noCompact, texts.noDownsample].map(
    body => parsed(body) ?? {},
  );
  const at = (seconds: unknown) => (typeof seconds === 'number' && seconds > 0 ? timeOf(seconds * 1000) : '');
  const deletionAt = at(deletion?.deletion_time);
  return {
    deletion: texts.deletion !== null,
    deletionAt,
    deletionAge: age(now, deletionAt),
    noCompact: texts.noCompact !== null,
    noCompactAt: at(noCompact?.no_compact_time),
    noCompactReason: text(noCompact?.reason),
    noDownsample: texts.noDownsample !== null,
    noDownsampleAt: at(noDownsample?.no_downsample_time),
    details: text(deletion?.details) || text(noCompact?.details) || text(noDownsample?.details),
  };
}

function parsed(body: string | null): RawObject | undefined {
  if (body === null) return undefined;
  try {
    const value = JSON.parse(body);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
