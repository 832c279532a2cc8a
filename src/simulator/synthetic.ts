import { createHash } from 'node:crypto';
import { parse, stringify } from 'yaml';
import { type BundleFiles, memoryFiles } from '../clusters/bundle-files.ts';
import type { RawObject } from '../model/source.ts';

export interface SyntheticOptions {
  readonly clusters: number;
  /** Pods that each cluster gets, beside those of `base`. */
  readonly podsPerCluster: number;
  /** A fleet to grow: its first cluster stays the first, its last one is copied as often as needed. */
  readonly base?: BundleFiles;
}

const TAKEN_AT = '2026-01-15T12:00:00.000Z';
const CREATED = '2026-01-14T08:30:00Z';
const PODS_PER_DEPLOYMENT = 3;
const PODS_PER_NODE = 40;
const PODS_PER_EVENT = 5;
/** Of so many Deployments one has a Service with its EndpointSlice, and one a ConfigMap. */
const DEPLOYMENTS_PER_SERVICE = 2;
const DEPLOYMENTS_PER_CONFIG_MAP = 4;
const NAMESPACES = 20;

/** A healthy fleet of any size, made without a file and the same every time. Pods are of a usual size, about 6.5 KB. */
export async function syntheticBundle(options: SyntheticOptions): Promise<BundleFiles> {
  const bundle = new Map<string, Uint8Array>();
  const names = Array.from({ length: options.clusters }, (_, index) => `cluster-${String(index + 1).padStart(3, '0')}`);
  const manifest = options.base && (await yamlOf(options.base, 'manifest.yaml'));
  const takenAt: string = manifest?.takenAt ?? TAKEN_AT;
  bundle.set(
    'manifest.yaml',
    text(stringify({ format: 1, createdBy: 'synthetic', ...manifest, takenAt, clusters: names })),
  );
  for (const [index, name] of names.entries()) {
    const template: string | undefined = index === 0 ? manifest?.clusters[0] : manifest?.clusters.at(-1);
    const files =
      options.base && template !== undefined ? await copied(options.base, template, name) : emptyCluster(name);
    addWorkloads(files, name, options.podsPerCluster);
    for (const [path, content] of files) bundle.set(`clusters/${name}/${path}`, content);
  }
  return memoryFiles('synthetic', bundle);
}

async function copied(base: BundleFiles, template: string, name: string): Promise<Map<string, Uint8Array>> {
  const folder = `clusters/${template}/`;
  const files = new Map<string, Uint8Array>();
  for (const path of base.paths) {
    if (path.startsWith(folder)) files.set(path.slice(folder.length), (await base.read(path))!);
  }
  const about = await yamlOf(base, `${folder}cluster.yaml`);
  files.set('cluster.yaml', text(stringify({ ...about, name, context: name })));
  return files;
}

/** Kinds of a cluster without custom resources: group/version/plural, kind, namespaced. */
const KINDS: readonly (readonly [path: string, kind: string, namespaced: boolean])[] = [
  ['core/v1/configmaps', 'ConfigMap', true],
  ['core/v1/events', 'Event', true],
  ['core/v1/limitranges', 'LimitRange', true],
  ['core/v1/namespaces', 'Namespace', false],
  ['core/v1/nodes', 'Node', false],
  ['core/v1/persistentvolumeclaims', 'PersistentVolumeClaim', true],
  ['core/v1/persistentvolumes', 'PersistentVolume', false],
  ['core/v1/pods', 'Pod', true],
  ['core/v1/resourcequotas', 'ResourceQuota', true],
  ['core/v1/serviceaccounts', 'ServiceAccount', true],
  ['core/v1/services', 'Service', true],
  ['admissionregistration.k8s.io/v1/mutatingwebhookconfigurations', 'MutatingWebhookConfiguration', false],
  ['admissionregistration.k8s.io/v1/validatingwebhookconfigurations', 'ValidatingWebhookConfiguration', false],
  ['apiextensions.k8s.io/v1/customresourcedefinitions', 'CustomResourceDefinition', false],
  ['apiregistration.k8s.io/v1/apiservices', 'APIService', false],
  ['apps/v1/controllerrevisions', 'ControllerRevision', true],
  ['apps/v1/daemonsets', 'DaemonSet', true],
  ['apps/v1/deployments', 'Deployment', true],
  ['apps/v1/replicasets', 'ReplicaSet', true],
  ['apps/v1/statefulsets', 'StatefulSet', true],
  ['autoscaling/v2/horizontalpodautoscalers', 'HorizontalPodAutoscaler', true],
  ['batch/v1/cronjobs', 'CronJob', true],
  ['batch/v1/jobs', 'Job', true],
  ['coordination.k8s.io/v1/leases', 'Lease', true],
  ['discovery.k8s.io/v1/endpointslices', 'EndpointSlice', true],
  ['networking.k8s.io/v1/ingressclasses', 'IngressClass', false],
  ['networking.k8s.io/v1/ingresses', 'Ingress', true],
  ['networking.k8s.io/v1/networkpolicies', 'NetworkPolicy', true],
  ['policy/v1/poddisruptionbudgets', 'PodDisruptionBudget', true],
  ['scheduling.k8s.io/v1/priorityclasses', 'PriorityClass', false],
  ['storage.k8s.io/v1/csidrivers', 'CSIDriver', false],
  ['storage.k8s.io/v1/csinodes', 'CSINode', false],
  ['storage.k8s.io/v1/storageclasses', 'StorageClass', false],
  ['storage.k8s.io/v1/volumeattachments', 'VolumeAttachment', false],
];

