import type { HttpAnswer, HttpRequest } from '../model/source.ts';
import { type ApiRequest, type ApiServer, statusObject } from './api-server.ts';
import { proxyPath } from './bundle-source.ts';
import { openTransport, type Transport, type TransportAnswer } from './transport.ts';

export interface ComponentHttp {
  ask(request: HttpRequest): Promise<HttpAnswer>;
  close(): void;
}

export interface ComponentHttpOptions {
  readonly api: ApiServer;
  readonly endpoints: Readonly<Record<string, string>>;
  readonly timeout: number;
  readonly maxBytes: number;
  /** Proxy of this machine's environment for a URL; '' for none. */
  readonly proxyFor: (url: URL) => string;
  readonly stop: AbortSignal;
  readonly clean: (text: string) => string;
  /** The same question through a port-forward; undefined where that is not possible or not allowed. */
  readonly forwarded: (request: HttpRequest) => Promise<TransportAnswer | undefined>;
}

/** A component's own HTTP: by an endpoint URL that was given, else the API server's proxy, else a port-forward. */
export function openComponentHttp(options: ComponentHttpOptions): ComponentHttp {
  const { api, timeout, maxBytes } = options;
  const transports = new Map<string, Promise<Transport>>();

  function transportOf(url: string): Promise<Transport> {
    let transport = transports.get(url);
    if (!transport) {
      const base = new URL(url);
      transport = openTransport({ base, proxy: options.proxyFor(base), stop: options.stop, sockets: 4 });
      transports.set(url, transport);
    }
    return transport;
  }

  async function direct(request: HttpRequest, url: string): Promise<HttpAnswer> {
    const transport = await transportOf(url);
    const { username, password, host, protocol } = transport.base;
    const basic = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
    const headers = username ? { authorization: `Basic ${basic}` } : {};
    const place = `${protocol}//${host}${request.path}`;
    try {
      const answer = await transport.read({ path: request.path, headers, timeout, maxBytes });
      return answerOf(answer, place, `endpoint ${protocol}//${host}`);
    } catch (error) {
      throw api.failed({ path: place }, error);
    }
  }

  async function proxied(request: HttpRequest): Promise<HttpAnswer> {
    const path = proxyPath(request);
    const apiRequest: ApiRequest = { path, accept: '*/*', timeout, maxBytes, retries: 0, proxied: true };
    const answer = await api.read(apiRequest);
    if (!isApiServers(answer)) return answerOf(answer, path, `${request.via} proxy`);
    if (answer.status === 403) {
      const forwarded = await options.forwarded(request);
      if (forwarded) return answerOf(forwarded, path, 'port-forward');
    }
    throw api.refused(apiRequest, answer);
  }

  /** Whether an error is the API server's own, or of something before it, and not the component's. */
  function isApiServers({ status, headers, body }: TransportAnswer): boolean {
    if (status < 400) return false;
    if (statusObject(body)) return true;
    if (status === 503 && /^error trying to reach service/i.test(body.toString('utf8', 0, 40))) return true;
    // A load balancer in front of the API server answers without the mark that the API server sets.
    return status >= 502 && status <= 504 && api.marksAnswers() && headers['audit-id'] === undefined;
  }

  function answerOf({ status, headers, body }: TransportAnswer, path: string, by: string): HttpAnswer {
    const contentType = headers['content-type'] ?? '';
    return { status, contentType, body: options.clean(body.toString('utf8')), path, by };
  }

  return {
    ask(request) {
      const url = endpointOf(options.endpoints, request);
      return url ? direct(request, url) : proxied(request);
    },
    close() {
      for (const transport of transports.values()) transport.then(open => open.close()).catch(() => {});
    },
  };
}

function endpointOf(endpoints: Readonly<Record<string, string>>, { via, namespace, name, port }: HttpRequest) {
  if (via === 'node') return undefined;
  return endpoints[`${namespace}/${name}:${port}`] ?? endpoints[`${namespace}/${name}`] ?? endpoints[name];
}
