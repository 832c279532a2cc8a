import { request as requestHttp } from 'node:http';
import { Duplex, PassThrough } from 'node:stream';
import type { PortForward as PortForwardClass } from '@kubernetes/client-node/dist/portforward.js';
import type { HttpRequest } from '../model/source.ts';
import { isAllowed } from './access-reviews.ts';
import type { ApiServer } from './api-server.ts';
import { classify, type TransportAnswer, TransportFailure } from './transport.ts';

/** Asks a pod through port-forwards of the API server, where the reader may open them. */
export interface PortForwarding {
  /** Undefined where it may not, or where the request is not for a pod. */
  ask(request: HttpRequest): Promise<TransportAnswer | undefined>;
}

export function openPortForwarding(api: ApiServer, timeout: number, maxBytes: number): PortForwarding {
  const allowed = new Map<string, Promise<boolean>>();

  function mayForward(namespace: string): Promise<boolean> {
    let answer = allowed.get(namespace);
    if (!answer) {
      answer = isAllowed(api, { verb: 'create', group: '', resource: 'pods', subresource: 'portforward', namespace });
      allowed.set(namespace, answer);
    }
    return answer;
  }

  return {
    async ask(request) {
      if (request.via !== 'pod' || !(await mayForward(request.namespace))) return undefined;
      const place = `/api/v1/namespaces/${request.namespace}/pods/${request.name}/portforward?ports=${request.port}`;
      try {
        return await askThrough(await openTunnel(api, request, timeout), request, timeout, maxBytes);
      } catch (error) {
        throw api.failed({ path: place }, error);
      }
    },
  };
}

/** A connection to a port of a pod, as a stream. */
async function openTunnel(api: ApiServer, request: HttpRequest, timeout: number): Promise<Duplex> {
  const { PortForward } = await import('@kubernetes/client-node/dist/portforward.js');
  const { headers, certificate } = await api.credentials.get();
  const { base, agent } = api.transport;
  // Only these two of a KubeConfig are used; the library's own would not know our proxies, plugins and groups.
  const config = {
    getCurrentCluster: () => ({ server: base.href.replace(/\/$/, '') }),
    async applyToHTTPSOptions(options: object) {
      Object.assign(options, { agent, headers, handshakeTimeout: timeout }, certificate);
    },
  } as unknown as ConstructorParameters<typeof PortForwardClass>[0];
  const toPod = new PassThrough();
  const fromPod = new PassThrough();
  const errors = new PassThrough();
  const socket = (await new PortForward(config)
    .portForward(request.namespace, request.name, [request.port], fromPod, errors, toPod)
    .catch(error => {
      throw upgradeFailure(error);
    })) as { close(): void; on(event: string, listener: () => void): void };
  const tunnel = Duplex.from({ writable: toPod, readable: fromPod });
  errors.on('data', data => tunnel.destroy(new TransportFailure('refused', String(data).trim().slice(0, 300))));
  socket.on('close', () => fromPod.end());
  tunnel.on('close', () => socket.close());
  tunnel.on('error', () => socket.close());
  return tunnel;
}

/** What the WebSocket library makes of a refused upgrade. */
function upgradeFailure(error: { readonly message?: string; readonly error?: Error }): TransportFailure {
  const inner = error.error ?? error;
  const status = /Unexpected server response: ([0-9]+)/.exec(inner.message ?? '')?.[1];
  if (status) return new TransportFailure('error', `the port-forward was answered with ${status}`);
  return classify(inner as NodeJS.ErrnoException);
}

function askThrough(tunnel: Duplex, request: HttpRequest, timeout: number, maxBytes: number): Promise<TransportAnswer> {
  return new Promise((resolve, reject) => {
    const end = (failure: TransportFailure) => {
      reject(failure);
      tunnel.destroy();
    };
    const timer = setTimeout(
      () => end(new TransportFailure('timeout', `no answer within ${timeout / 1000} s`)),
      timeout,
    );
    const outgoing = requestHttp(
      {
        path: request.path,
        headers: { host: `${request.name}:${request.port}`, connection: 'close' },
        createConnection: () => tunnel,
      },
      async response => {
        const parts: Uint8Array[] = [];
        let bytes = 0;
        try {
          for await (const chunk of response) {
            bytes += chunk.length;
            if (bytes > maxBytes)
              throw new TransportFailure('truncated', `the answer is longer than ${maxBytes} bytes`);
            parts.push(chunk);
          }
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) });
        } catch (error) {
          end(error instanceof TransportFailure ? error : new TransportFailure('truncated', 'the answer was cut off'));
        } finally {
          clearTimeout(timer);
          tunnel.destroy();
        }
      },
    );
    outgoing.on('error', error => {
      clearTimeout(timer);
      end(error instanceof TransportFailure ? error : classify(error));
    });
    outgoing.end();
  });
}