function emptyCluster(name: string): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const groups = new Map<string, { group: string; version: string; resources: RawObject[] }>();
  for (const [path, kind, namespaced] of KINDS) {
    const [group, version, plural] = path.split('/') as [string, string, string];
    const entry = groups.get(`${group}/${version}`) ?? { group: group === 'core' ? '' : group, version, resources: [] };
    groups.set(`${group}/${version}`, entry);
    entry.resources.push({ name: plural, kind, namespaced, verbs: ['get', 'list'] });
    const apiVersion = group === 'core' ? version : `${group}/${version}`;
    files.set(
      `objects/${path}.json`,
      text(JSON.stringify({ kind: `${kind}List`, apiVersion, metadata: { resourceVersion: '1000' }, items: [] })),
    );
  }
  const serverVersion = { major: '1', minor: '34', gitVersion: 'v1.34.1', platform: 'linux/amd64' };
  const about = {
    name,
    takenAt: TAKEN_AT,
    serverVersion,
    context: name,
    apiServer: `${name}.example:6443`,
    ready: true,
  };
  files.set('cluster.yaml', text(stringify(about)));
  files.set('discovery.json', text(JSON.stringify({ groups: [...groups.values()] })));
  files.set('access.yaml', text(stringify([{ namespace: 'default', ...EVERYTHING }])));
  for (const list of ['failures', 'stores', 'probes', 'http/index', 'buckets/index'])
    files.set(`${list}.yaml`, text('[]'));
  return files;
}

const EVERYTHING = {
  incomplete: false,
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
};

function addWorkloads(files: Map<string, Uint8Array>, cluster: string, pods: number): void {
  const count = (each: number) => Array.from({ length: Math.ceil(pods / each) }, (_, index) => index);
  append(
    files,
    'core/v1/namespaces',
    Array.from({ length: Math.min(NAMESPACES, pods) }, (_, index) => namespace(index)),
  );
  append(
    files,
    'core/v1/nodes',
    count(PODS_PER_NODE).map(index => node(cluster, index)),
  );
  append(
    files,
    'core/v1/pods',
    count(1).map(index => pod(cluster, index)),
  );
  append(
    files,
    'core/v1/events',
    count(PODS_PER_EVENT).map(index => event(cluster, index * PODS_PER_EVENT)),
  );
  append(
    files,
    'apps/v1/deployments',
    count(PODS_PER_DEPLOYMENT).map(index => deployment(cluster, index)),
  );
  append(
    files,
    'apps/v1/replicasets',
    count(PODS_PER_DEPLOYMENT).map(index => replicaSet(cluster, index)),
  );
  const served = count(PODS_PER_DEPLOYMENT * DEPLOYMENTS_PER_SERVICE).map(index => index * DEPLOYMENTS_PER_SERVICE);
  append(
    files,
    'core/v1/services',
    served.map(index => service(cluster, index)),
  );
  append(
    files,
    'discovery.k8s.io/v1/endpointslices',
    served.map(index => endpointSlice(cluster, index, pods)),
  );
  append(
    files,
    'core/v1/configmaps',
    count(PODS_PER_DEPLOYMENT * DEPLOYMENTS_PER_CONFIG_MAP).map(index =>
      configMap(cluster, index * DEPLOYMENTS_PER_CONFIG_MAP),
    ),
  );
}

