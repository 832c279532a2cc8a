import type { RawObject } from '../model/source.ts';
import { isAlike, keyOfPart } from './alike-parts.ts';
import type { FieldKind, Message } from './protobuf-message.ts';

/** The bytes are not what they were said to be. */
export class BrokenMessage extends Error {}

/** How an API server begins every body in protobuf. */
const MAGIC = Buffer.from('k8s\0');

const TYPE_META: Message = { kind: [2, 'text'] };
const ENVELOPE: Message = { typeMeta: [1, TYPE_META] };
const ENVELOPE_RAW = 2;
const STATUS: Message = {
  metadata: [1, { continue: [3, 'text'] }],
  status: [2, 'text'],
  message: [3, 'text'],
  reason: [4, 'text'],
  code: [6, 'int'],
};
const LIST_METADATA: Message = { continue: [3, 'text'] };

/**
 * A page of a list: the same objects that its JSON would have been, with the fields of `item`, each as `take` makes it
 * before the next is read. `onAlike` is told of what several objects may hold as one. Throws `BrokenMessage`.
 */
export function decodeList<Item = RawObject>(
  body: Buffer,
  item: Message,
  take: (object: RawObject) => Item = object => object,
  onAlike: (part: RawObject) => void = () => {},
): { readonly items: Item[]; readonly next: string } {
  const reader = contentOf(body, onAlike).reader;
  const items: Item[] = [];
  const plan = planOf(item);
  let next = '';
  while (reader.at < reader.end) {
    const tag = reader.varint();
    if (tag === 0x0a) next = readMessage(reader, planOf(LIST_METADATA)).continue ?? '';
    else if (tag === 0x12) items.push(take(readMessage(reader, plan)));
    else reader.skip(tag & 7);
  }
  return { items, next };
}

/** An error of the API server as its JSON; undefined for anything else. */
export function decodeStatus(body: Buffer): RawObject {
  try {
    const { kind, reader } = contentOf(body);
    if (kind !== 'Status') return undefined;
    const { end } = reader;
    return { kind, apiVersion: 'v1', ...readFields(reader, planOf(STATUS), {}, end) };
  } catch (error) {
    if (error instanceof BrokenMessage) return undefined;
    throw error;
  }
}

/** What the envelope of an API server holds. */
function contentOf(
  body: Buffer,
  onAlike?: (part: RawObject) => void,
): { readonly kind: string; readonly reader: Reader } {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC)) throw new BrokenMessage('no envelope');
  const envelope = new Reader(body, MAGIC.length, body.length);
  const { typeMeta } = readFields(new Reader(body, MAGIC.length, body.length), planOf(ENVELOPE), {}, body.length);
  while (envelope.at < envelope.end) {
    const tag = envelope.varint();
    if (tag >>> 3 !== ENVELOPE_RAW) {
      envelope.skip(tag & 7);
      continue;
    }
    if ((tag & 7) !== BYTES) throw new BrokenMessage('no content');
    const end = envelope.endOfBytes();
    return { kind: typeMeta?.kind ?? '', reader: new Reader(body, envelope.at, end, onAlike) };
  }
  throw new BrokenMessage('no content');
}

const VARINT = 0;
const BYTES = 2;

/** A message as its fields by number. */
type Plan = readonly (Step | undefined)[];

interface Step {
  readonly name: string;
  readonly kind: FieldKind;
  readonly plan: Plan | undefined;
  readonly repeated: boolean;
  readonly alike: boolean;
  readonly wire: number;
}

const plans = new WeakMap<Message, Plan>();

function planOf(message: Message): Plan {
  let plan: (Step | undefined)[] | undefined = plans.get(message) as (Step | undefined)[] | undefined;
  if (plan) return plan;
  plan = [];
  for (const [name, [number, kind]] of Object.entries(message)) {
    const one = (Array.isArray(kind) ? kind[0] : kind) as FieldKind;
    const wire = one === 'int' || one === 'int?' || one === 'flag' || one === 'flag?' ? VARINT : BYTES;
    const inside = typeof one === 'object' ? planOf(one) : undefined;
    const shared = typeof one === 'object' && isAlike(one);
    plan[number] = { name, kind: one, plan: inside, repeated: Array.isArray(kind), alike: shared, wire };
  }
  plans.set(message, plan);
  return plan;
}

