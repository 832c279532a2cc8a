import type { Socket } from 'node:net';
import { storeEndpoint } from './object-store.ts';
import type { ClusterRecording, RecordedProbe, RecordedStore } from './recording.ts';

/** How a recorded network endpoint behaves. */
export type EndpointBehaviour =
  | { readonly is: 'http' | 'grpc' | 'nothing' | 'refused' | 'timeout' | 'unresolved' | 'unroutable' | 'reset' }
  | { readonly is: 'tls'; readonly certificate: NonNullable<RecordedProbe['certificate']> };

/** Every endpoint (`host:port`) that a cluster's recording tells of, and how it behaved. */
export function recordedEndpoints(cluster: ClusterRecording): ReadonlyMap<string, EndpointBehaviour> {
  const behaviours = new Map<string, EndpointBehaviour>();
  for (const store of cluster.stores) {
    const endpoint = storeEndpoint(store);
    if (endpoint !== undefined) behaviours.set(endpoint, behaviourOfStore(cluster, store, endpoint));
  }
  for (const probe of cluster.probes) behaviours.set(probe.endpoint, behaviourOfProbe(probe, cluster.takenAt));
  return behaviours;
}

function behaviourOfProbe(probe: RecordedProbe, takenAt: string): EndpointBehaviour {
  if (probe.tcp !== 'open') return { is: probe.tcp };
  if (probe.speaks !== 'tls') return { is: probe.speaks ?? 'nothing' };
  return { is: 'tls', certificate: probe.certificate ?? unremarkable(probe.endpoint, takenAt) };
}

/** What an object store that was not probed must have been like, by what reading from it ended in. */
function behaviourOfStore(cluster: ClusterRecording, store: RecordedStore, endpoint: string): EndpointBehaviour {
  const failure = cluster.failures.find(entry => entry.store === store.id && entry.status === 0);
  const tls = { is: 'tls', certificate: unremarkable(endpoint, cluster.takenAt) } as const;
  const isInsecure = store.config?.config?.insecure === true;
  switch (failure?.reason) {
    case 'timeout':
    case 'refused':
    case 'reset':
      return { is: failure.reason };
    case 'dns':
      return { is: 'unresolved' };
    case 'unreachable':
      return { is: 'unroutable' };
    case 'tls':
      return /certificate|self.signed/i.test(failure.message) ? tls : { is: 'http' };
    default:
      return isInsecure ? { is: 'http' } : tls;
  }
}

function unremarkable(endpoint: string, takenAt: string): NonNullable<RecordedProbe['certificate']> {
  const year = 365 * 24 * 3600 * 1000;
  const at = (offset: number) => new Date(Date.parse(takenAt) + offset).toISOString();
  const host = endpoint.replace(/:\d+$/, '');
  return { notBefore: at(-year), notAfter: at(year), names: [host], issuer: 'CN=simulated authority' };
}

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
const SETTINGS_ACKNOWLEDGED = Buffer.from([0, 0, 0, 4, 1, 0, 0, 0, 0]);

/** A gRPC server without TLS, as far as a probe sees it: it hangs up on whatever does not begin as HTTP/2 does. */
export function speakGrpc(socket: Socket): void {
  let received = Buffer.alloc(0);
  socket.on('data', chunk => {
    if (received.length >= PREFACE.length) return;
    received = Buffer.concat([received, chunk]);
    const length = Math.min(received.length, PREFACE.length);
    if (!received.subarray(0, length).equals(PREFACE.subarray(0, length))) socket.destroy();
    else if (length === PREFACE.length) socket.write(Buffer.concat([SETTINGS, SETTINGS_ACKNOWLEDGED]));
  });
}
