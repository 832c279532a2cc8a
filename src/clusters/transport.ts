import { setMaxListeners } from 'node:events';
import {
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as requestHttp,
} from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { UserError } from '../model/user-error.ts';
import { membersOf } from './module-members.ts';
import { isLoopback } from './proxy-environment.ts';

/** Why no whole answer came, in the words of a bundle's `failures.yaml`. */
export type TransportReason =
  | 'timeout'
  | 'refused'
  | 'reset'
  | 'tls'
  | 'dns'
  | 'unreachable'
  | 'truncated'
  | 'malformed'
  | 'kubeconfig'
  | 'error';

/** No whole answer came. */
export class TransportFailure extends Error {
  readonly reason: TransportReason;
  /** It would be the same again, and cost as much. */
  readonly lasting: boolean;

  constructor(reason: TransportReason, message: string, lasting = false) {
    super(message);
    this.name = 'TransportFailure';
    this.reason = reason;
    this.lasting = lasting;
  }
}

export interface TransportRequest {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE' | 'HEAD';
  /** With query; appended to the path of the base URL. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  /** Milliseconds until the whole body is there. */
  readonly timeout: number;
  /** A longer body is a failure `truncated`. */
  readonly maxBytes?: number;
  /** Where the whole body is to be put. */
  readonly space?: BodySpace | undefined;
  readonly certificate?: { readonly cert: string; readonly key: string } | undefined;
}

/**
 * Room for one body after the other, so that the pages of a long list do not each ask for some of their own: what a body
 * was read into is used again with the next request that names it. It grows as it has to.
 */
export interface BodySpace {
  bytes: Buffer;
}

export interface TransportAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface TransportStream {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Throws a `TransportFailure` where the body is cut. Has to be read to its end, or left by `return`. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface Transport {
  readonly base: URL;
  open(request: TransportRequest): Promise<TransportStream>;
  read(request: TransportRequest): Promise<TransportAnswer>;
  usage(): { readonly requests: number; readonly bytes: number };
  /** The agent of its connections; for WebSockets to the same server. */
  readonly agent: HttpAgent | HttpsAgent;
  close(): void;
}

export interface TransportOptions {
  readonly base: URL;
  readonly ca?: string | undefined;
  readonly serverName?: string | undefined;
  readonly verify?: boolean;
  /** URL of a proxy; '' or absent for none. */
  readonly proxy?: string;
  /** Connections at once. */
  readonly sockets?: number;
  /** Ends every request under way, and refuses further ones. */
  readonly stop?: AbortSignal;
}

/** HTTP over one pool of keep-alive connections to one server. */
export async function openTransport(options: TransportOptions): Promise<Transport> {
  const { base, stop } = options;
  const secure = base.protocol === 'https:';
  const agent = await createAgent(options);
  const prefix = base.pathname.replace(/\/$/, '');
  // A gzip costs more than loopback saves.
  const encoding = isLoopback(base.hostname) ? 'identity' : 'gzip';
  const active = new Set<(failure: TransportFailure) => void>();
  const usage = { requests: 0, bytes: 0 };
  const onStop = () => {
    for (const end of [...active]) end(stopped(stop!));
  };
  // One signal ends everything, however much waits for it; Node would warn of that on the user's terminal.
  if (stop) setMaxListeners(0, stop);
  stop?.addEventListener('abort', onStop);

  function send(request: TransportRequest, again = false): Promise<TransportStream> {
    if (stop?.aborted) return Promise.reject(stopped(stop));
    usage.requests += 1;
    return new Promise((resolve, reject) => {
      let outgoing: ClientRequest;
      try {
        outgoing = (secure ? requestHttps : requestHttp)({
          host: base.hostname.replace(/^\[|\]$/g, ''),
          port: base.port || (secure ? 443 : 80),
          method: request.method ?? 'GET',
          path: prefix + request.path,
          agent,
          headers: {
            'accept-encoding': encoding,
            ...(request.body === undefined ? {} : { 'content-length': Buffer.byteLength(request.body) }),
            ...(request.headers as Record<string, string | string[]>),
          },
          ...(request.certificate ?? {}),
        });
      } catch (error) {
        // A name that stands in no path and a credential that stands in no header are refused at once.
        reject(classify(error as NodeJS.ErrnoException));
        return;
      }
      let ended: TransportFailure | undefined;
      let response: IncomingMessage | undefined;
      const end = (failure: TransportFailure) => {
        ended ??= failure;
        (response ?? outgoing).destroy(failure);
      };
      const timer = setTimeout(
        () =>
          end(
            new TransportFailure('timeout', `no ${response ? 'whole ' : ''}answer within ${request.timeout / 1000} s`),
          ),
        request.timeout,
      );
      const settle = () => {
        clearTimeout(timer);
        active.delete(end);
      };
      active.add(end);
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        settle();
        if (response) return;
        // A kept connection that the server had closed meanwhile says nothing about the server.
        if (!ended && !again && outgoing.reusedSocket && error.code === 'ECONNRESET') resolve(send(request, true));
        else reject(ended ?? classify(error));
      });
      outgoing.on('response', incoming => {
        response = incoming;
        // Without a listener, an end before the body is read would be thrown out of nowhere.
        incoming.on('error', () => {});
        const chunks = bodyOf(incoming, request.maxBytes, usage, () => ended, settle);
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, chunks });
      });
      outgoing.end(request.body);
    });
  }

  return {
    base,
    agent,
    open: request => send(request),
    async read(request) {
      const { status, headers, chunks } = await send(request);
      return { status, headers, body: await collected(chunks, headers, request.space) };
    },
    usage: () => ({ ...usage }),
    close() {
      stop?.removeEventListener('abort', onStop);
      agent.destroy();
    },
  };
}

