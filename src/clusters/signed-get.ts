import { type IncomingHttpHeaders, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { SignatureV4 } from '@smithy/signature-v4';
import { classify, stopped, TransportFailure } from './transport.ts';

/** Where a bucket is, as a request of the SDK went there. */
export interface SignedPlace {
  readonly protocol: string;
  readonly hostname: string;
  readonly port: number | undefined;
  /** Of the bucket itself: `/bucket`, or '' where the host names it. */
  readonly path: string;
}

export interface SignedGets {
  /** `key` '' for the bucket itself. Throws a `TransportFailure` where no whole answer came. */
  get(key: string, query?: Readonly<Record<string, string>>): Promise<SignedAnswer>;
  close(): void;
}

export interface SignedAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Options {
  readonly place: SignedPlace;
  readonly signer: Pick<SignatureV4, 'sign'>;
  readonly agents: { readonly httpAgent: unknown; readonly httpsAgent: unknown };
  /** Milliseconds by which the store's clock is ahead of ours. */
  readonly clockOffset: () => number;
  /** Milliseconds for one whole answer. */
  readonly timeout: number;
  readonly maxBytes: number;
  readonly stop: AbortSignal;
}

/**
 * Reads of one bucket without the SDK's middleware, of which one read costs six times as much: signed by the SDK's own
 * signer, sent over its agents, tried once. What does not go well is for the SDK to try again, and to name.
 */
export function openSignedGets(options: Options): SignedGets {
  const { place, signer, timeout, maxBytes, stop } = options;
  const secure = place.protocol === 'https:';
  const send = secure ? requestHttps : requestHttp;
  const agent = (secure ? options.agents.httpsAgent : options.agents.httpAgent) as never;
  const hostname = place.hostname.replace(/^\[|\]$/g, '');
  const host = place.port === undefined ? place.hostname : `${place.hostname}:${place.port}`;
  const active = new Set<(failure: TransportFailure) => void>();
  const onStop = () => {
    for (const end of [...active]) end(stopped(stop));
  };
  stop.addEventListener('abort', onStop);

  async function signed(path: string, query: Readonly<Record<string, string>>) {
    const signingDate = new Date(Date.now() + options.clockOffset());
    const { protocol, port } = place;
    const request = { method: 'GET', protocol, hostname, path, query: { ...query }, headers: { host } };
    return (await signer.sign(port === undefined ? request : { ...request, port }, { signingDate })).headers;
  }

  function answered(path: string, headers: Readonly<Record<string, string>>): Promise<SignedAnswer> {
    return new Promise((resolve, reject) => {
      // As a list they are sent as they are, without being looked through one by one.
      const outgoing = send({ host: hostname, port: place.port, path, headers: Object.entries(headers).flat(), agent });
      let ended: TransportFailure | undefined;
      const end = (failure: TransportFailure) => {
        ended ??= failure;
        outgoing.destroy(failure);
      };
      const timer = setTimeout(
        () => end(new TransportFailure('timeout', `no whole answer within ${timeout / 1000} s`)),
        timeout,
      );
      active.add(end);
      const settle = () => {
        clearTimeout(timer);
        active.delete(end);
      };
      const fail = (error: NodeJS.ErrnoException) => {
        settle();
        reject(ended ?? classify(error));
      };
      outgoing.on('error', fail);
      outgoing.on('response', incoming => {
        const parts: Buffer[] = [];
        let bytes = 0;
        incoming.on('data', (part: Buffer) => {
          bytes += part.length;
          if (bytes > maxBytes) end(new TransportFailure('truncated', `the object is longer than ${maxBytes} bytes`));
          else parts.push(part);
        });
        incoming.on('error', fail);
        incoming.on('end', () => {
          settle();
          if (!incoming.complete) return reject(new TransportFailure('truncated', 'the answer was cut off'));
          const body = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body });
        });
      });
      outgoing.end();
    });
  }

  return {
    async get(key, query = {}) {
      if (stop.aborted) throw stopped(stop);
      const path = `${place.path}/${key.split('/').map(encoded).join('/')}`;
      const headers = await signed(path, query);
      const parameters = Object.entries(query).map(([name, value]) => `${encoded(name)}=${encoded(value)}`);
      return answered(parameters.length > 0 ? `${path}?${parameters.join('&')}` : path, headers);
    },
    close() {
      stop.removeEventListener('abort', onStop);
      onStop();
    },
  };
}

/** As Amazon's signatures encode. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
