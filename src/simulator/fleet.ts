import { stringify } from 'yaml';
import type { BundleFiles } from '../clusters/bundle-files.ts';
import { answer } from './answers.ts';
import { apiServer } from './api-server.ts';
import { makeCertificate } from './certificate.ts';
import { type EndpointBehaviour, recordedEndpoints, speakGrpc } from './endpoints.ts';
import { type Fault, faultFinder } from './faults.ts';
import {
  closedPort,
  type LocalServer,
  type RecordedRequest,
  type Service,
  type SimulatedRequest,
  serveHttp,
  serveTcp,
} from './local-server.ts';
import { objectStore, storeEndpoint } from './object-store.ts';
import { type ClusterRecording, readRecordings } from './recording.ts';

export interface FleetOptions {
  /** Milliseconds that each HTTP answer waits, or what it waits for; a function for some of them. Default 0. */
  readonly latency?: number | ((server: string, path: string) => number | Promise<void>);
  /** What goes wrong on purpose. */
  readonly faults?: readonly Fault[];
  /** Whether reads that `access.yaml` does not allow are refused. Default true. */
  readonly enforceAccess?: boolean;
  /** Answers in protobuf where that is preferred, as real API servers do. Default false: faults change JSON. */
  readonly protobuf?: boolean;
  /** Whether `close` throws after a request that would have changed something (it is answered 405). Default true. */
  readonly failOnWrite?: boolean;
}

export interface SimulatedCluster {
  readonly name: string;
  /** URL of the API server; '' where the recorder's kubeconfig had no way to it. */
  readonly url: string;
  /** RFC 3339: the clock of the API server. */
  readonly takenAt: string;
}

export interface Fleet {
  readonly clusters: readonly SimulatedCluster[];
  /** A kubeconfig (YAML) with one context a cluster, named like it. */
  readonly kubeconfig: string;
  /** The first object store; '' where the recording names none. */
  readonly s3: { readonly url: string };
  /**
   * Where a recorded endpoint (`host:port`) is now: `127.0.0.1:port`, or the word `timeout`, `unresolved` or
   * `unroutable` for one that behaved so and has no port to connect to.
   */
  readonly redirect: ReadonlyMap<string, string>;
  /** Certificates (PEM) of the authorities behind the simulated TLS endpoints. */
  readonly authorities: readonly string[];
  /** Every HTTP request so far, in the order of the answers. */
  requests(): readonly RecordedRequest[];
  /** Requests by server, method and path without query, e.g. `edge GET /api/v1/pods`. */
  requestCounts(): ReadonlyMap<string, number>;
  /** Requests that would have changed something: `DELETE /api/v1/…`. */
  writes(): readonly string[];
  /** Ends all servers. Throws where something was to be changed, unless `failOnWrite` is false. */
  close(): Promise<void>;
}

/**
 * Starts a recorded fleet: an API server for each cluster, the object stores and the probed endpoints, all at ports of
 * 127.0.0.1. What was recorded is answered as it was, failures included; of what was not recorded nothing is claimed
 * (501). Reads from anywhere else than the fleet's `redirect` and `kubeconfig` would leave the simulation.
 */
