import { type Gap, GapSignal } from '../model/gap.ts';
import type { Ref, ShapeOf } from '../model/shape.ts';
import type { Context } from './collector.ts';
import { collector as ingressesCollector } from './collectors/kubernetes.ingresses.ts';
import { collector as podsCollector } from './collectors/kubernetes.pods.ts';
import { collector as servicesCollector } from './collectors/kubernetes.services.ts';
import { collector as logsCollector } from './collectors/logs.signatures.ts';
import { collector as objectStoresCollector } from './collectors/thanos.object-stores.ts';
import { collector as queryStoresCollector } from './collectors/thanos.query-stores.ts';
import { collector as addressesCollector } from './derived/fleet.addresses.ts';
import { collector as poolsCollector } from './derived/prometheus.pools.ts';
import { type Component, collector as componentsCollector } from './derived/thanos.components.ts';
import { gapElement, gapOf, gapped, known, listOrGap } from './gaps.ts';
import { REF, ref } from './objects.ts';
import { attempt } from './partial-rows.ts';

/** What a client says of a certificate that it does not accept. */
export const COMPLAINT = {
  /** Where the certificate is shown. */
  cluster: 'str',
  /** What shows it: an Ingress, a Service, a workload, the Cluster for its API server, else its Endpoint. */
  subject: REF,
  endpoint: 'str',
  /** Endpoint and address by key, and the object with its cluster. */
  keys: ['str'],
  /** Who does not accept it: a key with its cluster, or `this machine`. */
  client: 'str',
  /** What names the authorities that the client accepts, where its arguments do. */
  caFile: 'str',
  words: 'str',
  since: 'time',
  /** log, query, target or preflight */
  by: 'str',
} as const;

type Row = ShapeOf<typeof COMPLAINT>;

/** How clients say it: a signature of their logs, and the words in what Query and Prometheus answer. */
interface Wording {
  readonly signature: string;
  readonly words: RegExp;
}

/** Seconds. */
const FRESH = 900;
const CLIENTS: ReadonlySet<string> = new Set([
  'query',
  'query-frontend',
  'rule',
  'prometheus',
  'alertmanager',
  'grafana',
]);

/**
 * What the clients of one cluster say, with a gap element for each that could not be asked. Object stores are left out:
 * they have rules of their own.
 */
export async function complaintsIn(
  cluster: Context,
  wording: Wording,
  places: () => Promise<readonly Place[]>,
): Promise<readonly Row[]> {
  const complaints = await complaintsOf(cluster, wording);
  if (complaints.length === 0) return [];
  const stores = await storeHosts(cluster);
  const shown = await places();
  return complaints.flatMap(complaint => {
    const gap = gapOf(complaint);
    if (gap) return [gapElement(gap) as Row];
    const { endpoint } = complaint;
    return endpoint !== '' && !stores.has(hostOf(endpoint)) ? [rowOf(cluster.cluster, complaint, shown)] : [];
  });
}

interface Complaint {
  readonly endpoint: string;
  readonly client: Component;
  readonly words: string;
  readonly since: string;
  readonly by: string;
}

async function complaintsOf(context: Context, { signature, words }: Wording): Promise<readonly Complaint[]> {
  const components = await gapped(context.get(componentsCollector));
  const hidden = gapOf(components);
  if (hidden) return [gapElement(hidden)];
  const clients = known(components).filter(one => CLIENTS.has(one.component) && one.running);
  const told: Complaint[] = [];
  for (const client of clients) told.push(...(await fromLog(context, client, signature)));
  for (const query of known(await listOrGap(context.get(queryStoresCollector)))) {
    const client = clients.find(one => one.containerKey === query.containerKey);
    for (const { address, error, lastCheck } of attempt(() => query.stores).value ?? []) {
      if (client && words.test(error))
        told.push({ endpoint: address, client, words: error, since: lastCheck, by: 'query' });
    }
  }
  for (const pool of known(await listOrGap(context.get(poolsCollector)))) {
    const client = clients.find(one => one.subject.key === pool.prometheus.key);
    for (const { address, error } of attempt(() => pool.down).value ?? []) {
      if (client && words.test(error)) told.push({ endpoint: address, client, words: error, since: '', by: 'target' });
    }
  }
  return told;
}

