import type { RawObject } from '../model/source.ts';
import { jsonAnswer, pageNotFound, statusAnswer, type WholeAnswer } from './answers.ts';
import type { RecordedGroup } from './recording.ts';

type Resource = NonNullable<RecordedGroup['resources']>[number];

/** `/api` or `/apis`: the aggregated document where the client accepts it, else the legacy one. */
export function discoveryRoot(root: 'api' | 'apis', groups: readonly RecordedGroup[], accept: string): WholeAnswer {
  const mine = groups.filter(group => (group.group === '') === (root === 'api'));
  if (accept.includes('as=APIGroupDiscoveryList')) {
    const version = accept.includes('v=v2beta1') && !/v=v2[;,\s]/.test(`${accept},`) ? 'v2beta1' : 'v2';
    const document = {
      kind: 'APIGroupDiscoveryList',
      apiVersion: `apidiscovery.k8s.io/${version}`,
      metadata: {},
      items: byName(mine).map(aggregatedGroup),
    };
    const type = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
    return { ...jsonAnswer(200, document), headers: { 'content-type': type, vary: 'Accept' } };
  }
  if (root === 'api') {
    return jsonAnswer(200, {
      kind: 'APIVersions',
      versions: mine.map(group => group.version),
      serverAddressByClientCIDRs: [],
    });
  }
  return jsonAnswer(200, { kind: 'APIGroupList', apiVersion: 'v1', groups: byName(mine).map(legacyGroup) });
}

/** `/apis/GROUP`. */
export function groupDocument(group: string, groups: readonly RecordedGroup[]): WholeAnswer {
  const versions = groups.filter(entry => entry.group === group);
  if (versions.length === 0) return pageNotFound();
  return jsonAnswer(200, { kind: 'APIGroup', apiVersion: 'v1', ...legacyGroup(versions) });
}

/** `/api/v1` or `/apis/GROUP/VERSION`. */
export function resourceDocument(group: string, version: string, groups: readonly RecordedGroup[]): WholeAnswer {
  const entry = groups.find(candidate => candidate.group === group && candidate.version === version);
  if (!entry) return pageNotFound();
  if (!entry.resources) return statusAnswer(503, 'ServiceUnavailable', entry.error ?? 'service unavailable');
  return jsonAnswer(200, {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources: entry.resources.map(resource => ({ singularName: '', ...resource })),
  });
}

/** The versions of each group together, in the order in which the server named them. */
function byName(groups: readonly RecordedGroup[]): readonly (readonly RecordedGroup[])[] {
  const names = [...new Set(groups.map(group => group.group))];
  return names.map(name => groups.filter(group => group.group === name));
}

function legacyGroup(versions: readonly RecordedGroup[]): RawObject {
  const named = versions.map(({ group, version }) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: versions[0]!.group, versions: named, preferredVersion: named[0] };
}

function aggregatedGroup(versions: readonly RecordedGroup[]): RawObject {
  return {
    metadata: { name: versions[0]!.group || undefined, creationTimestamp: null },
    versions: versions.map(entry =>
      entry.resources
        ? { version: entry.version, resources: aggregatedResources(entry, entry.resources), freshness: 'Current' }
        : { version: entry.version, freshness: 'Stale' },
    ),
  };
}

function aggregatedResources(entry: RecordedGroup, resources: readonly Resource[]): readonly RawObject[] {
  const kindOf = (kind: string) => ({ group: entry.group, version: entry.version, kind });
  return resources
    .filter(resource => !resource.name.includes('/'))
    .map(resource => ({
      resource: resource.name,
      responseKind: kindOf(resource.kind),
      scope: resource.namespaced ? 'Namespaced' : 'Cluster',
      singularResource: resource.kind.toLowerCase(),
      verbs: resource.verbs,
      subresources: resources
        .filter(other => other.name.startsWith(`${resource.name}/`))
        .map(other => ({
          subresource: other.name.slice(resource.name.length + 1),
          responseKind: kindOf(other.kind),
          verbs: other.verbs,
        })),
    }));
}