function append(files: Map<string, Uint8Array>, path: string, added: readonly RawObject[]): void {
  const file = `objects/${path}.json`;
  const content = files.get(file);
  // A base that could not read a kind goes on not knowing it.
  if (!content) return;
  const list = JSON.parse(Buffer.from(content).toString('utf8'));
  const items: RawObject[] = [...list.items, ...added];
  const key = ({ metadata }: RawObject) => `${metadata.namespace ?? ''}/${metadata.name}`;
  items.sort((left, right) => (key(left) < key(right) ? -1 : 1));
  files.set(file, text(JSON.stringify({ ...list, items })));
}

interface Names {
  readonly namespace: string;
  readonly application: string;
  readonly replicaSet: string;
  readonly template: string;
  readonly node: string;
  readonly pod: string;
  readonly labels: Readonly<Record<string, string>>;
}

function namesOf(cluster: string, podIndex: number): Names {
  const deploymentIndex = Math.floor(podIndex / PODS_PER_DEPLOYMENT);
  const application = `application-${String(deploymentIndex).padStart(4, '0')}`;
  const template = digest(`${cluster}/${application}`).slice(0, 10);
  return {
    namespace: namespaceName(deploymentIndex % NAMESPACES),
    application,
    template,
    replicaSet: `${application}-${template}`,
    node: `${cluster}-node-${String(Math.floor(podIndex / PODS_PER_NODE)).padStart(3, '0')}`,
    pod: `${application}-${template}-${digest(`${cluster}/${podIndex}`).slice(0, 5)}`,
    labels: {
      'app.kubernetes.io/name': application,
      'app.kubernetes.io/instance': application,
      'app.kubernetes.io/managed-by': 'Helm',
      'app.kubernetes.io/version': '1.4.2',
      'helm.sh/chart': `${application}-0.9.1`,
    },
  };
}

function namespaceName(index: number): string {
  return `workloads-${String(index).padStart(2, '0')}`;
}

function namespace(index: number): RawObject {
  const name = namespaceName(index);
  return {
    metadata: { ...identity('', name), labels: { 'kubernetes.io/metadata.name': name } },
    status: { phase: 'Active' },
  };
}

