import { GapSignal } from '../model/gap.ts';
import type { Discovery, RawObject, ServedResource } from '../model/source.ts';
import type { ApiServer } from './api-server.ts';

const AGGREGATED = ['v2', 'v2beta1']
  .map(version => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .concat('application/json')
  .join(',');

/** Verbs that anybody here asks about. */
const VERBS = new Set(['get', 'list', 'patch']);

/** Subresources that a reader or a fix needs. */
const SUBRESOURCES = new Set(['pods/eviction', 'pods/exec', 'pods/log', 'pods/proxy', 'services/proxy']);

type Unreadable = Discovery['unreadable'][number];

interface Found {
  readonly resources: readonly ServedResource[];
  readonly unreadable: readonly Unreadable[];
}

/**
 * What the API server serves, versions of a group in its order of preference. Two requests where discovery is
 * aggregated (Kubernetes 1.26 and later), else one more for each group version. A group version whose API service
 * does not answer is `unreadable`; where the groups themselves cannot be read, that gap is thrown.
 */
export async function readDiscovery(api: ApiServer): Promise<Discovery> {
  const [core, groups] = await Promise.all([readRoot(api, '/api'), readRoot(api, '/apis')]);
  return {
    resources: [...core.resources, ...groups.resources],
    unreadable: [...core.unreadable, ...groups.unreadable],
  };
}

async function readRoot(api: ApiServer, path: '/api' | '/apis'): Promise<Found> {
  const document = await api.json({ path, accept: AGGREGATED });
  if (document.kind === 'APIGroupDiscoveryList') return fromAggregated(document);
  if (document.kind === 'APIVersions' && Array.isArray(document.versions)) {
    return readVersions(
      api,
      document.versions.map((version: string) => ({ group: '', version })),
    );
  }
  if (document.kind === 'APIGroupList' && Array.isArray(document.groups)) {
    return readVersions(api, document.groups.flatMap(versionsOf));
  }
  throw new GapSignal({
    reason: 'malformed',
    detail: `${path} answered with a ${document.kind ?? 'thing without kind'}`,
    path,
  });
}

function fromAggregated(document: RawObject): Found {
  const resources: ServedResource[] = [];
  const unreadable: Unreadable[] = [];
  for (const item of document.items ?? []) {
    const group: string = item.metadata?.name ?? '';
    for (const { version, freshness, resources: served } of item.versions ?? []) {
      if (freshness === 'Stale') {
        unreadable.push({ group, version, error: `the API service of ${group}/${version} does not answer` });
        continue;
      }
      for (const resource of served ?? []) resources.push(...fromAggregatedResource(group, version, resource));
    }
  }
  return { resources, unreadable };
}

function fromAggregatedResource(group: string, version: string, resource: RawObject): readonly ServedResource[] {
  const namespaced = resource.scope === 'Namespaced';
  const entry = (name: string, kind: string, verbs: readonly string[] | undefined): ServedResource => ({
    group,
    version,
    resource: name,
    kind: kind ?? '',
    namespaced,
    verbs: (verbs ?? []).filter(verb => VERBS.has(verb)),
  });
  const subresources = (resource.subresources ?? [])
    .map((sub: RawObject) => entry(`${resource.resource}/${sub.subresource}`, sub.responseKind?.kind, sub.verbs))
    .filter(isWanted);
  return [entry(resource.resource, resource.responseKind?.kind, resource.verbs), ...subresources];
}

interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

/** The preferred version first. */
function versionsOf(group: RawObject): readonly GroupVersion[] {
  const preferred = group.preferredVersion?.version;
  const versions: string[] = (group.versions ?? []).map((entry: RawObject) => entry.version);
  const ordered = [
    ...versions.filter(version => version === preferred),
    ...versions.filter(version => version !== preferred),
  ];
  return ordered.map(version => ({ group: group.name, version }));
}

async function readVersions(api: ApiServer, versions: readonly GroupVersion[]): Promise<Found> {
  const found = await Promise.all(versions.map(version => readVersion(api, version)));
  return {
    resources: found.flatMap(({ resources }) => resources),
    unreadable: found.flatMap(({ unreadable }) => unreadable),
  };
}

async function readVersion(api: ApiServer, { group, version }: GroupVersion): Promise<Found> {
  const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  try {
    const document = await api.json({ path });
    const resources = (document.resources ?? []).map((resource: RawObject) => ({
      group,
      version,
      resource: resource.name,
      kind: resource.kind ?? '',
      namespaced: resource.namespaced === true,
      verbs: (resource.verbs ?? []).filter((verb: string) => VERBS.has(verb)),
    }));
    return { resources: resources.filter(isWanted), unreadable: [] };
  } catch (error) {
    if (!(error instanceof GapSignal)) throw error;
    return { resources: [], unreadable: [{ group, version, error: error.gap.detail }] };
  }
}

function isWanted({ resource }: ServedResource): boolean {
  return !resource.includes('/') || SUBRESOURCES.has(resource);
}