function readMessage(reader: Reader, plan: Plan): RawObject {
  return readFields(reader, plan, {}, reader.endOfBytes());
}

function readFields(reader: Reader, plan: Plan, object: RawObject, end: number): RawObject {
  while (reader.at < end) {
    const tag = reader.varint();
    const step = plan[tag >>> 3];
    if (!step) {
      reader.skip(tag & 7);
      continue;
    }
    if ((tag & 7) !== step.wire) throw new BrokenMessage(`field ${step.name} is of another type`);
    const { name } = step;
    if (name === '') readFields(reader, step.plan!, object, reader.endOfBytes());
    else if (step.kind === 'texts' || step.kind === 'quantities') {
      object[name] ??= {};
      readEntry(reader, step.kind, object[name]);
    } else if (step.repeated) {
      const value = fieldValue(reader, step);
      const list = object[name];
      if (list) list.push(value);
      else object[name] = [value];
    } else {
      const value = fieldValue(reader, step);
      if (value !== undefined) object[name] = value;
    }
  }
  if (reader.at !== end) throw new BrokenMessage('a field is longer than what it is in');
  return object;
}

/** The message of these bytes, decoded when they are met for the first time. */
function readAlike(reader: Reader, plan: Plan): RawObject {
  const end = reader.endOfBytes();
  const key = keyOfPart(reader.bytesTo(end));
  let parts = reader.alike.get(plan);
  if (!parts) {
    parts = new Map();
    reader.alike.set(plan, parts);
  }
  const known = parts.get(key);
  if (known) {
    reader.at = end;
    return known;
  }
  const part = readFields(reader, plan, {}, end);
  parts.set(key, part);
  reader.onAlike?.(part);
  return part;
}

/** Undefined for what JSON would leave out. */
function fieldValue(reader: Reader, { kind, plan, repeated, alike: shared }: Step): unknown {
  if (plan) return shared ? readAlike(reader, plan) : readMessage(reader, plan);
  switch (kind) {
    case 'text':
      return reader.text() || (repeated ? '' : undefined);
    case 'text?':
      return reader.text();
    case 'int':
      return reader.varint() || undefined;
    case 'int?':
      return reader.varint();
    case 'flag':
      return reader.varint() !== 0 || undefined;
    case 'flag?':
      return reader.varint() !== 0;
    case 'quantity':
      return readFields(reader, QUANTITY, {}, reader.endOfBytes()).string ?? '0';
    case 'intOrText': {
      const { type, number, text } = readFields(reader, INT_OR_TEXT, {}, reader.endOfBytes());
      return type ? (text ?? '') : (number ?? 0);
    }
    default: {
      const { seconds = 0, nanos = 0 } = readFields(reader, TIME, {}, reader.endOfBytes());
      if (seconds === 0 && nanos === 0) return undefined;
      return timeText(seconds, kind === 'microTime' ? nanos : undefined);
    }
  }
}

const QUANTITY = planOf({ string: [1, 'text'] });
const INT_OR_TEXT = planOf({ type: [1, 'int'], number: [2, 'int'], text: [3, 'text'] });
const TIME = planOf({ seconds: [1, 'int'], nanos: [2, 'int'] });
const TEXT_ENTRY = planOf({ key: [1, 'text'], value: [2, 'text'] });
const QUANTITY_ENTRY = planOf({ key: [1, 'text'], value: [2, 'quantity'] });