export async function startFleet(bundle: BundleFiles, options: FleetOptions = {}): Promise<Fleet> {
  const recordings = await readRecordings(bundle);
  const requests: RecordedRequest[] = [];
  const writes: string[] = [];
  const servers: LocalServer[] = [];
  const authorities: string[] = [];
  const fault = faultFinder(options.faults ?? []);
  const { latency = 0 } = options;

  const onWrite = (method: string, path: string) => {
    writes.push(`${method} ${path}`);
  };

  const service = (name: string, date: Date | undefined, handle: Service['handle']): Service => ({
    name,
    date,
    handle,
    latency: request => (typeof latency === 'number' ? latency : latency(name, request.target)),
    fault: path => fault(name, path),
    record: request => requests.push(request),
  });

  async function opened(server: Promise<LocalServer>): Promise<number> {
    const started = await server;
    servers.push(started);
    return started.port;
  }

  async function startCluster(recording: ClusterRecording): Promise<SimulatedCluster> {
    const url = await startApiServer(recording);
    return { name: recording.name, url, takenAt: recording.takenAt };
  }

  async function startApiServer(recording: ClusterRecording): Promise<string> {
    if (recording.failures.some(entry => entry.path === 'kubeconfig')) return '';
    const failure = recording.failures.find(entry => entry.path === '/version' && entry.status === 0);
    const unreachable = failure && (await unreachableServer(failure.reason));
    if (unreachable !== undefined) return unreachable;
    const handle = apiServer(recording, {
      enforceAccess: options.enforceAccess ?? true,
      protobuf: options.protobuf ?? false,
      onWrite,
    });
    return `http://127.0.0.1:${await opened(serveHttp(service(recording.name, new Date(recording.takenAt), handle)))}`;
  }

  /** The URL of an API server that cannot be reached, for the recorded reason. */
  async function unreachableServer(reason: string): Promise<string> {
    switch (reason) {
      case 'timeout':
        return `http://127.0.0.1:${await opened(serveTcp(() => {}))}`;
      case 'dns':
        return 'http://unresolved.invalid:6443';
      case 'tls':
        return `https://127.0.0.1:${await opened(serveTcp(socket => socket.end('HTTP/1.0 400 Bad Request\r\n\r\n')))}`;
      case 'refused':
      case 'unreachable':
        return `http://127.0.0.1:${await closedPort()}`;
      default:
        return `http://127.0.0.1:${await opened(serveTcp(socket => socket.resetAndDestroy()))}`;
    }
  }

  async function startEndpoint(endpoint: string, behaviour: EndpointBehaviour): Promise<string> {
    const isStore = recordings.some(recording => recording.stores.some(store => storeEndpoint(store) === endpoint));
    const handle = isStore ? objectStore(endpoint, recordings, onWrite) : somePage;
    const local = (port: number) => `127.0.0.1:${port}`;
    switch (behaviour.is) {
      case 'http':
        return local(await opened(serveHttp(service('s3', undefined, handle))));
      case 'tls': {
        const certificate = makeCertificate(behaviour.certificate);
        authorities.push(certificate.authority);
        return local(await opened(serveHttp(service('s3', undefined, handle), certificate)));
      }
      case 'grpc':
        return local(await opened(serveTcp(speakGrpc)));
      case 'nothing':
        return local(await opened(serveTcp(() => {})));
      case 'reset':
        return local(await opened(serveTcp(socket => socket.resetAndDestroy())));
      case 'refused':
        return local(await closedPort());
      default:
        return behaviour.is;
    }
  }

  const clusters = await Promise.all(recordings.map(startCluster));
  const redirect = new Map<string, string>();
  for (const recording of recordings) {
    for (const [endpoint, behaviour] of recordedEndpoints(recording)) {
      if (!redirect.has(endpoint)) redirect.set(endpoint, await startEndpoint(endpoint, behaviour));
    }
  }

  return {
    clusters,
    kubeconfig: kubeconfigOf(clusters),
    s3: { url: urlOfFirstStore(recordings, redirect) },
    redirect,
    authorities,
    requests: () => requests,
    requestCounts: () => counted(requests),
    writes: () => writes,
    async close() {
      await Promise.all(servers.map(server => server.close()));
      if (writes.length > 0 && (options.failOnWrite ?? true)) {
        throw new Error(`something was to be changed in the simulated fleet:\n${writes.join('\n')}`);
      }
    },
  };
}

async function somePage(request: SimulatedRequest) {
  return answer(404, 'text/plain; charset=utf-8', request.method === 'HEAD' ? '' : '404 page not found\n');
}

function urlOfFirstStore(recordings: readonly ClusterRecording[], redirect: ReadonlyMap<string, string>): string {
  const stores = recordings.flatMap(recording => recording.stores);
  for (const store of stores) {
    const place = redirect.get(storeEndpoint(store) ?? '');
    if (place?.includes(':')) return `http://${place}`;
  }
  return '';
}

function kubeconfigOf(clusters: readonly SimulatedCluster[]): string {
  const reached = clusters.filter(cluster => cluster.url !== '');
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: reached.map(({ name, url }) => ({ name, cluster: { server: url, 'insecure-skip-tls-verify': true } })),
    users: [{ name: 'simulated-reader', user: { token: 'simulated' } }],
    contexts: reached.map(({ name }) => ({ name, context: { cluster: name, user: 'simulated-reader' } })),
    'current-context': reached[0]?.name ?? '',
  });
}

function counted(requests: readonly RecordedRequest[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { server, method, path } of requests) {
    const key = `${server} ${method} ${path.split('?')[0]}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}
