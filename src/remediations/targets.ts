import type { Permission, Target } from '../model/remediation.ts';
import { Refusal } from './refusal.ts';

/** Group and plural of the kinds that actions write. */
const KINDS: Readonly<Record<string, readonly [group: string, resource: string]>> = {
  Secret: ['', 'secrets'],
  ConfigMap: ['', 'configmaps'],
  Pod: ['', 'pods'],
  Service: ['', 'services'],
  ServiceAccount: ['', 'serviceaccounts'],
  Node: ['', 'nodes'],
  PersistentVolumeClaim: ['', 'persistentvolumeclaims'],
  Event: ['', 'events'],
  Deployment: ['apps', 'deployments'],
  StatefulSet: ['apps', 'statefulsets'],
  DaemonSet: ['apps', 'daemonsets'],
  ReplicaSet: ['apps', 'replicasets'],
  StorageClass: ['storage.k8s.io', 'storageclasses'],
  Ingress: ['networking.k8s.io', 'ingresses'],
  NetworkPolicy: ['networking.k8s.io', 'networkpolicies'],
  Lease: ['coordination.k8s.io', 'leases'],
  Prometheus: ['monitoring.coreos.com', 'prometheuses'],
  ThanosRuler: ['monitoring.coreos.com', 'thanosrulers'],
  Alertmanager: ['monitoring.coreos.com', 'alertmanagers'],
  ServiceMonitor: ['monitoring.coreos.com', 'servicemonitors'],
  PodMonitor: ['monitoring.coreos.com', 'podmonitors'],
  Probe: ['monitoring.coreos.com', 'probes'],
  ScrapeConfig: ['monitoring.coreos.com', 'scrapeconfigs'],
  PrometheusRule: ['monitoring.coreos.com', 'prometheusrules'],
  CiliumLoadBalancerIPPool: ['cilium.io', 'ciliumloadbalancerippools'],
  CiliumL2AnnouncementPolicy: ['cilium.io', 'ciliuml2announcementpolicies'],
  Volume: ['longhorn.io', 'volumes'],
  LonghornNode: ['longhorn.io', 'nodes'],
  Setting: ['longhorn.io', 'settings'],
};

/** The kinds with a pod template. */
export const WORKLOAD_KINDS: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet', 'DaemonSet']);

/** Resources of which the Prometheus Operator makes StatefulSets. */
export const OPERATED_KINDS: ReadonlySet<string> = new Set(['Prometheus', 'ThanosRuler', 'Alertmanager']);

export function targetOf(kind: string, namespace: string, name: string): Target {
  const known = KINDS[kind];
  if (!known) throw new Refusal('object-known', `objects of kind ${kind} are not changed by this program`);
  return { group: known[0], resource: known[1], kind, namespace, name };
}

/** The target of a key `Kind namespace/name` or `Kind name`. Several keys, or none, refuse. */
export function targetOfKey(key: string | undefined): Target {
  const found = /^([A-Za-z0-9]+) (?:([^/\s,@]+)\/)?([^/\s,@]+)$/.exec(key ?? '');
  if (!found) throw new Refusal('one-object', `"${key ?? ''}" does not name exactly one object`);
  return targetOf(found[1]!, found[2] ?? '', found[3]!);
}

/** `Secret monitoring/objstore`. */
export function nameOf({ kind, namespace, name }: Target): string {
  return namespace ? `${kind} ${namespace}/${name}` : `${kind} ${name}`;
}

export function sameTarget(a: Target, b: Target): boolean {
  return a.group === b.group && a.resource === b.resource && a.namespace === b.namespace && a.name === b.name;
}

/** `patch secrets "objstore" in monitoring`. */
export function permissionText({ verb, target, subresource }: Permission): string {
  const part = subresource ?? target.subresource;
  const resource = `${target.resource}${target.group ? `.${target.group}` : ''}${part ? `/${part}` : ''}`;
  return `${verb} ${resource}${target.name ? ` "${target.name}"` : ''}${target.namespace ? ` in ${target.namespace}` : ''}`;
}