function node(cluster: string, index: number): RawObject {
  const name = `${cluster}-node-${String(index).padStart(3, '0')}`;
  const size = { cpu: '16', memory: '65536000Ki', pods: '110', 'ephemeral-storage': '103079844Ki' };
  const condition = (type: string, status: string, reason: string) => ({
    type,
    status,
    reason,
    message: '',
    lastHeartbeatTime: CREATED,
    lastTransitionTime: CREATED,
  });
  return {
    metadata: { ...identity(cluster, name), labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
    spec: { podCIDR: `10.${index % 250}.0.0/24` },
    status: {
      capacity: size,
      allocatable: size,
      conditions: [
        condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory'),
        condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure'),
        condition('PIDPressure', 'False', 'KubeletHasSufficientPID'),
        condition('Ready', 'True', 'KubeletReady'),
      ],
      addresses: [
        { type: 'InternalIP', address: nodeAddress(index) },
        { type: 'Hostname', address: name },
      ],
      nodeInfo: { kubeletVersion: 'v1.34.1', containerRuntimeVersion: 'containerd://2.1.4', osImage: 'Linux' },
    },
  };
}

function nodeAddress(index: number): string {
  return `10.0.${Math.floor(index / 250)}.${(index % 250) + 1}`;
}

function deployment(cluster: string, index: number): RawObject {
  const names = namesOf(cluster, index * PODS_PER_DEPLOYMENT);
  const replicas = { replicas: PODS_PER_DEPLOYMENT, readyReplicas: PODS_PER_DEPLOYMENT };
  return {
    metadata: {
      ...identity(cluster, names.application, names.namespace),
      labels: names.labels,
      annotations: { 'deployment.kubernetes.io/revision': '1' },
    },
    spec: {
      replicas: PODS_PER_DEPLOYMENT,
      selector: { matchLabels: { 'app.kubernetes.io/name': names.application } },
      template: { metadata: { labels: names.labels }, spec: podSpec(names) },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
      progressDeadlineSeconds: 600,
    },
    status: {
      observedGeneration: 1,
      ...replicas,
      updatedReplicas: PODS_PER_DEPLOYMENT,
      availableReplicas: PODS_PER_DEPLOYMENT,
      conditions: [
        { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', lastTransitionTime: CREATED },
        { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable', lastTransitionTime: CREATED },
      ],
    },
  };
}

function replicaSet(cluster: string, index: number): RawObject {
  const names = namesOf(cluster, index * PODS_PER_DEPLOYMENT);
  const labels = { ...names.labels, 'pod-template-hash': names.template };
  return {
    metadata: {
      ...identity(cluster, names.replicaSet, names.namespace),
      labels,
      ownerReferences: [owner(cluster, 'Deployment', names.application)],
    },
    spec: { replicas: PODS_PER_DEPLOYMENT, selector: { matchLabels: labels } },
    status: {
      replicas: PODS_PER_DEPLOYMENT,
      readyReplicas: PODS_PER_DEPLOYMENT,
      availableReplicas: PODS_PER_DEPLOYMENT,
      observedGeneration: 1,
    },
  };
}

/** Without an address of its own: a range of addresses may be smaller than a fleet. */
function service(cluster: string, index: number): RawObject {
  const { application, namespace: inNamespace, labels } = namesOf(cluster, index * PODS_PER_DEPLOYMENT);
  return {
    metadata: { ...identity(cluster, application, inNamespace), uid: serviceUid(cluster, application), labels },
    spec: {
      type: 'ClusterIP',
      clusterIP: 'None',
      selector: { 'app.kubernetes.io/name': application },
      ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 'http' }],
    },
    status: { loadBalancer: {} },
  };
}

function serviceUid(cluster: string, name: string): string {
  return uidOf(`${cluster}/service ${name}`);
}

function endpointSlice(cluster: string, index: number, pods: number): RawObject {
  const first = index * PODS_PER_DEPLOYMENT;
  const { application, namespace: inNamespace, labels } = namesOf(cluster, first);
  const behind = Array.from({ length: Math.min(PODS_PER_DEPLOYMENT, pods - first) }, (_, offset) => first + offset);
  const of = { ...owner(cluster, 'Service', application), apiVersion: 'v1', uid: serviceUid(cluster, application) };
  return {
    metadata: {
      ...identity(cluster, `${application}-abcde`, inNamespace),
      labels: { ...labels, 'kubernetes.io/service-name': application },
      ownerReferences: [of],
    },
    addressType: 'IPv4',
    ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
    endpoints: behind.map(podIndex => {
      const names = namesOf(cluster, podIndex);
      return {
        addresses: [podAddress(podIndex)],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: names.node,
        targetRef: { kind: 'Pod', namespace: inNamespace, name: names.pod, uid: uidOf(`${cluster}/${names.pod}`) },
      };
    }),
  };
}

function configMap(cluster: string, index: number): RawObject {
  const { application, namespace: inNamespace, labels } = namesOf(cluster, index * PODS_PER_DEPLOYMENT);
  const settings = Array.from({ length: 20 }, (_, line) => `setting_${line}: of ${application}\n`).join('');
  return {
    metadata: { ...identity(cluster, `${application}-config`, inNamespace), labels },
    data: { 'config.yaml': settings },
  };
}

function podAddress(index: number): string {
  return `10.${100 + Math.floor(index / 62500)}.${Math.floor(index / 250) % 250}.${(index % 250) + 1}`;
}

function pod(cluster: string, index: number): RawObject {
  const names = namesOf(cluster, index);
  const spec = podSpec(names);
  const condition = (type: string) => ({ type, status: 'True', lastProbeTime: null, lastTransitionTime: CREATED });
  return {
    metadata: {
      ...identity(cluster, names.pod, names.namespace),
      generateName: `${names.replicaSet}-`,
      labels: { ...names.labels, 'pod-template-hash': names.template },
      annotations: {
        'prometheus.io/scrape': 'true',
        'prometheus.io/port': '9090',
        'checksum/config': digest(`config ${names.application}`),
        'checksum/secret': digest(`secret ${names.application}`),
      },
      ownerReferences: [owner(cluster, 'ReplicaSet', names.replicaSet)],
    },
    spec: { ...spec, nodeName: names.node },
    status: {
      phase: 'Running',
      conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(
        condition,
      ),
      hostIP: nodeAddress(Math.floor(index / PODS_PER_NODE)),
      podIP: podAddress(index),
      startTime: CREATED,
      qosClass: 'Burstable',
      containerStatuses: spec.containers.map((container: RawObject) => ({
        name: container.name,
        image: container.image,
        imageID: `${container.image.split(':')[0]}@sha256:${digest(container.image)}`,
        containerID: `containerd://${digest(`${cluster}/${index}/${container.name}`)}`,
        ready: true,
        started: true,
        restartCount: 0,
        state: { running: { startedAt: CREATED } },
        lastState: {},
      })),
    },
  };
}

function podSpec(names: Names): RawObject {
  const variables = Array.from({ length: 14 }, (_, index) => ({
    name: `${names.application.toUpperCase().replaceAll('-', '_')}_SETTING_${index}`,
    value: `value-${digest(`${names.application}/${index}`).slice(0, 24)}`,
  }));
  const container = (name: string, port: number) => ({
    name,
    image: `registry.example/${names.application}/${name}:1.4.2`,
    args: [
      '--log.level=info',
      '--log.format=logfmt',
      `--listen=0.0.0.0:${port}`,
      '--config=/etc/application/config.yaml',
    ],
    ports: [{ name: 'http', containerPort: port, protocol: 'TCP' }],
    env: [
      { name: 'POD_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
      ...variables,
    ],
    resources: { limits: { memory: '512Mi' }, requests: { cpu: '100m', memory: '256Mi' } },
    volumeMounts: [
      { name: 'config', readOnly: true, mountPath: '/etc/application' },
      { name: 'data', mountPath: '/var/lib/application' },
    ],
    livenessProbe: probe('/healthz', port),
    readinessProbe: probe('/readyz', port),
    imagePullPolicy: 'IfNotPresent',
    securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  });
  return {
    volumes: [
      { name: 'config', configMap: { name: `${names.application}-config`, defaultMode: 420, optional: true } },
      { name: 'data', emptyDir: {} },
    ],
    containers: [container('server', 8080), container('proxy', 9090)],
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    serviceAccountName: 'default',
    securityContext: { runAsNonRoot: true, runAsUser: 65534, fsGroup: 65534 },
    schedulerName: 'default-scheduler',
    tolerations: [
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
      { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    ],
    priority: 0,
  };
}

function probe(path: string, port: number): RawObject {
  return {
    httpGet: { path, port, scheme: 'HTTP' },
    initialDelaySeconds: 5,
    timeoutSeconds: 3,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  };
}

function event(cluster: string, podIndex: number): RawObject {
  const names = namesOf(cluster, podIndex);
  const { uid } = identity(cluster, names.pod, names.namespace);
  return {
    metadata: identity(cluster, `${names.pod}.${digest(`event ${podIndex}`).slice(0, 16)}`, names.namespace),
    involvedObject: { kind: 'Pod', namespace: names.namespace, name: names.pod, uid, apiVersion: 'v1' },
    reason: 'Pulled',
    message: `Container image "registry.example/${names.application}/server:1.4.2" already present on machine`,
    source: { component: 'kubelet', host: names.node },
    firstTimestamp: CREATED,
    lastTimestamp: CREATED,
    count: 1,
    type: 'Normal',
  };
}

function owner(cluster: string, kind: string, name: string): RawObject {
  const uid = uidOf(`${cluster}/${name}`);
  return { apiVersion: 'apps/v1', kind, name, uid, controller: true, blockOwnerDeletion: true };
}

function identity(cluster: string, name: string, inNamespace?: string): RawObject {
  return {
    name,
    ...(inNamespace !== undefined && { namespace: inNamespace }),
    uid: uidOf(`${cluster}/${name}`),
    resourceVersion: '1000',
    creationTimestamp: CREATED,
  };
}

function uidOf(seed: string): string {
  return digest(seed).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}

function digest(seed: string): string {
  return createHash('sha256').update(seed).digest('hex');
}

function text(content: string): Uint8Array {
  return Buffer.from(content);
}

async function yamlOf(files: BundleFiles, path: string): Promise<RawObject> {
  return parse(Buffer.from((await files.read(path)) ?? '').toString('utf8'));
}
