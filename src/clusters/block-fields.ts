import type { RawObject } from '../model/source.ts';

/** Keys of what describes a block, beside its data. */
const DESCRIBES_BLOCK =
  /(?:^|\/)[0-7][0-9A-HJKMNP-TV-Z]{25}\/(?:meta|(?:deletion|no-compact|no-downsample)-mark)\.json$/;

/** Whether collectors read the object of this key. */
export function describesBlock(key: string): boolean {
  return DESCRIBES_BLOCK.test(key);
}

/**
 * The fields of a meta.json and of marks that collectors read, as JSON; the text itself where it is no JSON object.
 * What is kept has the form that it had: whoever reads it judges it.
 */
export function keptFields(text: string): string {
  let value: RawObject;
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  if (!isObject(value)) return text;
  const { minTime, maxTime, stats, compaction, thanos } = value;
  const { deletion_time, no_compact_time, no_downsample_time, reason, details } = value;
  return JSON.stringify({
    minTime,
    maxTime,
    stats: fields(stats, ['numSamples', 'numSeries']),
    compaction: fields(compaction, ['level', 'sources']),
    thanos: isObject(thanos) ? { ...fields(thanos, ['labels', 'source']), ...ofThanos(thanos) } : thanos,
    deletion_time,
    no_compact_time,
    no_downsample_time,
    reason,
    details,
  });
}

function ofThanos({ downsample, files }: RawObject): RawObject {
  return {
    downsample: fields(downsample, ['resolution']),
    files: Array.isArray(files) ? files.map(file => fields(file, ['rel_path', 'size_bytes'])) : files,
  };
}

function fields(value: RawObject, names: readonly string[]): RawObject {
  if (!isObject(value)) return value;
  return Object.fromEntries(names.filter(name => name in value).map(name => [name, value[name]]));
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
