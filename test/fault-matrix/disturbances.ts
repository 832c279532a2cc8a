import { gunzipSync, gzipSync } from 'node:zlib';
import type { GapReason } from '../../src/model/gap.ts';
import { answer, statusAnswer, type WholeAnswer } from '../../src/simulator/answers.ts';
import type { Fault, FaultKind } from '../../src/simulator/faults.ts';

/** Something that goes wrong with every request, in the way of whoever answers it. */
export interface Disturbance {
  readonly name: string;
  readonly faults: readonly Fault[];
  /** The gaps that have to come of it. */
  readonly gaps: readonly GapReason[];
  /** What is read in spite of it may be as good as before. */
  readonly harmless?: boolean;
  /** Only lists are met, and everything else is read as before. */
  readonly ofLists?: 'read as before' | 'never whole';
  /** Nothing is answered in time: waiting is cut short. */
  readonly takesTime?: boolean;
}

const MESSAGES: Readonly<Record<number, readonly [reason: string, code: string]>> = {
  401: ['Unauthorized', 'InvalidAccessKeyId'],
  403: ['Forbidden', 'AccessDenied'],
  404: ['NotFound', 'NoSuchBucket'],
  409: ['Conflict', 'OperationAborted'],
  410: ['Expired', 'Gone'],
  429: ['TooManyRequests', 'SlowDown'],
  500: ['InternalError', 'InternalError'],
  503: ['ServiceUnavailable', 'ServiceUnavailable'],
};

/** The path of a component behind the API server. */
const PROXIED = /\/proxy\//;

const everywhere = (effect: FaultKind): readonly Fault[] => [{ path: /^/, effect }];

const xml = (status: number, code: string) =>
  answer(
    status,
    'application/xml',
    `<?xml version="1.0"?><Error><Code>${code}</Code><Message>on purpose</Message></Error>`,
  );

const instead = (made: WholeAnswer): FaultKind => ({ is: 'changed', change: () => made });

/** An error of the API server, and of the object store; what comes through the proxy may be the component's own. */
function refused(status: number, by: 'API server' | 'component', retryAfter?: string): readonly Fault[] {
  const [reason, code] = MESSAGES[status]!;
  const headers = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
  const later = (made: WholeAnswer) => instead({ ...made, headers: { ...made.headers, ...headers } });
  const own = answer(status, 'text/plain', `${reason}, on purpose`);
  return [
    { server: 's3', path: /^/, effect: later(xml(status, code)) },
    ...(by === 'component' ? [{ path: PROXIED, effect: later(own) }] : []),
    { path: /^/, effect: later(statusAnswer(status, reason, 'on purpose')) },
  ];
}

const changed = (change: (right: WholeAnswer) => WholeAnswer): readonly Fault[] =>
  everywhere({ is: 'changed', change: right => (right.status < 300 ? change(right) : right) });

const withBody = (right: WholeAnswer, body: Buffer): WholeAnswer => {
  const { 'content-encoding': _, ...headers } = right.headers;
  return { ...right, headers, body };
};

/** Half of a compressed body, which says of itself that it is whole. */
function halfOfGzip(right: WholeAnswer): WholeAnswer {
  const zipped = right.headers['content-encoding'] === 'gzip' ? right.body : gzipSync(right.body);
  const body = zipped.subarray(0, Math.floor(zipped.length / 2));
  return { ...right, headers: { ...right.headers, 'content-encoding': 'gzip' }, body };
}

/** JSON and XML that end in the middle of a word, with a length that fits. */
const halfOfText = (right: WholeAnswer) => withBody(right, right.body.subarray(0, Math.floor(right.body.length / 2)));

const LONG = Buffer.alloc(10 * 1024 ** 2, 'x');

/** One line of 10 MB: a string in JSON, a comment in a page of metrics, a line of a log. */
function longLine(right: WholeAnswer): WholeAnswer {
  const text = right.body.toString('utf8');
  if (text.startsWith('{')) {
    return withBody(right, Buffer.concat([Buffer.from('{"on-purpose":"'), LONG, Buffer.from(`",${text.slice(1)}`)]));
  }
  if (text.startsWith('[')) return withBody(right, Buffer.concat([right.body, Buffer.alloc(LONG.length, ' ')]));
  if (text.startsWith('<'))
    return withBody(right, Buffer.concat([right.body, Buffer.from('<!--'), LONG, Buffer.from('-->')]));
  return withBody(right, Buffer.concat([right.body, Buffer.from('# '), LONG, Buffer.from('\n')]));
}

/** Bytes that are no text, in the middle of what is said of some objects. */
function noText(right: WholeAnswer): WholeAnswer {
  const bytes = Buffer.from([0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80]);
  const body = right.body.toString('latin1');
  const place = /"(?:uid|version|message|lastError|error)":"|" msg="| level=|^#/.exec(body);
  if (!place) return right;
  const at = place.index + place[0].length;
  return withBody(right, Buffer.concat([right.body.subarray(0, at), bytes, right.body.subarray(at)]));
}

/** The API server's clock goes wrong, by so many minutes. */
const clock = (minutes: number, takenAt: string): readonly Fault[] => {
  const date = new Date(Date.parse(takenAt) + minutes * 60_000).toUTCString();
  return everywhere({ is: 'changed', change: right => ({ ...right, headers: { ...right.headers, date } }) });
};

const SERVER = ['server-error'] as const;

/** A token of the simulated API server, from which a list goes on at its beginning. */
const AT_THE_BEGINNING = Buffer.from('{"v":"meta.k8s.io/v1","start":0}').toString('base64url');

