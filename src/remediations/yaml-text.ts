import { isMap, isScalar, parseDocument } from 'yaml';
import { same } from './changes.ts';
import { Refusal } from './refusal.ts';

/** The scalar at a path of a YAML text, as it is written; undefined where there is none. Throws a `Refusal` for bad YAML. */
export function scalarAt(text: string, path: readonly string[]): string | undefined {
  const node = nodeAt(text, path);
  if (node === undefined) return undefined;
  if (!isScalar(node) || !node.range) throw new Refusal('store-parses', `${path.join('.')} is no plain value`);
  return text.slice(node.range[0], node.range[1]);
}

/**
 * The text with one scalar replaced, or inserted as a line after the one of `besides`. Nothing else changes: no byte of
 * comments, order, line ends or indentation. `value` undefined takes the line away. Throws a `Refusal` where the result
 * would differ in more than that.
 */
export function withScalar(text: string, path: readonly string[], value: string | undefined, besides: string): string {
  const edited = value === undefined ? withoutLine(text, path) : replacedOrInserted(text, path, value, besides);
  const before = withPath(parsed(text).toJS(), path, undefined);
  const after = withPath(parsed(edited).toJS(), path, undefined);
  if (!same(before, after))
    throw new Refusal('store-parses', `changing ${path.join('.')} would change something else too`);
  const written = scalarAt(edited, path);
  if (written !== value) throw new Refusal('store-parses', `${path.join('.')} cannot be changed by itself`);
  return edited;
}

function replacedOrInserted(text: string, path: readonly string[], value: string, besides: string): string {
  const node = nodeAt(text, path);
  if (node !== undefined) {
    if (!isScalar(node) || !node.range || node.anchor) {
      throw new Refusal('store-parses', `${path.join('.')} is no plain value`);
    }
    return text.slice(0, node.range[0]) + value + text.slice(node.range[1]);
  }
  const beside = nodeAt(text, [...path.slice(0, -1), besides]);
  if (!isScalar(beside) || !beside.range) {
    throw new Refusal('store-parses', `there is no ${besides} to put ${path.at(-1)} after`);
  }
  const keyStart = lineStart(text, beside.range[0]);
  const indent = /^[ ]*/.exec(text.slice(keyStart))![0];
  if (!text.slice(keyStart + indent.length).startsWith(besides)) {
    throw new Refusal('store-parses', `${besides} does not stand on a line of its own`);
  }
  const end = text.indexOf('\n', beside.range[1] - 1);
  const lineEnd = end > 0 && text[end - 1] === '\r' ? '\r\n' : '\n';
  const line = `${indent}${path.at(-1)}: ${value}`;
  if (end < 0) return `${text}${lineEnd}${line}`;
  return `${text.slice(0, end + 1)}${line}${lineEnd}${text.slice(end + 1)}`;
}

function withoutLine(text: string, path: readonly string[]): string {
  const node = nodeAt(text, path);
  if (node === undefined) return text;
  if (!isScalar(node) || !node.range) throw new Refusal('store-parses', `${path.join('.')} is no plain value`);
  const start = lineStart(text, node.range[0]);
  const end = text.indexOf('\n', node.range[1] - 1);
  // A last line without a line end loses the one before it.
  if (end < 0) return text.slice(0, start).replace(/\r?\n$/, '');
  return text.slice(0, start) + text.slice(end + 1);
}

function lineStart(text: string, position: number): number {
  return text.lastIndexOf('\n', position - 1) + 1;
}

function parsed(text: string) {
  const document = parseDocument(text, { prettyErrors: false, uniqueKeys: true });
  // The parser's own message could quote the text, which may hold credentials.
  if (document.errors.length > 0)
    throw new Refusal('store-parses', `the text is no valid YAML (${document.errors[0]!.code})`);
  if (!isMap(document.contents)) throw new Refusal('store-parses', 'the text is no mapping');
  return document;
}

function nodeAt(text: string, path: readonly string[]): unknown {
  return parsed(text).getIn(path, true) ?? undefined;
}

function withPath(value: unknown, path: readonly string[], replacement: unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return replacement;
  if (typeof value !== 'object' || value === null) return value;
  const record = value as Readonly<Record<string, unknown>>;
  return { ...record, [name]: withPath(record[name], rest, replacement) };
}
