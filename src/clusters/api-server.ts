import { STATUS_CODES } from 'node:http';
import type { GapSignal } from '../model/gap.ts';
import type { ClockDifference, RawObject, ReadFailure } from '../model/source.ts';
import { failureGap } from './bundle-source.ts';
import { CredentialFailure, type CredentialSource } from './exec-credentials.ts';
import type { FailureRecord } from './failure-record.ts';
import type { LiveTimeouts, RetryPolicy } from './live-options.ts';
import type { Redactor } from './redact.ts';
import { withRetries } from './retry.ts';
import {
  type Transport,
  type TransportAnswer,
  TransportFailure,
  type TransportRequest,
  type TransportStream,
} from './transport.ts';

/** One request to the API server. */
export interface ApiRequest {
  /** With query, as it is sent. */
  readonly path: string;
  /** Path that a failure is recorded under, without paging and tail parameters; `path` where it is left out. */
  readonly place?: string;
  readonly method?: TransportRequest['method'];
  readonly accept?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Default `application/json`. */
  readonly contentType?: string;
  /** Milliseconds; that of options otherwise. */
  readonly timeout?: number;
  readonly maxBytes?: number;
  readonly retries?: number;
  /** Where the whole body is to be put; for `read`. */
  readonly space?: TransportRequest['space'];
  /** The answer comes from somewhere behind the API server, whose clock is not the API server's. */
  readonly proxied?: boolean;
}

/** Bytes of one answer, unpacked: a page of 500 objects of half a megabyte each. */
const LONGEST_ANSWER = 256 * 1024 ** 2;

/** The API server of one cluster, with credentials, repetitions and a record of what failed. */
export interface ApiServer {
  readonly context: string;
  readonly host: string;
  /** Whatever the status is. Throws a recorded gap where no whole answer came. */
  read(request: ApiRequest): Promise<TransportAnswer>;
  /** The body of a 200 as a stream, any other answer whole. Throws a recorded gap where no answer came. */
  open(request: ApiRequest): Promise<TransportStream | TransportAnswer>;
  /** The JSON of a 2xx answer. Throws a recorded gap for anything else. */
  json(request: ApiRequest): Promise<RawObject>;
  /** Records that a request was answered with an error, and returns the gap to be thrown. */
  refused(request: ApiRequest, answer: TransportAnswer): GapSignal;
  /** Records that a good answer could not be understood, and returns the gap to be thrown. */
  malformed(request: ApiRequest, answer: TransportAnswer): GapSignal;
  /** Records a failure, and returns the gap to be thrown. */
  failed(request: ApiRequest, error: unknown): GapSignal;
  /** Headers and certificate of the present credentials; for WebSockets. */
  credentials: CredentialSource;
  readonly transport: Transport;
  /** RFC 3339: the server's own `Date` of its newest answer, or the local clock's where it never told one. */
  now(): string;
  /** The server's clock against ours, by the quickest of its answers; undefined where it never told the time. */
  clock(): ClockDifference | undefined;
  /** Whether the server was seen to mark its answers with an `Audit-Id`. */
  marksAnswers(): boolean;
}

interface Parts {
  readonly context: string;
  readonly transport: Transport;
  readonly credentials: CredentialSource;
  readonly failures: FailureRecord;
  readonly redactor: Redactor;
  readonly timeouts: LiveTimeouts;
  readonly retry: RetryPolicy;
  readonly stop: AbortSignal;
}

