import type { RawObject } from '../model/source.ts';
import { malformed } from './objects.ts';

/**
 * What stands inside of an object, by the name of what it is in: an object, or with `[]` a list of objects, or with `{}` a
 * map of objects. Names mean the same in all kinds that are read here.
 */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  '': ['endpoints[]', 'involvedObject', 'metadata', 'regarding', 'series', 'spec', 'status', 'webhooks[]'],
  metadata: ['labels', 'annotations', 'ownerReferences[]'],
  spec: [
    'alerting',
    'alertmanagersConfig',
    'attachmentTickets{}',
    'capacity',
    'claimRef',
    'containers[]',
    'csi',
    'disks{}',
    'endpointSelector',
    'initContainers[]',
    'names',
    'nodeSelector',
    'objectStorageConfig',
    'parameters',
    'podMonitorSelector',
    'podSelector',
    'probeSelector',
    'queryConfig',
    'resources',
    'route',
    'ruleNamespaceSelector',
    'ruleSelector',
    'rules[]',
    'scaleTargetRef',
    'scrapeConfigSelector',
    'securityContext',
    'selector',
    'service',
    'serviceMonitorNamespaceSelector',
    'serviceMonitorSelector',
    'source',
    'storage',
    'strategy',
    'taints[]',
    'template',
    'thanos',
    'updateStrategy',
    'volumeClaimTemplates[]',
    'volumes[]',
  ],
  status: [
    'allocatable',
    'attachmentTicketStatuses{}',
    'capacity',
    'conditions[]',
    'containerStatuses[]',
    'diskStatus{}',
    'initContainerStatuses[]',
    'kubernetesStatus',
    'loadBalancer',
    'nodeInfo',
  ],
  template: ['metadata', 'spec'],
  endpoints: ['targetRef'],
  webhooks: ['clientConfig'],
  clientConfig: ['service'],
  rules: ['http'],
  http: ['paths[]'],
  paths: ['backend'],
  backend: ['service'],
  volumeClaimTemplates: ['metadata', 'spec'],
  volumeClaimTemplate: ['metadata', 'spec'],
  storage: ['volumeClaimTemplate'],
  thanos: ['objectStorageConfig', 'resources'],
  strategy: ['rollingUpdate'],
  updateStrategy: ['rollingUpdate'],
  containers: [
    'env[]',
    'livenessProbe',
    'readinessProbe',
    'resources',
    'securityContext',
    'startupProbe',
    'volumeMounts[]',
  ],
  env: ['valueFrom'],
  valueFrom: ['configMapKeyRef', 'fieldRef', 'secretKeyRef'],
  livenessProbe: ['httpGet', 'tcpSocket', 'grpc', 'exec'],
  resources: ['limits', 'requests'],
  volumes: ['configMap', 'csi', 'emptyDir', 'ephemeral', 'hostPath', 'persistentVolumeClaim', 'projected', 'secret'],
  projected: ['sources[]'],
  sources: ['configMap', 'secret'],
  containerStatuses: ['lastState', 'state'],
  state: ['running', 'terminated', 'waiting'],
  diskStatus: ['scheduledReplica'],
};

/** Names under which the same stands. */
const SAME: Readonly<Record<string, string>> = {
  initContainers: 'containers',
  initContainerStatuses: 'containerStatuses',
  lastState: 'state',
  readinessProbe: 'livenessProbe',
  startupProbe: 'livenessProbe',
};

/**
 * What the API server takes no object without, or fills in itself, or whoever writes the status always writes. Without
 * it nothing can be concluded: least of all that all is well.
 */
const ALWAYS: Readonly<Record<string, readonly string[]>> = {
  conditions: ['type', 'status'],
  containerStatuses: ['name', 'state'],
  containers: ['name', 'image'],
  env: ['name'],
  ownerReferences: ['kind', 'name'],
  taints: ['key', 'effect'],
  volumeMounts: ['name', 'mountPath'],
  volumes: ['name'],
};

const OBJECT_WITH_SPEC = ['metadata.creationTimestamp', 'spec'];
const WORKLOAD = [...OBJECT_WITH_SPEC, 'spec.template.spec.containers', 'status'];