/** One half of a list; with a token, there is more. */
function halfOfList(right: WholeAnswer, half: 'first' | 'second', token: string): WholeAnswer {
  if (right.status !== 200) return right;
  const zipped = right.headers['content-encoding'] === 'gzip';
  const document = JSON.parse((zipped ? gunzipSync(right.body) : right.body).toString('utf8'));
  const middle = Math.ceil(document.items.length / 2);
  const items = half === 'first' ? document.items.slice(0, middle) : document.items.slice(middle);
  const metadata = { resourceVersion: '1', ...(token === '' ? {} : { continue: token, remainingItemCount: 1 }) };
  return withBody(right, Buffer.from(JSON.stringify({ ...document, metadata, items })));
}

/**
 * Every list comes in two pages, the second of which is too old to be asked for: as often as told, and then it is there.
 * What is offered in its place is said with the refusal; without it, the list has to begin anew.
 */
export function expiring(times: number, offer: 'a newer token' | 'nothing'): readonly Fault[] {
  const begun = new Map<string, number>();
  const first = (right: WholeAnswer, path: string): WholeAnswer => {
    const before = begun.get(path) ?? 0;
    begun.set(path, before >= times ? 0 : before + 1);
    const isOver = offer === 'nothing' && before >= times;
    return halfOfList(right, 'first', isOver ? AT_THE_BEGINNING : 'expired-1');
  };
  const refused = (_: WholeAnswer, path: string): WholeAnswer => {
    const number = Number(/expired-(\d+)/.exec(path)![1]);
    const next = number >= times ? AT_THE_BEGINNING : `expired-${number + 1}`;
    const told = statusAnswer(410, 'Expired', 'The provided continue parameter is too old');
    if (offer === 'nothing') return told;
    const status = { ...JSON.parse(told.body.toString()), metadata: { continue: next } };
    return { ...told, body: Buffer.from(JSON.stringify(status)) };
  };
  const second = (right: WholeAnswer) => halfOfList(right, 'second', '');
  return [
    { path: /[?&]continue=expired/, effect: { is: 'changed', change: refused } },
    { path: /[?&]continue=/, effect: { is: 'changed', change: second } },
    { path: /[?&]limit=/, effect: { is: 'changed', change: first } },
  ];
}

/** Every way in which a request may fail, at the time at which the fleet was recorded. */
export const disturbances = (takenAt: string): readonly Disturbance[] => [
  { name: '401', faults: refused(401, 'API server'), gaps: ['unauthenticated'] },
  { name: '403', faults: refused(403, 'API server'), gaps: ['forbidden'] },
  { name: '404', faults: refused(404, 'API server'), gaps: ['not-found'] },
  { name: '409', faults: refused(409, 'API server'), gaps: SERVER },
  { name: '410', faults: refused(410, 'API server'), gaps: SERVER },
  { name: '410 in the middle, twice', faults: expiring(2, 'nothing'), gaps: [], ofLists: 'read as before' },
  { name: '410, going on, twice', faults: expiring(2, 'a newer token'), gaps: [], ofLists: 'read as before' },
  { name: '410 without end', faults: expiring(99, 'nothing'), gaps: SERVER, ofLists: 'never whole' },
  {
    name: '410 with newer tokens without end',
    faults: expiring(99, 'a newer token'),
    gaps: SERVER,
    ofLists: 'never whole',
  },
  { name: '429', faults: refused(429, 'API server'), gaps: SERVER },
  { name: '429 with Retry-After', faults: refused(429, 'API server', '3600'), gaps: SERVER },
  { name: '500', faults: refused(500, 'API server'), gaps: SERVER },
  { name: '503', faults: refused(503, 'API server'), gaps: ['unreachable'] },
  { name: '401 of the component', faults: refused(401, 'component'), gaps: ['unauthenticated'] },
  { name: '403 of the component', faults: refused(403, 'component'), gaps: ['forbidden'] },
  { name: '404 of the component', faults: refused(404, 'component'), gaps: ['not-found'] },
  { name: '429 of the component', faults: refused(429, 'component'), gaps: SERVER },
  { name: '500 of the component', faults: refused(500, 'component'), gaps: SERVER },
  { name: '503 of the component', faults: refused(503, 'component'), gaps: ['server-error', 'unreachable'] },
  { name: 'silence', faults: everywhere({ is: 'silence' }), gaps: ['timed-out'], takesTime: true },
  { name: 'silence in the middle', faults: everywhere({ is: 'stalled' }), gaps: ['timed-out'], takesTime: true },
  { name: 'reset', faults: everywhere({ is: 'reset' }), gaps: ['unreachable'] },
  { name: 'cut off', faults: everywhere({ is: 'truncated' }), gaps: ['truncated'] },
  { name: 'half a gzip', faults: changed(halfOfGzip), gaps: ['truncated'] },
  { name: 'half a document', faults: changed(halfOfText), gaps: ['malformed'] },
  { name: 'a web page', faults: everywhere({ is: 'garbage' }), gaps: ['malformed'] },
  { name: 'a line of 10 MB', faults: changed(longLine), gaps: ['truncated'], harmless: true },
  { name: 'no text', faults: changed(noText), gaps: [], harmless: true },
  { name: 'a clock 10 minutes ahead', faults: clock(10, takenAt), gaps: [], harmless: true },
  { name: 'a clock 10 minutes behind', faults: clock(-10, takenAt), gaps: [], harmless: true },
];
