import { alike } from './alike-parts.ts';
import type { Message } from './protobuf-message.ts';

/**
 * What is read of the kinds that a cluster may have thousands of: field numbers as Kubernetes never changes them
 * (`generated.proto` of k8s.io/api). A collector that reads another field of these kinds needs it here; a test says so.
 */

const OWNER = alike({
  apiVersion: [5, 'text'],
  kind: [1, 'text'],
  name: [3, 'text'],
  uid: [4, 'text'],
  controller: [6, 'flag?'],
} as const);
const METADATA = {
  name: [1, 'text'],
  namespace: [3, 'text'],
  uid: [5, 'text'],
  resourceVersion: [6, 'text'],
  generation: [7, 'int'],
  creationTimestamp: [8, 'time'],
  deletionTimestamp: [9, 'time'],
  labels: [11, 'texts'],
  annotations: [12, 'texts'],
  ownerReferences: [13, [OWNER]],
  finalizers: [14, ['text']],
} as const;
const REFERENCE = {
  kind: [1, 'text'],
  namespace: [2, 'text'],
  name: [3, 'text'],
  uid: [4, 'text'],
  apiVersion: [5, 'text'],
  fieldPath: [7, 'text'],
} as const;
const LOCAL_REFERENCE = { name: [1, 'text'] } as const;
const KEY_REFERENCE = { '': [1, LOCAL_REFERENCE], key: [2, 'text'], optional: [3, 'flag?'] } as const;
const FIELD_REFERENCE = { fieldPath: [2, 'text'] } as const;
const VARIABLE_SOURCE = {
  fieldRef: [1, FIELD_REFERENCE],
  configMapKeyRef: [3, KEY_REFERENCE],
  secretKeyRef: [4, KEY_REFERENCE],
} as const;
const VARIABLE = { name: [1, 'text'], value: [2, 'text'], valueFrom: [3, VARIABLE_SOURCE] } as const;
const OPTIONAL_REFERENCE = { '': [1, LOCAL_REFERENCE], optional: [2, 'flag?'] } as const;
const VARIABLES_SOURCE = {
  prefix: [1, 'text'],
  configMapRef: [2, OPTIONAL_REFERENCE],
  secretRef: [3, OPTIONAL_REFERENCE],
} as const;
const CONTAINER_PORT = {
  name: [1, 'text'],
  hostPort: [2, 'int'],
  containerPort: [3, 'int?'],
  protocol: [4, 'text'],
} as const;
const RESOURCES = { limits: [1, 'quantities'], requests: [2, 'quantities'] } as const;
const MOUNT = {
  name: [1, 'text'],
  readOnly: [2, 'flag'],
  mountPath: [3, 'text'],
  subPath: [4, 'text'],
  subPathExpr: [6, 'text'],
} as const;
const HTTP_GET = { path: [1, 'text'], port: [2, 'intOrText'] } as const;
const TCP_SOCKET = { port: [1, 'intOrText'] } as const;
const GRPC = { port: [1, 'int?'] } as const;
const EXEC = { command: [1, ['text']] } as const;
const HANDLER = { exec: [1, EXEC], httpGet: [2, HTTP_GET], tcpSocket: [3, TCP_SOCKET], grpc: [4, GRPC] } as const;
const PROBE = {
  '': [1, HANDLER],
  initialDelaySeconds: [2, 'int'],
  timeoutSeconds: [3, 'int'],
  periodSeconds: [4, 'int'],
  failureThreshold: [6, 'int'],
} as const;
const CONTAINER_SECURITY = { runAsUser: [4, 'int?'], runAsNonRoot: [5, 'flag?'] } as const;
const CONTAINER = alike({
  name: [1, 'text'],
  image: [2, 'text'],
  command: [3, ['text']],
  args: [4, ['text']],
  ports: [6, [CONTAINER_PORT]],
  envFrom: [19, [VARIABLES_SOURCE]],
  env: [7, [VARIABLE]],
  resources: [8, RESOURCES],
  restartPolicy: [24, 'text?'],
  volumeMounts: [9, [MOUNT]],
  livenessProbe: [10, PROBE],
  readinessProbe: [11, PROBE],
  startupProbe: [22, PROBE],
  imagePullPolicy: [14, 'text'],
  securityContext: [15, CONTAINER_SECURITY],
} as const);
const KEY = { key: [1, 'text'] } as const;
const SECRET_VOLUME = { secretName: [1, 'text'], items: [2, [KEY]], optional: [4, 'flag?'] } as const;
const CONFIG_MAP_VOLUME = { '': [1, LOCAL_REFERENCE], items: [2, [KEY]], optional: [4, 'flag?'] } as const;
const SECRET_PROJECTION = { '': [1, LOCAL_REFERENCE], items: [2, [KEY]], optional: [4, 'flag?'] } as const;
const PROJECTION = { secret: [1, SECRET_PROJECTION], configMap: [3, SECRET_PROJECTION] } as const;
const PROJECTED = { sources: [1, [PROJECTION]] } as const;
const EMPTY_DIR = { sizeLimit: [2, 'quantity'] } as const;
const HOST_PATH = { path: [1, 'text'] } as const;
const CSI = { driver: [1, 'text'] } as const;
const CLAIM_VOLUME = { claimName: [1, 'text'], readOnly: [2, 'flag'] } as const;
const EPHEMERAL = {} as const;
const VOLUME_SOURCE = {
  hostPath: [1, HOST_PATH],
  emptyDir: [2, EMPTY_DIR],
  secret: [6, SECRET_VOLUME],
  persistentVolumeClaim: [10, CLAIM_VOLUME],
  configMap: [19, CONFIG_MAP_VOLUME],
  projected: [26, PROJECTED],
  csi: [28, CSI],
  ephemeral: [29, EPHEMERAL],
} as const;
const VOLUME = alike({ '': [2, VOLUME_SOURCE], name: [1, 'text'] } as const);
const TOLERATION = alike({
  key: [1, 'text'],
  operator: [2, 'text'],
  value: [3, 'text'],
  effect: [4, 'text'],
  tolerationSeconds: [5, 'int?'],
} as const);
const POD_SECURITY = { runAsUser: [2, 'int?'], runAsNonRoot: [3, 'flag?'] } as const;
const GATE = { name: [1, 'text'] } as const;
const POD_SPEC = {
  volumes: [1, [VOLUME]],
  initContainers: [20, [CONTAINER]],
  containers: [2, [CONTAINER]],
  restartPolicy: [3, 'text'],
  terminationGracePeriodSeconds: [4, 'int?'],
  nodeSelector: [7, 'texts'],
  serviceAccountName: [8, 'text'],
  nodeName: [10, 'text'],
  hostNetwork: [11, 'flag'],
  securityContext: [14, POD_SECURITY],
  imagePullSecrets: [15, [LOCAL_REFERENCE]],
  schedulerName: [19, 'text'],
  tolerations: [22, [TOLERATION]],
  priorityClassName: [24, 'text'],
  priority: [25, 'int?'],
  overhead: [32, 'quantities'],
  schedulingGates: [38, [GATE]],
} as const;
const RUNNING = { startedAt: [1, 'time'] } as const;
const WAITING = { reason: [1, 'text'], message: [2, 'text'] } as const;
const TERMINATED = {
  exitCode: [1, 'int?'],
  signal: [2, 'int'],
  reason: [3, 'text'],
  message: [4, 'text'],
  startedAt: [5, 'time'],
  finishedAt: [6, 'time'],
} as const;
const STATE = { waiting: [1, WAITING], running: [2, RUNNING], terminated: [3, TERMINATED] } as const;
const CONTAINER_STATUS = {
  name: [1, 'text'],
  state: [2, STATE],
  lastState: [3, STATE],
  ready: [4, 'flag?'],
  restartCount: [5, 'int?'],
  image: [6, 'text'],
  imageID: [7, 'text'],
  started: [9, 'flag?'],
} as const;
const POD_CONDITION = {
  type: [1, 'text'],
  status: [2, 'text'],
  lastTransitionTime: [4, 'time'],
  reason: [5, 'text'],
  message: [6, 'text'],
} as const;
const POD_STATUS = {
  phase: [1, 'text'],
  conditions: [2, [POD_CONDITION]],
  message: [3, 'text'],
  reason: [4, 'text'],
  nominatedNodeName: [11, 'text'],
  hostIP: [5, 'text'],
  podIP: [6, 'text'],
  startTime: [7, 'time'],
  initContainerStatuses: [10, [CONTAINER_STATUS]],
  containerStatuses: [8, [CONTAINER_STATUS]],
  qosClass: [9, 'text'],
} as const;
const POD = { metadata: [1, METADATA], spec: [2, POD_SPEC], status: [3, POD_STATUS] } as const;
const SERIES = { count: [1, 'int'], lastObservedTime: [2, 'microTime'] } as const;
const EVENT_SOURCE = { component: [1, 'text'] } as const;
const EVENT = {
  metadata: [1, METADATA],
  involvedObject: [2, REFERENCE],
  reason: [3, 'text'],
  message: [4, 'text'],
  source: [5, EVENT_SOURCE],
  firstTimestamp: [6, 'time'],
  lastTimestamp: [7, 'time'],
  count: [8, 'int'],
  type: [9, 'text'],
  eventTime: [10, 'microTime'],
  series: [11, SERIES],
  reportingComponent: [14, 'text'],
} as const;
const REPLICA_SET_CONDITION = {
  type: [1, 'text'],
  status: [2, 'text'],
  lastTransitionTime: [3, 'time'],
  reason: [4, 'text'],
  message: [5, 'text'],
} as const;
const REPLICA_SET_SPEC = { replicas: [1, 'int?'] } as const;
const REPLICA_SET_STATUS = { readyReplicas: [4, 'int'], conditions: [6, [REPLICA_SET_CONDITION]] } as const;
const REPLICA_SET = { metadata: [1, METADATA], spec: [2, REPLICA_SET_SPEC], status: [3, REPLICA_SET_STATUS] } as const;
const MANAGER = { manager: [1, 'text'], operation: [2, 'text'], time: [4, 'time'] } as const;
const WRITTEN_METADATA = { ...METADATA, managedFields: [17, [MANAGER]] } as const;
const TEMPLATE_SPEC = { metadata: [1, METADATA], spec: [2, POD_SPEC] } as const;
const MATCH_LABELS = { matchLabels: [1, 'texts'] } as const;
const ROLLING_UPDATE = { maxUnavailable: [1, 'intOrText'], maxSurge: [2, 'intOrText'] } as const;
const STRATEGY = { type: [1, 'text'], rollingUpdate: [2, ROLLING_UPDATE] } as const;
const DEPLOYMENT_SPEC = {
  replicas: [1, 'int?'],
  selector: [2, MATCH_LABELS],
  template: [3, TEMPLATE_SPEC],
  strategy: [4, STRATEGY],
  paused: [7, 'flag'],
  progressDeadlineSeconds: [9, 'int?'],
} as const;
const DEPLOYMENT_CONDITION = {
  type: [1, 'text'],
  status: [2, 'text'],
  lastTransitionTime: [7, 'time'],
  reason: [4, 'text'],
  message: [5, 'text'],
} as const;
const DEPLOYMENT_STATUS = {
  observedGeneration: [1, 'int'],
  replicas: [2, 'int'],
  updatedReplicas: [3, 'int'],
  readyReplicas: [7, 'int'],
  availableReplicas: [4, 'int'],
  conditions: [6, [DEPLOYMENT_CONDITION]],
} as const;
const DEPLOYMENT = {
  metadata: [1, WRITTEN_METADATA],
  spec: [2, DEPLOYMENT_SPEC],
  status: [3, DEPLOYMENT_STATUS],
} as const;
const SERVICE_PORT = {
  name: [1, 'text'],
  protocol: [2, 'text'],
  appProtocol: [6, 'text?'],
  port: [3, 'int?'],
  targetPort: [4, 'intOrText'],
  nodePort: [5, 'int'],
} as const;
const SERVICE_SPEC = {
  ports: [1, [SERVICE_PORT]],
  selector: [2, 'texts'],
  clusterIP: [3, 'text'],
  type: [4, 'text'],
  externalIPs: [5, ['text']],
  loadBalancerIP: [8, 'text'],
  externalName: [10, 'text'],
  externalTrafficPolicy: [11, 'text'],
  publishNotReadyAddresses: [13, 'flag'],
  loadBalancerClass: [21, 'text?'],
} as const;
const INGRESS = { ip: [1, 'text'], hostname: [2, 'text'] } as const;
const LOAD_BALANCER = { ingress: [1, [INGRESS]] } as const;
const CONDITION = {
  type: [1, 'text'],
  status: [2, 'text'],
  lastTransitionTime: [4, 'time'],
  reason: [5, 'text'],
  message: [6, 'text'],
} as const;
const SERVICE_STATUS = { loadBalancer: [1, LOAD_BALANCER], conditions: [2, [CONDITION]] } as const;
const SERVICE = { metadata: [1, METADATA], spec: [2, SERVICE_SPEC], status: [3, SERVICE_STATUS] } as const;
const ENDPOINT_CONDITIONS = { ready: [1, 'flag?'], serving: [2, 'flag?'], terminating: [3, 'flag?'] } as const;
const ENDPOINT = {
  addresses: [1, ['text']],
  conditions: [2, ENDPOINT_CONDITIONS],
  hostname: [3, 'text?'],
  targetRef: [4, REFERENCE],
  nodeName: [6, 'text?'],
} as const;
const ENDPOINT_PORT = { name: [1, 'text?'], protocol: [2, 'text?'], port: [3, 'int?'] } as const;
const ENDPOINT_SLICE = {
  metadata: [1, METADATA],
  addressType: [4, 'text'],
  endpoints: [2, [ENDPOINT]],
  ports: [3, [ENDPOINT_PORT]],
} as const;
const JOB_CONDITION = {
  type: [1, 'text'],
  status: [2, 'text'],
  lastTransitionTime: [4, 'time'],
  reason: [5, 'text'],
  message: [6, 'text'],
} as const;
const JOB_SPEC = { suspend: [10, 'flag?'] } as const;
const JOB_STATUS = {
  conditions: [1, [JOB_CONDITION]],
  startTime: [2, 'time'],
  completionTime: [3, 'time'],
  active: [4, 'int'],
  succeeded: [5, 'int'],
  failed: [6, 'int'],
} as const;
const JOB = { metadata: [1, METADATA], spec: [2, JOB_SPEC], status: [3, JOB_STATUS] } as const;
const TAINT = { key: [1, 'text'], value: [2, 'text'], effect: [3, 'text'], timeAdded: [4, 'time'] } as const;
const NODE_SPEC = {
  podCIDR: [1, 'text'],
  podCIDRs: [7, ['text']],
  providerID: [3, 'text'],
  unschedulable: [4, 'flag'],
  taints: [5, [TAINT]],
} as const;
const NODE_CONDITION = {
  type: [1, 'text'],
  status: [2, 'text'],
  lastHeartbeatTime: [3, 'time'],
  lastTransitionTime: [4, 'time'],
  reason: [5, 'text'],
  message: [6, 'text'],
} as const;
const NODE_ADDRESS = { type: [1, 'text'], address: [2, 'text'] } as const;
const NODE_INFO = {
  kernelVersion: [4, 'text'],
  osImage: [5, 'text'],
  containerRuntimeVersion: [6, 'text'],
  kubeletVersion: [7, 'text'],
  architecture: [10, 'text'],
} as const;
const IMAGE = { sizeBytes: [2, 'int'] } as const;
const NODE_STATUS = {
  capacity: [1, 'quantities'],
  allocatable: [2, 'quantities'],
  conditions: [4, [NODE_CONDITION]],
  addresses: [5, [NODE_ADDRESS]],
  nodeInfo: [7, NODE_INFO],
  images: [8, [IMAGE]],
} as const;
const NODE = { metadata: [1, METADATA], spec: [2, NODE_SPEC], status: [3, NODE_STATUS] } as const;
const EXPRESSION = { key: [1, 'text'], operator: [2, 'text'], values: [3, ['text']] } as const;
const SELECTOR = { matchLabels: [1, 'texts'], matchExpressions: [2, [EXPRESSION]] } as const;
const CLAIM_RESOURCES = { requests: [2, 'quantities'] } as const;
const CLAIM_SPEC = {
  accessModes: [1, ['text']],
  selector: [4, SELECTOR],
  resources: [2, CLAIM_RESOURCES],
  volumeName: [3, 'text'],
  storageClassName: [5, 'text?'],
  volumeMode: [6, 'text?'],
} as const;
const CLAIM_CONDITION = {
  type: [1, 'text'],
  status: [2, 'text'],
  lastTransitionTime: [4, 'time'],
  reason: [5, 'text'],
  message: [6, 'text'],
} as const;
const CLAIM_STATUS = {
  phase: [1, 'text'],
  capacity: [3, 'quantities'],
  conditions: [4, [CLAIM_CONDITION]],
  allocatedResources: [5, 'quantities'],
  allocatedResourceStatuses: [7, 'texts'],
} as const;
const CLAIM = { metadata: [1, METADATA], spec: [2, CLAIM_SPEC], status: [3, CLAIM_STATUS] } as const;

/** By group and resource; all of them in version v1. */
export const PROTOBUF_KINDS: ReadonlyMap<string, Message> = new Map<string, Message>([
  ['/pods', POD],
  ['/events', EVENT],
  ['/services', SERVICE],
  ['/nodes', NODE],
  ['/persistentvolumeclaims', CLAIM],
  ['apps/deployments', DEPLOYMENT],
  ['apps/replicasets', REPLICA_SET],
  ['discovery.k8s.io/endpointslices', ENDPOINT_SLICE],
  ['batch/jobs', JOB],
]);