export function openApiServer(parts: Parts): ApiServer {
  const { transport, credentials, failures, redactor, timeouts, stop } = parts;
  const { base } = transport;
  let newest = 0;
  let clock: ClockDifference | undefined;
  let marks = false;

  async function attempt<Answer extends TransportAnswer | TransportStream>(
    request: ApiRequest,
    send: (request: TransportRequest) => Promise<Answer>,
  ): Promise<Answer> {
    const ready = await prepared(request);
    const sent = Date.now();
    const answer = await send(ready);
    note(answer, request.proxied === true, sent);
    if (answer.status !== 401 || !('body' in answer)) return answer;
    // Through the proxy, a 401 may be the component's own.
    if ((request.proxied && !statusObject(answer.body)) || !credentials.refused()) return answer;
    return send(await prepared(request));
  }

  async function prepared(request: ApiRequest): Promise<TransportRequest> {
    const { headers, certificate } = await credentials.get();
    return {
      method: request.method ?? 'GET',
      path: request.path,
      timeout: request.timeout ?? timeouts.request,
      certificate,
      space: request.space,
      maxBytes: request.maxBytes ?? LONGEST_ANSWER,
      ...(request.body === undefined ? {} : { body: goJson(request.body) }),
      headers: {
        accept: request.accept ?? 'application/json',
        'user-agent': 'thanos-doctor',
        ...(request.body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
        ...headers,
      },
    };
  }

  function note({ headers }: TransportAnswer | TransportStream, proxied: boolean, sent: number): void {
    if (proxied) return;
    marks ||= headers['audit-id'] !== undefined;
    const date = Date.parse(headers.date ?? '');
    if (date > newest) newest = date;
    const difference = differenceAt(date, sent);
    if (difference && !(clock && clock.within <= difference.within)) clock = difference;
  }

  async function withPolicy<Answer extends TransportAnswer | TransportStream>(
    request: ApiRequest,
    send: (request: TransportRequest) => Promise<Answer>,
  ): Promise<Answer> {
    const policy = { ...parts.retry, retries: request.retries ?? parts.retry.retries };
    try {
      return await withRetries(policy, stop, () => attempt(request, send));
    } catch (error) {
      throw failed(request, error);
    }
  }

  function failed(request: ApiRequest, error: unknown): GapSignal {
    const path = request.place ?? request.path;
    if (error instanceof TransportFailure) {
      return record({ path, status: 0, reason: error.reason, message: error.message });
    }
    if (error instanceof CredentialFailure) {
      return record({ path: 'kubeconfig', status: 0, reason: 'kubeconfig', message: error.message });
    }
    throw error;
  }

  function refused(request: ApiRequest, { status, body }: TransportAnswer): GapSignal {
    const said = statusObject(body);
    const reason = said?.reason || (STATUS_CODES[status] ?? '').replaceAll(' ', '');
    const message = said ? String(said.message ?? '') : body.toString('utf8', 0, 300).trim();
    return record({ path: request.place ?? request.path, status, reason, message });
  }

  /** Without a piece of the body in it. */
  function malformed(request: ApiRequest, { status, headers, body }: TransportAnswer): GapSignal {
    const message = `the answer is not what was asked for (${body.length} bytes, ${headers['content-type'] ?? 'no content type'})`;
    return record({ path: request.place ?? request.path, status, reason: 'malformed', message });
  }

  function record(failure: ReadFailure): GapSignal {
    const clean = { ...failure, message: redactor.text(failure.message) };
    failures.add(clean);
    return failureGap(clean);
  }

  async function openGood(request: TransportRequest): Promise<TransportStream | TransportAnswer> {
    const stream = await transport.open(request);
    if (stream.status === 200) return stream;
    const parts: Uint8Array[] = [];
    for await (const chunk of stream.chunks) parts.push(chunk);
    return { status: stream.status, headers: stream.headers, body: Buffer.concat(parts) };
  }

  return {
    context: parts.context,
    host: `${base.hostname}:${base.port || (base.protocol === 'https:' ? 443 : 80)}`,
    credentials,
    transport,
    read: request => withPolicy(request, transport.read),
    open: request => withPolicy(request, openGood),
    async json(request) {
      const answer = await withPolicy(request, transport.read);
      if (answer.status < 200 || answer.status > 299) throw refused(request, answer);
      try {
        const value = JSON.parse(answer.body.toString('utf8'));
        if (typeof value === 'object' && value !== null) return value;
      } catch {
        // Said below.
      }
      throw malformed(request, answer);
    },
    malformed,
    refused,
    failed,
    now: () => new Date(newest || Date.now()).toISOString(),
    clock: () => clock,
    marksAnswers: () => marks,
  };
}

/**
 * A `Date` header (milliseconds) against our clock in the middle of a request that was sent at `sent` and is answered
 * now; undefined where the server told no time. The header is cut to whole seconds, of which the half is added.
 */
export function differenceAt(date: number, sent: number): ClockDifference | undefined {
  if (Number.isNaN(date)) return undefined;
  const now = Date.now();
  return {
    difference: Math.round((date + 500 - (sent + now) / 2) / 1000),
    within: Math.round(now - sent) / 1000,
  };
}

/** The API server's own error object, or undefined where the body is something else. */
export function statusObject(body: Buffer): RawObject | undefined {
  if (body[0] !== 0x7b || body.length > 1024 ** 2) return undefined;
  try {
    const value = JSON.parse(body.toString('utf8'));
    return value?.kind === 'Status' && value.apiVersion === 'v1' ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * JSON as the API server writes it itself: the `test` of a JSON patch compares texts, and Go escapes these characters
 * where JavaScript does not.
 */
function goJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