/** Bytes; whoever claims more is read piece by piece. */
const LONGEST_TRUSTED = 64 * 1024 ** 2;

/** Bytes; smaller rooms are not worth to be made larger step by step. */
const SMALLEST_SPACE = 16 * 1024;

/** A body that has a place is written into it as it comes, so that its pieces need not be kept beside it. */
async function collected(
  chunks: AsyncIterable<Uint8Array>,
  headers: IncomingHttpHeaders,
  space: BodySpace | undefined,
): Promise<Buffer> {
  const told = headers['content-encoding'] ? 0 : Number(headers['content-length'] ?? 0);
  const trusted = told > 0 && told <= LONGEST_TRUSTED ? told : 0;
  if (!space && !trusted) {
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    return Buffer.concat(parts);
  }
  const place = space ?? { bytes: Buffer.allocUnsafeSlow(trusted) };
  let length = 0;
  for await (const chunk of chunks) {
    const needed = length + chunk.length;
    if (needed > place.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, trusted, 2 * length, SMALLEST_SPACE));
      place.bytes.copy(larger, 0, 0, length);
      place.bytes = larger;
    }
    place.bytes.set(chunk, length);
    length = needed;
  }
  return place.bytes.subarray(0, length);
}

async function* bodyOf(
  incoming: IncomingMessage,
  maxBytes: number | undefined,
  usage: { bytes: number },
  ended: () => TransportFailure | undefined,
  settle: () => void,
): AsyncGenerator<Uint8Array> {
  const encoding = incoming.headers['content-encoding'] ?? 'identity';
  const zipped = encoding === 'gzip';
  // The callback is needed: it is what keeps an error of either end from being thrown out of nowhere.
  const body: Readable = zipped ? pipeline(incoming, createGunzip(), () => {}) : incoming;
  let bytes = 0;
  try {
    // Bytes that cannot be unpacked would be searched as a text, in which nothing is found.
    if (!zipped && encoding !== 'identity') {
      throw new TransportFailure('malformed', `the answer is encoded as ${encoding}, which was not asked for`);
    }
    for await (const chunk of body) {
      bytes += chunk.length;
      usage.bytes += chunk.length;
      if (maxBytes !== undefined && bytes > maxBytes) {
        throw new TransportFailure('truncated', `the answer is longer than ${maxBytes} bytes`, true);
      }
      yield chunk;
    }
    if (!incoming.complete) throw cut(bytes);
  } catch (error) {
    if (error instanceof TransportFailure) throw error;
    throw ended() ?? (isCut(error as NodeJS.ErrnoException) ? cut(bytes) : classify(error as NodeJS.ErrnoException));
  } finally {
    settle();
    if (!incoming.complete) incoming.destroy();
  }
}

