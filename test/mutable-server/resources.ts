import type { RawObject } from '../../src/model/source.ts';

/** What the server serves: group, version, plural, kind, and whether it is namespaced. */
const TABLE: readonly (readonly [string, string, string, string, boolean])[] = [
  ['', 'v1', 'namespaces', 'Namespace', false],
  ['', 'v1', 'nodes', 'Node', false],
  ['', 'v1', 'pods', 'Pod', true],
  ['', 'v1', 'services', 'Service', true],
  ['', 'v1', 'secrets', 'Secret', true],
  ['', 'v1', 'configmaps', 'ConfigMap', true],
  ['', 'v1', 'events', 'Event', true],
  ['', 'v1', 'persistentvolumes', 'PersistentVolume', false],
  ['', 'v1', 'persistentvolumeclaims', 'PersistentVolumeClaim', true],
  ['', 'v1', 'resourcequotas', 'ResourceQuota', true],
  ['apps', 'v1', 'deployments', 'Deployment', true],
  ['apps', 'v1', 'statefulsets', 'StatefulSet', true],
  ['apps', 'v1', 'daemonsets', 'DaemonSet', true],
  ['apps', 'v1', 'replicasets', 'ReplicaSet', true],
  ['apps', 'v1', 'controllerrevisions', 'ControllerRevision', true],
  ['batch', 'v1', 'jobs', 'Job', true],
  ['policy', 'v1', 'poddisruptionbudgets', 'PodDisruptionBudget', true],
  ['storage.k8s.io', 'v1', 'storageclasses', 'StorageClass', false],
  ['networking.k8s.io', 'v1', 'networkpolicies', 'NetworkPolicy', true],
  ['networking.k8s.io', 'v1', 'ingresses', 'Ingress', true],
  ['networking.k8s.io', 'v1', 'ingressclasses', 'IngressClass', false],
  ['coordination.k8s.io', 'v1', 'leases', 'Lease', true],
  ['autoscaling', 'v2', 'horizontalpodautoscalers', 'HorizontalPodAutoscaler', true],
  ['monitoring.coreos.com', 'v1', 'prometheuses', 'Prometheus', true],
  ['monitoring.coreos.com', 'v1', 'thanosrulers', 'ThanosRuler', true],
  ['monitoring.coreos.com', 'v1', 'servicemonitors', 'ServiceMonitor', true],
  ['monitoring.coreos.com', 'v1', 'podmonitors', 'PodMonitor', true],
  ['monitoring.coreos.com', 'v1', 'prometheusrules', 'PrometheusRule', true],
  ['cilium.io', 'v2', 'ciliumloadbalancerippools', 'CiliumLoadBalancerIPPool', false],
  ['cilium.io', 'v2alpha1', 'ciliuml2announcementpolicies', 'CiliumL2AnnouncementPolicy', false],
  ['longhorn.io', 'v1beta2', 'volumes', 'Volume', true],
  ['longhorn.io', 'v1beta2', 'nodes', 'Node', true],
  ['longhorn.io', 'v1beta2', 'settings', 'Setting', true],
];

export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

const VERBS = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];

export const RESOURCES: readonly Resource[] = TABLE.map(([group, version, name, kind, namespaced]) => ({
  group,
  version,
  name,
  kind,
  namespaced,
  verbs: VERBS,
}));

/** Fields that the API server fills in by the schemas of custom resources, where their parent is there. */
export const DEFAULTS: Readonly<
  Record<string, readonly (readonly [path: readonly string[], value: string | number | boolean])[]>
> = {
  Prometheus: [
    [['evaluationInterval'], '30s'],
    [['scrapeInterval'], '30s'],
    [['portName'], 'web'],
    [['thanos', 'blockSize'], '2h'],
  ],
  CiliumLoadBalancerIPPool: [[['disabled'], false]],
};

/** The object as it is stored and read: with the defaults of its kind. */
export function withDefaults(object: RawObject): RawObject {
  for (const [path, value] of DEFAULTS[object.kind] ?? []) {
    let place = object.spec;
    for (const part of path.slice(0, -1)) place = place?.[part];
    if (typeof place === 'object' && place !== null) place[path.at(-1)!] ??= value;
  }
  return object;
}

/** As the simulator's discovery documents want it. */
export const GROUPS = [...new Set(RESOURCES.map(({ group, version }) => `${group} ${version}`))].map(key => {
  const [group = '', version = ''] = key.split(' ');
  const resources = RESOURCES.filter(entry => entry.group === group && entry.version === version);
  return {
    group,
    version,
    resources: resources.map(({ name, kind, namespaced, verbs }) => ({ name, kind, namespaced, verbs: [...verbs] })),
  };
});

/** What a path of the API names. */
export interface Place {
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
}

/** Undefined where nothing is served. */
export function placeOf(path: string): Place | undefined {
  const parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  const [group = '', version, ...inside] = parts[0] === 'api' ? ['', ...parts.slice(1)] : parts.slice(1);
  const isNamespaced = inside[0] === 'namespaces' && inside.length > 2;
  const [plural = '', name = '', subresource = ''] = isNamespaced ? inside.slice(2) : inside;
  const resource = RESOURCES.find(entry => entry.group === group && entry.version === version && entry.name === plural);
  return resource && { resource, namespace: isNamespaced ? inside[1]! : '', name, subresource };
}

export function groupOf(kind: string): string {
  return RESOURCES.find(entry => entry.kind === kind)?.group ?? '';
}

/** Longhorn has a kind Node too. */
export function groupIn(object: RawObject): string {
  const [group, version] = String(object.apiVersion ?? '').split('/');
  return version ? group! : groupOf(object.kind);
}
