import type { HttpRequest, RawObject, StoreReference } from '../model/source.ts';

/** What of one cluster goes into a bundle beside its objects. The caller knows the components; the writer does not. */
export interface ClusterPlan {
  /** Logs of every container in these namespaces, the current run and, where there was one, the run before. */
  readonly logNamespaces: readonly string[];
  readonly http: readonly HttpRequest[];
  readonly stores: readonly PlannedStore[];
  readonly probes: readonly PlannedProbe[];
}

export interface PlannedStore {
  readonly reference: StoreReference;
  readonly usedBy: readonly { readonly namespace: string; readonly pod: string; readonly container: string }[];
  readonly namedBy: readonly { readonly kind: string; readonly namespace: string; readonly name: string }[];
}

export interface PlannedProbe {
  readonly endpoint: string;
  readonly for: readonly ('load-balancer' | 'ingress' | 'object-store' | 'thanos-endpoint')[];
}

/** A resource of which a bundle holds the list. */
export interface RecordedResource {
  /** '' is the core group. */
  readonly group: string;
  readonly resource: string;
}

const BUILT_IN: Readonly<Record<string, string>> = {
  '': `configmaps events limitranges namespaces nodes persistentvolumeclaims persistentvolumes pods resourcequotas
    serviceaccounts services`,
  'admissionregistration.k8s.io': 'mutatingwebhookconfigurations validatingwebhookconfigurations',
  'apiextensions.k8s.io': 'customresourcedefinitions',
  'apiregistration.k8s.io': 'apiservices',
  apps: 'controllerrevisions daemonsets deployments replicasets statefulsets',
  autoscaling: 'horizontalpodautoscalers',
  batch: 'cronjobs jobs',
  'certificates.k8s.io': 'certificatesigningrequests',
  'coordination.k8s.io': 'leases',
  'discovery.k8s.io': 'endpointslices',
  'networking.k8s.io': 'ingressclasses ingresses networkpolicies',
  policy: 'poddisruptionbudgets',
  'scheduling.k8s.io': 'priorityclasses',
  'storage.k8s.io': 'csidrivers csinodes storageclasses volumeattachments',
};

/** Groups of which every kind is recorded. */
const WHOLE_GROUPS = new Set(['cilium.io', 'longhorn.io', 'monitoring.coreos.com']);

/** Whether a list of this resource goes into a bundle. */
export function isRecorded({ group, resource }: RecordedResource, further: readonly RecordedResource[] = []): boolean {
  if (resource.includes('/') || (group === '' && resource === 'secrets')) return false;
  if (WHOLE_GROUPS.has(group)) return true;
  if (further.some(other => other.group === group && other.resource === resource)) return true;
  return (BUILT_IN[group] ?? '').split(/\s+/).includes(resource);
}

/** Kinds whose writers are kept. */
export function keepsManagers(group: string, resource: string): boolean {
  if (group === 'monitoring.coreos.com' || group === 'apps' || group === 'batch') return true;
  return resource === 'ingresses' || (group === '' && (resource === 'configmaps' || resource === 'services'));
}

/** Managers, newest first, without the times that format 1 does not hold; none at all where they are not kept. */
export function withManagers(object: RawObject, keep: boolean): RawObject {
  const { managedFields, ...metadata } = object.metadata;
  if (!keep || managedFields === undefined) return { ...object, metadata };
  const newestFirst = [...managedFields].sort((a, b) => ((a.time ?? '') < (b.time ?? '') ? 1 : -1));
  const managers = newestFirst.map(({ manager, operation }: RawObject) => ({ manager, operation }));
  return { ...object, metadata: { ...metadata, managedFields: managers } };
}