async function fromLog(context: Context, client: Component, signature: string): Promise<readonly Complaint[]> {
  const { pod, container } = client;
  try {
    const { hits } = await context.get(logsCollector, { namespace: pod.namespace, pod: pod.name, container });
    return hits.flatMap(hit => {
      const gap = gapOf(hit);
      if (gap) return [gapElement(gap) as Complaint];
      if (hit.id !== signature || hit.previous || hit.lastAge > FRESH) return [];
      const endpoint = hit.captured.host || (/\b(?:addr|address|endpoint)="?([^\s",]+)/.exec(hit.sample)?.[1] ?? '');
      return [{ endpoint, client, words: hit.sample, since: hit.first, by: 'log' }];
    });
  } catch (error) {
    if (!(error instanceof GapSignal)) throw error;
    const gap: Gap = { ...error.gap, evidence: error.gap.evidence || 'logs.signatures' };
    return [gapElement(gap)];
  }
}

/** Object stores have rules of their own. */
async function storeHosts(context: Context): Promise<ReadonlySet<string>> {
  const stores = known(await listOrGap(context.get(objectStoresCollector)));
  return new Set(stores.flatMap(store => attempt(() => store.host.toLowerCase()).value ?? []));
}

interface Place {
  readonly cluster: string;
  readonly subject: Ref;
  /** `host:port`, or a host alone where any port is its own. */
  readonly names: readonly string[];
  /** Names that mean this within its own cluster only. */
  readonly local: boolean;
}

/** What shows certificates in the whole fleet; looked for once, and only where a client complains. */
export function placesIn(context: Context): () => Promise<readonly Place[]> {
  let places: Promise<readonly Place[]> | undefined;
  return () => {
    places ??= placesOf(context);
    return places;
  };
}

/** The nearest to a person's hands first. */
async function placesOf(context: Context): Promise<readonly Place[]> {
  const places: Place[] = [];
  for (const context_ of context.clusters) {
    const { cluster } = context_;
    for (const one of known(await listOrGap(context_.get(ingressesCollector)))) {
      const names = one.hosts.map(host => host.toLowerCase());
      places.push({ cluster, subject: ref('Ingress', one.namespace, one.name, one.uid), names, local: false });
    }
  }
  for (const one of known(await listOrGap(context.get(addressesCollector)))) {
    if (one.address === '' || one.service.name === '' || one.kind === 'ingress') continue;
    const { namespace, name, uid } = one.service;
    places.push({
      cluster: one.cluster,
      subject: ref('Service', namespace, name, uid),
      names: [one.address],
      local: false,
    });
  }
  for (const context_ of context.clusters) {
    const { cluster } = context_;
    for (const one of known(await listOrGap(context_.get(servicesCollector)))) {
      const short = `${one.name}.${one.namespace}`;
      const isApiServer = one.namespace === 'default' && one.name === 'kubernetes';
      const subject = isApiServer ? ref('Cluster', '', cluster) : ref('Service', one.namespace, one.name, one.uid);
      const names = [short, `${short}.svc`, `${short}.svc.cluster.local`, one.clusterIp];
      places.push({ cluster, subject, names: names.filter(name => name !== '' && name !== 'None'), local: true });
    }
    for (const one of known(await listOrGap(context_.get(podsCollector)))) {
      if (one.podIp === '' || one.hostNetwork) continue;
      places.push({ cluster, subject: one.workload, names: [one.podIp], local: true });
    }
  }
  return places;
}

function hostOf(endpoint: string): string {
  return endpoint.toLowerCase().replace(/:[0-9]+$/, '');
}

function rowOf(cluster: string, { endpoint, client, words, since, by }: Complaint, places: readonly Place[]): Row {
  const address = /:[0-9]+$/.test(endpoint) ? endpoint.toLowerCase() : `${endpoint.toLowerCase()}:443`;
  const isIt = (place: Place) => place.names.includes(address) || place.names.includes(hostOf(endpoint));
  const place = places.find(one => (!one.local || one.cluster === cluster) && isIt(one));
  const subject = place?.subject ?? ref('Endpoint', '', address);
  const where = place?.cluster ?? cluster;
  return {
    cluster: where,
    subject,
    endpoint: address,
    keys: [`Endpoint ${address}`, `Address ${address}`, place ? `${subject.key} @${where}` : subject.key],
    client: `${client.containerKey} @${cluster}`,
    caFile: client.args.find(({ flag }) => /tls-ca|ca-file|\.ca$/.test(flag))?.value ?? '',
    words,
    since,
    by,
  };
}
