import type { RawObject } from '../model/source.ts';
import { answer, type WholeAnswer } from './answers.ts';
import { PROTOBUF_SCHEMA } from './protobuf-schema.ts';

const CONTENT_TYPE = 'application/vnd.kubernetes.protobuf';

/** Go types of the kinds that can be written as protobuf, by group and kind. */
const TYPES: Readonly<Record<string, string>> = {
  'v1 PodList': 'core.Pod',
  'v1 EventList': 'core.Event',
  'v1 ServiceList': 'core.Service',
  'v1 NodeList': 'core.Node',
  'v1 PersistentVolumeClaimList': 'core.PersistentVolumeClaim',
  'apps/v1 DeploymentList': 'apps.Deployment',
  'apps/v1 ReplicaSetList': 'apps.ReplicaSet',
  'discovery.k8s.io/v1 EndpointSliceList': 'discovery.EndpointSlice',
  'batch/v1 JobList': 'batch.Job',
};

/** The Go type of a list's objects where the request prefers protobuf and the kind has it. */
export function binaryType(accept: string, apiVersion: string, listKind: string): string | undefined {
  return accept.startsWith(CONTENT_TYPE) ? TYPES[`${apiVersion} ${listKind}`] : undefined;
}

/** A list as the API server writes it in protobuf; `objects` are written already. */
export function binaryList(
  apiVersion: string,
  kind: string,
  metadata: RawObject,
  objects: readonly Uint8Array[],
): WholeAnswer {
  const about = message([text(2, metadata.resourceVersion), text(3, metadata.continue ?? '')]);
  const rest = metadata.remainingItemCount === undefined ? [] : [tag(4, 0), varint(metadata.remainingItemCount)];
  const list = [bytes(1, Buffer.concat([about, ...rest])), ...objects.map(object => bytes(2, object))];
  return enveloped(200, apiVersion, kind, Buffer.concat(list));
}

function enveloped(status: number, apiVersion: string, kind: string, content: Buffer): WholeAnswer {
  const type = message([text(1, apiVersion), text(2, kind)]);
  const body = Buffer.concat([Buffer.from('k8s\0'), bytes(1, type), bytes(2, content), text(3, ''), text(4, '')]);
  return answer(status, CONTENT_TYPE, body);
}

/** A Status, which the API server writes in the encoding that was asked for. */
export function binaryStatus(given: WholeAnswer): WholeAnswer {
  const { status, message: words, reason, code, metadata } = JSON.parse(given.body.toString('utf8'));
  const about = message([text(3, metadata?.continue ?? '')]);
  const content = message([
    bytes(1, about),
    text(2, status),
    text(3, words ?? ''),
    text(4, reason ?? ''),
    tag(6, 0),
    varint(code),
  ]);
  const whole = enveloped(given.status, 'v1', 'Status', content);
  return { ...whole, headers: { ...given.headers, ...whole.headers } };
}

/** One object as a message of a Go type. */
export function binaryObject(type: string, object: RawObject): Buffer {
  const parts: Uint8Array[] = [];
  for (const { name, number, kind, repeated } of PROTOBUF_SCHEMA.get(type)!) {
    const value = name === '' ? object : object[name];
    if (kind === 'texts' || kind === 'quantities') {
      for (const [key, entry] of Object.entries((value ?? {}) as Record<string, string>)) {
        const content = kind === 'texts' ? text(2, entry) : bytes(2, text(1, entry));
        parts.push(bytes(number, message([text(1, key), content])));
      }
    } else if (repeated) for (const element of value ?? []) parts.push(field(number, kind, element));
    // Go writes zeros, unless there is a pointer to them.
    else if (value !== undefined && value !== null) parts.push(field(number, kind, value));
    else if (kind === 'text') parts.push(text(number, ''));
    else if (kind === 'int' || kind === 'flag') parts.push(tag(number, 0), varint(0));
    else if (kind === 'time' || kind === 'microTime') parts.push(bytes(number, Buffer.alloc(0)));
  }
  return Buffer.concat(parts);
}

function field(number: number, kind: string, value: RawObject): Buffer {
  switch (kind.replace('?', '')) {
    case 'text':
      return text(number, value);
    case 'bytes':
      return bytes(number, Buffer.from(value, 'base64'));
    case 'raw':
      return bytes(number, bytes(1, Buffer.from(JSON.stringify(value))));
    case 'int':
      return Buffer.concat([tag(number, 0), varint(value)]);
    case 'flag':
      return Buffer.concat([tag(number, 0), varint(value ? 1 : 0)]);
    case 'quantity':
      return bytes(number, text(1, String(value)));
    case 'intOrText':
      return bytes(number, intOrText(value));
    case 'time':
    case 'microTime':
      return bytes(number, time(value));
    default:
      return bytes(number, binaryObject(kind, value));
  }
}

function intOrText(value: number | string): Buffer {
  const isText = typeof value === 'string';
  return message([
    tag(1, 0),
    varint(isText ? 1 : 0),
    tag(2, 0),
    varint(isText ? 0 : value),
    text(3, isText ? value : ''),
  ]);
}

function time(value: string): Buffer {
  const seconds = Math.floor(Date.parse(value) / 1000);
  const fraction = /\.(\d+)/.exec(value)?.[1] ?? '';
  return message([tag(1, 0), varint(seconds), tag(2, 0), varint(Number(fraction.padEnd(9, '0')))]);
}

function message(parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(parts);
}

function tag(number: number, wire: number): Buffer {
  return varint(number * 8 + wire);
}

function text(number: number, value: string): Buffer {
  return bytes(number, Buffer.from(value));
}

function bytes(number: number, content: Uint8Array): Buffer {
  return Buffer.concat([tag(number, 2), varint(content.length), content]);
}

function varint(value: number): Buffer {
  const groups: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const more = rest > 127n;
    groups.push(Number(rest & 127n) | (more ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(groups);
}
