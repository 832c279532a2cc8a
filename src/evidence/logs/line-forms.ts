/**
 * The texts by which a line may be matched: as it stands, and, where it is JSON, also as the same program would have
 * written it in logfmt. Signatures are written for logfmt, which is what the programs log unless told otherwise.
 */
export function formsOf(text: string): readonly string[] {
  if (!text.startsWith('{') || !text.endsWith('}')) return [text];
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    return [text];
  }
  return [
    text,
    Object.entries(fields as object)
      .map(([name, value]) => `${name}=${logfmtValue(value)}`)
      .join(' '),
  ];
}

function logfmtValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /[\s="\\]|^$/.test(text) ? JSON.stringify(text) : text;
}
