import type { BundleFiles } from '../../src/clusters/bundle-files.ts';
import type { RawObject } from '../../src/model/source.ts';
import { type ApiClient, accepted, until } from './api-client.ts';

/** What the server makes itself, or what would get in our way: webhooks that nobody answers. */
const LEFT_OUT = /^(?:admissionregistration|apiextensions|apiregistration|metrics|authorization|events)\b/;
const isCustom = (group: string) => group.includes('.') && !group.endsWith('k8s.io');

interface Listing {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
  readonly items: readonly RawObject[];
}

/** What came of loading a recorded cluster. */
export interface Loaded {
  readonly count: number;
  /** What the server did not accept: recordings leave out what no collector reads. */
  readonly refused: readonly string[];
}

/**
 * Writes the objects of a recorded cluster to a real API server, with their status. Addresses become local: nothing
 * outside this machine is ever asked.
 */
export async function loadRecordedWorld(api: ApiClient, bundle: BundleFiles, cluster: string): Promise<Loaded> {
  const listings = await listingsOf(bundle, cluster);
  await installKinds(api, listings);
  const refused: string[] = [];
  let count = 0;
  const order = ['namespaces', 'priorityclasses', 'nodes', 'storageclasses', 'persistentvolumes', 'serviceaccounts'];
  const rank = ({ resource }: Listing) => (order.indexOf(resource) + order.length + 1) % (order.length + 1);
  for (const listing of [...listings].sort((a, b) => rank(a) - rank(b))) {
    for (const item of listing.items) {
      const answer = await load(api, listing, item);
      if (answer === '') count += 1;
      else refused.push(answer);
    }
  }
  return { count, refused };
}

async function listingsOf(bundle: BundleFiles, cluster: string): Promise<readonly Listing[]> {
  const listings: Listing[] = [];
  for (const path of bundle.paths) {
    const found = new RegExp(`^clusters/${cluster}/objects/([^/]+)/([^/]+)/([^/]+)\\.json$`).exec(path);
    if (!found || LEFT_OUT.test(found[1]!)) continue;
    const list = JSON.parse(Buffer.from((await bundle.read(path))!).toString('utf8'));
    if (!Array.isArray(list.items)) continue;
    const group = found[1] === 'core' ? '' : found[1]!;
    const kind = String(list.kind ?? '').replace(/List$/, '');
    listings.push({ group, version: found[2]!, resource: found[3]!, kind, items: list.items });
  }
  return listings;
}

async function installKinds(api: ApiClient, listings: readonly Listing[]): Promise<void> {
  const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const custom = listings.filter(({ group }) => isCustom(group));
  for (const { group, version, resource, kind, items } of custom) {
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
    const isOfCluster = items.length > 0 && !items[0]!.metadata.namespace;
    const made = await api.json('POST', crds, {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${resource}.${group}` },
      spec: {
        group,
        scope: isOfCluster ? 'Cluster' : 'Namespaced',
        names: { plural: resource, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
        versions: [{ name: version, served: true, storage: true, schema }],
      },
    });
    if (made.reason !== 'AlreadyExists') accepted(made, resource);
  }
  for (const { group, version, resource } of custom) {
    await until(async () => {
      const list = await api
        .json('GET', `/apis/${group}/${version}/${resource}?limit=1`)
        .catch(() => ({}) as RawObject);
      return Array.isArray(list.items);
    }, `${resource}.${group} to be served`);
  }
}

async function load(api: ApiClient, listing: Listing, item: RawObject): Promise<string> {
  const { group, version, resource, kind } = listing;
  const { name, namespace, labels, annotations, ownerReferences, generation: _generation } = item.metadata;
  const root = group ? `/apis/${group}/${version}` : `/api/${version}`;
  const path = namespace ? `${root}/namespaces/${namespace}/${resource}` : `${root}/${resource}`;
  const object = {
    ...local(resource, item),
    apiVersion: group ? `${group}/${version}` : version,
    kind,
    metadata: { name, namespace, labels, annotations, ownerReferences },
  };
  const made = await api.json('POST', path, object);
  if (made.reason === 'AlreadyExists') return '';
  if (made.kind === 'Status') return `${kind} ${namespace ?? ''}/${name}: ${made.message}`;
  if (!item.status || isCustom(group)) return '';
  await api.json('PUT', `${path}/${name}/status`, { ...made, status: local(resource, item).status });
  return '';
}

/** The object without what this server allots, and with addresses of this machine. */
function local(resource: string, item: RawObject): RawObject {
  const { spec = {}, status = {} } = item;
  if (resource === 'nodes') {
    return { ...item, status: { ...status, addresses: [{ type: 'InternalIP', address: '127.0.0.1' }] } };
  }
  if (resource === 'pods') {
    const { priority: _priority, ...rest } = spec;
    const own = '127.0.0.1';
    return {
      ...item,
      spec: rest,
      status: { ...status, podIP: own, podIPs: [{ ip: own }], hostIP: own, hostIPs: [{ ip: own }] },
    };
  }
  if (resource === 'services') {
    const { clusterIP, clusterIPs: _all, healthCheckNodePort: _port, ...rest } = spec;
    const ports = (spec.ports ?? []).map(({ nodePort: _node, ...port }: RawObject) => port);
    return { ...item, spec: { ...rest, ...(clusterIP === 'None' ? { clusterIP } : {}), ports } };
  }
  // What a recording leaves out.
  if (resource === 'controllerrevisions') return { data: {}, ...item };
  if (resource === 'replicasets' && !spec.template?.spec) {
    const containers = [{ name: 'main', image: 'recorded' }];
    return {
      ...item,
      spec: { ...spec, template: { metadata: { labels: spec.selector.matchLabels }, spec: { containers } } },
    };
  }
  return item;
}