/** The same of the kinds of which most is concluded. */
const ALWAYS_OF: Readonly<Record<string, readonly string[]>> = {
  DaemonSet: [...WORKLOAD, 'status.desiredNumberScheduled'],
  Deployment: [...WORKLOAD, 'spec.replicas'],
  Node: [...OBJECT_WITH_SPEC, 'status'],
  PersistentVolume: [...OBJECT_WITH_SPEC, 'status.phase'],
  PersistentVolumeClaim: [...OBJECT_WITH_SPEC, 'status.phase'],
  Pod: [...OBJECT_WITH_SPEC, 'spec.containers', 'status.phase'],
  ReplicaSet: [...OBJECT_WITH_SPEC, 'spec.replicas', 'status'],
  Service: [...OBJECT_WITH_SPEC, 'spec.type', 'status'],
  StatefulSet: [...WORKLOAD, 'spec.replicas'],
};

/** Kinds that are made by a controller, which says so in them. */
const MADE_BY_CONTROLLERS = new Set(['ControllerRevision', 'Job', 'Pod', 'ReplicaSet']);
const CONTROLLER = /^(?:apps|batch)\//;

interface Part {
  readonly name: string;
  readonly holds: 'object' | 'list' | 'map';
  /** Absent where nothing further is read. */
  readonly inside: Inside | undefined;
}

interface Inside {
  readonly parts: readonly Part[];
  readonly always: readonly string[];
}

const compiled = new Map<string, Inside>();

function insideOf(name: string): Inside | undefined {
  const own = SAME[name] ?? name;
  const known = compiled.get(own);
  if (known || !(own in PARTS || own in ALWAYS)) return known;
  const parts: Part[] = [];
  const inside = { parts, always: ALWAYS[own] ?? [] };
  compiled.set(own, inside);
  for (const written of PARTS[own] ?? []) {
    const part = written.replace(/\[\]$|\{\}$/, '');
    const holds = written.endsWith('[]') ? 'list' : written.endsWith('{}') ? 'map' : 'object';
    parts.push({ name: part, holds, inside: insideOf(part) });
  }
  return inside;
}

const OBJECT = insideOf('')!;

/**
 * What is no object has no fields, and what has lost a field that is always there is not what it was: neither means that
 * something is absent. Throws `malformed`, with the path.
 */
export function checkParts(kind: string, object: RawObject): void {
  checkInside(object, OBJECT, '');
  for (const path of pathsOf(kind)) {
    let value = object;
    for (const name of path) value = value?.[name];
    if (value === undefined || value === null || value === '') throw malformed(`${path.join('.')} is missing`);
  }
  if (kind === 'Pod') checkStatuses(object.status);
  if (!MADE_BY_CONTROLLERS.has(kind)) return;
  for (const owner of object.metadata?.ownerReferences ?? []) {
    if (typeof owner.controller !== 'boolean' && CONTROLLER.test(owner.apiVersion)) {
      throw malformed(`metadata.ownerReferences: whether the ${owner.kind} is its controller is missing`);
    }
  }
}

/** With the time at which it took the pod, the kubelet writes what every container does; of a pod that failed, it may not. */
function checkStatuses({ phase, startTime, containerStatuses }: RawObject): void {
  if (startTime && phase !== 'Failed' && phase !== 'Succeeded' && !containerStatuses?.length) {
    throw malformed('status.containerStatuses is missing');
  }
  for (const { name, state } of containerStatuses ?? []) {
    if (!(state.running || state.waiting || state.terminated))
      throw malformed(`the state of container ${name} is missing`);
  }
}

const paths = new Map<string, readonly (readonly string[])[]>();

function pathsOf(kind: string): readonly (readonly string[])[] {
  let known = paths.get(kind);
  if (!known) {
    known = (ALWAYS_OF[kind] ?? []).map(path => path.split('.'));
    paths.set(kind, known);
  }
  return known;
}

function checkInside(object: RawObject, { parts, always }: Inside, path: string): void {
  for (const name of always) {
    const value = object[name];
    if (value === undefined || value === null || value === '') throw malformed(`${path}${name} is missing`);
  }
  for (const { name, holds, inside } of parts) {
    const value = object[name];
    if (value === undefined || value === null) continue;
    if (holds === 'list') {
      if (!Array.isArray(value)) throw malformed(`${path}${name} is ${wordFor(value)}, and no list`);
      value.forEach((element, index) => {
        checkObject(element, inside, `${path}${name}[${index}]`);
      });
    } else {
      checkObject(value, holds === 'map' ? undefined : inside, `${path}${name}`);
      if (holds === 'map') for (const key in value) checkObject(value[key], inside, `${path}${name}.${key}`);
    }
  }
}

function checkObject(value: RawObject, inside: Inside | undefined, path: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformed(`${path} is ${wordFor(value)}, and no object`);
  }
  if (inside) checkInside(value, inside, `${path}.`);
}

function wordFor(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : typeof value === 'string' ? 'a text' : `a ${typeof value}`;
}