function readEntry(reader: Reader, kind: 'texts' | 'quantities', map: Record<string, string>): void {
  const plan = kind === 'texts' ? TEXT_ENTRY : QUANTITY_ENTRY;
  const { key = '', value = kind === 'texts' ? '' : '0' } = readFields(reader, plan, {}, reader.endOfBytes());
  if (key !== '__proto__') map[key] = value;
  else Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Date.toISOString is slow, and objects say the same few times again and again. */
const times = new Map<number, string>();
const TIMES = 50_000;
/** Years 1 to 9999. */
const EARLIEST = -62_135_596_800;
const LATEST = 253_402_300_799;

function timeText(seconds: number, nanos: number | undefined): string {
  let text = times.get(seconds);
  if (text === undefined) {
    if (!(seconds >= EARLIEST && seconds <= LATEST)) throw new BrokenMessage('a time is outside of all years');
    text = `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
    if (times.size >= TIMES) times.clear();
    times.set(seconds, text);
  }
  if (nanos === undefined) return text;
  return `${text.slice(0, 19)}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z`;
}

const LONGEST_SHARED = 64;
/** A power of two. */
const SHARED = 1 << 14;
const shared: string[] = new Array<string>(SHARED).fill('');

class Reader {
  at: number;
  readonly end: number;
  /** What was decoded once for all, by its bytes. */
  readonly alike = new Map<Plan, Map<string, RawObject>>();
  readonly onAlike: ((part: RawObject) => void) | undefined;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer, at: number, end: number, onAlike?: (part: RawObject) => void) {
    this.onAlike = onAlike;
    this.#bytes = bytes;
    this.at = at;
    this.end = end;
  }

  /** As far as numbers are exact; negative ones are written as 64 bits. */
  varint(): number {
    const low = this.#bits(4);
    if (low >= 0) return low;
    const middle = this.#bits(4);
    const lower = low + 2 ** 31;
    if (middle >= 0) return lower + middle * 2 ** 28;
    const upper = middle + 2 ** 31;
    const high = this.#bits(2);
    if (high < 0) throw new BrokenMessage('a number does not end');
    if ((high & 0x80) === 0) return lower + upper * 2 ** 28 + (high & 0xff) * 2 ** 56;
    return -((~lower & 0xfffffff) + (~upper & 0xfffffff) * 2 ** 28 + (~high & 0xff) * 2 ** 56 + 1);
  }

  /** Up to `groups` bytes of seven bits each; below zero by 2^31 where more follow. */
  #bits(groups: number): number {
    let value = 0;
    for (let group = 0; group < groups; group += 1) {
      if (this.at >= this.end) throw new BrokenMessage('a number does not end');
      const byte = this.#bytes[this.at]!;
      this.at += 1;
      value |= (byte & 0x7f) << (7 * group);
      if (byte < 0x80) return value;
    }
    return value - 2 ** 31;
  }

  /** Where the bytes that follow end. */
  endOfBytes(): number {
    const length = this.varint();
    const end = this.at + length;
    if (!(end <= this.end)) throw new BrokenMessage('a field is longer than what it is in');
    return end;
  }

  /** The bytes up to there, a character for each. Nothing is read by it. */
  bytesTo(end: number): string {
    return this.#bytes.toString('latin1', this.at, end);
  }

  /** Short texts are kept once: thousands of objects say the same few words. */
  text(): string {
    const end = this.endOfBytes();
    const start = this.at;
    this.at = end;
    const bytes = this.#bytes;
    const length = end - start;
    if (length === 0) return '';
    if (length > LONGEST_SHARED) return bytes.toString('utf8', start, end);
    let hash = length;
    for (let index = start; index < end; index += 1) hash = (Math.imul(hash, 31) + bytes[index]!) | 0;
    const place = (hash ^ (hash >>> 15)) & (SHARED - 1);
    const known = shared[place]!;
    if (known.length === length) {
      let index = 0;
      while (index < length && known.charCodeAt(index) === bytes[start + index]) index += 1;
      if (index === length) return known;
    }
    const text = bytes.toString('utf8', start, end);
    // A character for each byte: none of them is of several bytes, and none can be mistaken for another.
    if (text.length === length) shared[place] = text;
    return text;
  }

  skip(wire: number): void {
    if (wire === VARINT) this.varint();
    else if (wire === BYTES) this.at = this.endOfBytes();
    else {
      this.at += wire === 1 ? 8 : wire === 5 ? 4 : Number.NaN;
      if (!(this.at <= this.end)) throw new BrokenMessage('a field of a type that there is not');
    }
  }
}