function cut(bytes: number): TransportFailure {
  return new TransportFailure('truncated', `the answer was cut off after ${bytes} bytes`);
}

function isCut(error: NodeJS.ErrnoException): boolean {
  return /^(ECONNRESET|ERR_STREAM_PREMATURE_CLOSE|Z_BUF_ERROR|Z_DATA_ERROR|HPE_INVALID_EOF_STATE)$/.test(
    error.code ?? '',
  );
}

/** The failure of everything that the stop signal ends. */
export function stopped(stop: AbortSignal): TransportFailure {
  const why = stop.reason instanceof Error ? stop.reason.message : 'the run was stopped';
  return new TransportFailure('timeout', `${why} before an answer came`);
}

const REASON_BY_CODE: Readonly<Record<string, TransportReason>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ETIMEDOUT: 'timeout',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  EPROTO: 'tls',
};

const TLS_CODE = /^ERR_(TLS|SSL)_|CERT|UNABLE_TO_|SELF_SIGNED|CRL_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE/;

/** What a socket's error means. */
export function classify(error: NodeJS.ErrnoException & { readonly errors?: readonly NodeJS.ErrnoException[] }) {
  // A name with several addresses fails with one error for each; the last one is as good as any.
  const one = error.errors?.at(-1) ?? error;
  const code = one.code ?? '';
  // In the middle of a body, Node says this of a connection that was reset.
  if (code === 'ECONNRESET' && one.message === 'aborted')
    return new TransportFailure('truncated', 'the answer was cut off');
  const reason = REASON_BY_CODE[code] ?? (TLS_CODE.test(code) ? 'tls' : 'error');
  const badProxy = /^Bad response: ([0-9]+)$/.exec(one.message);
  const message = badProxy ? `the proxy answered ${badProxy[1]}` : one.message || code;
  return new TransportFailure(reason, message);
}

async function createAgent(options: TransportOptions): Promise<HttpAgent | HttpsAgent> {
  const { base, proxy } = options;
  const secure = base.protocol === 'https:';
  const pool = { keepAlive: true, maxSockets: options.sockets ?? 32, keepAliveMsecs: 5000 };
  const tls = {
    ...(options.ca ? { ca: options.ca } : {}),
    ...(options.serverName ? { servername: options.serverName } : {}),
    rejectUnauthorized: options.verify !== false,
  };
  if (!proxy) return secure ? new HttpsAgent({ ...pool, ...tls }) : new HttpAgent(pool);
  if (!URL.canParse(proxy)) throw new UserError(`cannot use the proxy for ${base.host}: its URL is no URL`);
  if (/^socks/.test(proxy)) return socksAgent(options, proxy);
  const { HttpProxyAgent, HttpsProxyAgent } = membersOf(await import('hpagent'));
  return secure ? new HttpsProxyAgent({ ...pool, ...tls, proxy }) : new HttpProxyAgent({ ...pool, proxy });
}

/** The library's own agent: a SOCKS proxy is rare enough not to be loaded for nothing. */
async function socksAgent({ base, ca, serverName, verify }: TransportOptions, proxy: string): Promise<HttpsAgent> {
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js');
  const config = new KubeConfig();
  const cluster = {
    name: 'cluster',
    server: base.href,
    skipTLSVerify: verify === false,
    proxyUrl: proxy,
    ...(ca ? { caData: Buffer.from(ca).toString('base64') } : {}),
    ...(serverName ? { tlsServerName: serverName } : {}),
  };
  config.loadFromClusterAndUser(cluster, { name: 'user' });
  const options: { agent?: unknown } = {};
  await config.applyToHTTPSOptions(options as never);
  return options.agent as HttpsAgent;
}
