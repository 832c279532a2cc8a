import type { Gap } from '../../model/gap.ts';
import type { Ref, ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as deploymentsCollector } from '../collectors/kubernetes.deployments.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { collector as statefulSetsCollector } from '../collectors/kubernetes.stateful-sets.ts';
import { commandLine, type Flag, flagValue, switchedOn } from '../components/command-line.ts';
import { identify, imageVersion, THANOS_COMPONENTS } from '../components/identify.ts';
import { type NamedVolume, objectStorePlace, portOf, volumeBehind } from '../components/places.ts';
import { makeUnknown } from '../components/unknown-fields.ts';
import { gapElement, gapOf, gapsIn, known, listOrGap } from '../gaps.ts';
import { NOBODY, REF } from '../objects.ts';
import type { ContainerSpec } from '../pod-containers.ts';
import { collector as containersCollector } from './kubernetes.containers.ts';

const RESOURCES = { cpu: 'int', memory: 'int' } as const;

export const COMPONENT = {
  /** `Container namespace/pod/container`; '' for a workload without pods. */
  containerKey: 'str',
  pod: REF,
  podIp: 'str',
  node: 'str',
  container: 'str',
  component: 'str',
  /** One of the components of Thanos, as against Prometheus, Grafana and so on. */
  thanos: 'bool',
  namespace: 'str',
  workload: REF,
  /** What a finding about it names: the Prometheus or ThanosRuler resource that owns the workload, else the workload. */
  subject: REF,
  /** Where a change has to be made: any custom resource that owns the workload, else the workload. */
  writeTo: REF,
  image: 'str',
  /** As the image's tag states it, without `v`; '' where it states none. */
  version: 'str',
  httpPort: 'int',
  /** 0 for what speaks no gRPC. */
  grpcPort: 'int',
  grpcTls: 'bool',
  /** Path prefix of the HTTP server, without a slash at the end; '' for none. */
  prefix: 'str',
  ports: [{ name: 'str', port: 'int' }],
  /** Labels of its pods, as the workload's template or the pod has them. */
  templateLabels: 'map',
  args: [{ flag: 'str', value: 'str' }],
  dataDir: 'str',
  /** `kind`: claim, emptyDir, …; '' on the container's own layer. `name`: of the claim. */
  dataVolume: { kind: 'str', name: 'str', volume: 'str', readOnly: 'bool' },
  objstore: { source: 'str', kind: 'str', namespace: 'str', secret: 'str', key: 'str', path: 'str', id: 'str' },
  replicas: 'int',
  /** The container is ready. */
  ready: 'bool',
  podReady: 'bool',
  podDeleting: 'bool',
  podAge: 'int',
  running: 'bool',
  state: 'str',
  reason: 'str',
  restarts: 'int',
  crashLooping: 'bool',
  runningSince: 'time',
  /** -1 while it does not run. */
  runningAge: 'int',
  lastExit: { exitCode: 'int', reason: 'str', finishedAge: 'int' },
  /** Runs for longer than such a component needs to find its feet. */
  settled: 'bool',
  requests: RESOURCES,
  limits: RESOURCES,
  /** There may be only one of it for a bucket. */
  singleton: 'bool',
  /** Arguments and image agree on what it is. */
  known: 'bool',
} as const;

export type Component = ShapeOf<typeof COMPONENT>;

/** Seconds that a component runs before its state means anything. */
const SETTLE: Readonly<Record<string, number>> = {
  query: 60,
  'query-frontend': 60,
  sidecar: 120,
  rule: 120,
  receive: 120,
  store: 600,
  compact: 600,
};

/** Resources of the Prometheus Operator: findings about what they own are findings about them. */
const NAMED_BY_RESOURCE: ReadonlySet<string> = new Set([
  'Prometheus',
  'PrometheusAgent',
  'ThanosRuler',
  'Alertmanager',
]);

interface Workload {
  readonly ref: Ref;
  readonly owner: Ref;
  readonly replicas: number;
}

export const collector = derived({
  id: 'thanos.components',
  about: 'Which container is which component of the stack, told by its arguments and image, running or not.',
  core: true,
  shape: [COMPONENT],
  async collect(context) {
    const [containers, pods, deployments, statefulSets] = await Promise.all([
      context.get(containersCollector),
      context.get(podsCollector),
      listOrGap(context.get(deploymentsCollector)),
      listOrGap(context.get(statefulSetsCollector)),
    ]);
    const workloads = new Map<string, Workload>();
    const unread: Readonly<Record<string, Gap | undefined>> = {
      Deployment: gapsIn(deployments)[0],
      StatefulSet: gapsIn(statefulSets)[0],
    };
    const templates = [...known(deployments), ...known(statefulSets)].map(row => {
      const kind = row.key.split(' ')[0]!;
      const self = { kind, namespace: row.namespace, name: row.name, uid: row.uid, key: row.key };
      workloads.set(row.key, { ref: self, owner: row.owner, replicas: row.replicas });
      return { self, template: row.template };
    });
    const podByKey = new Map(known(pods).map(pod => [pod.key, pod]));
    const seen = new Set<string>();
    const rows: Component[] = [];
    for (const container of containers) {
      if (gapOf(container)) {
        rows.push(container as never);
        continue;
      }
      if (container.history) continue;
      seen.add(container.workload.key);
      const component = identify(container);
      if (component === '') continue;
      const pod = podByKey.get(container.pod.key);
      const owner = workloads.get(container.workload.key);
      const workload = owner ?? { ref: container.workload, owner: NOBODY, replicas: 0 };
      const row: Component = {
        ...specified(component, container, pod?.volumes ?? [], workload, container.pod.namespace),
        templateLabels: pod?.labels ?? {},
        containerKey: container.containerKey,
        pod: container.pod,
        podIp: pod?.podIp ?? '',
        node: container.node,
        ready: container.ready,
        podReady: container.podReady,
        podDeleting: container.podDeleting,
        podAge: container.podAge,
        running: container.state === 'running',
        state: container.state,
        reason: container.reason,
        restarts: container.restarts,
        crashLooping: container.crashLooping,
        runningSince: container.runningSince,
        runningAge: container.runningAge,
        lastExit: {
          exitCode: container.last.exitCode,
          reason: container.last.reason,
          finishedAge: container.last.finishedAge,
        },
        settled: container.state === 'running' && container.runningAge >= (SETTLE[component] ?? 60),
      };
      const gap = owner ? undefined : unread[container.workload.kind];
      rows.push(gap ? makeUnknown(row, ['replicas'], gap) : row);
    }
    for (const { self, template } of templates) {
      if (seen.has(self.key)) continue;
      for (const container of template.containers) {
        const component = identify(container);
        if (component === '') continue;
        rows.push({
          ...specified(component, container, template.volumes, workloads.get(self.key)!, self.namespace),
          ...NOT_RUNNING,
          templateLabels: template.labels,
        });
      }
    }
    for (const gap of gapsIn([...deployments, ...statefulSets])) rows.push(gapElement(gap));
    return rows;
  },
});

const NOT_RUNNING = {
  templateLabels: {},
  containerKey: '',
  pod: NOBODY,
  podIp: '',
  node: '',
  ready: false,
  podReady: false,
  podDeleting: false,
  podAge: -1,
  running: false,
  state: '',
  reason: '',
  restarts: 0,
  crashLooping: false,
  runningSince: '',
  runningAge: -1,
  lastExit: { exitCode: -1, reason: '', finishedAge: -1 },
  settled: false,
} as const;

/** What follows from the specification alone: the same for a running container and for a template without pods. */
function specified(
  component: string,
  container: ContainerSpec,
  volumes: readonly NamedVolume[],
  workload: Workload,
  namespace: string,
): Omit<Component, keyof typeof NOT_RUNNING> {
  const line = commandLine(container.command, container.args);
  const { flags } = line;
  const thanos = THANOS_COMPONENTS.has(component);
  const dataDir = dataDirectory(component, flags);
  const place = objectStorePlace(flags, container, volumes);
  const { owner } = workload;
  return {
    container: container.container,
    component,
    thanos,
    namespace,
    workload: workload.ref,
    subject: NAMED_BY_RESOURCE.has(owner.kind) ? owner : workload.ref,
    writeTo: owner.name ? owner : workload.ref,
    image: container.image,
    version: imageVersion(container.image),
    httpPort: httpPort(component, flags, container),
    grpcPort: thanos && component !== 'tools' && component !== 'query-frontend' ? grpcPort(flags, container) : 0,
    grpcTls: flagValue(flags, '--grpc-server-tls-cert') !== '',
    prefix: flagValue(flags, '--web.route-prefix').replace(/\/+$/, ''),
    ports: container.ports.map(({ name, port }) => ({ name, port })),
    args: flags,
    dataDir,
    dataVolume: volumeBehind(dataDir, container, volumes),
    objstore: {
      source: place.source,
      kind: place.kind,
      namespace: place.kind ? namespace : '',
      secret: place.name,
      key: place.key,
      path: place.path,
      id: place.name ? `${namespace}/${place.name}/${place.key}` : '',
    },
    replicas: workload.replicas,
    requests: { cpu: container.requests.cpu, memory: container.requests.memory },
    limits: { cpu: container.limits.cpu, memory: container.limits.memory },
    singleton: component === 'compact' && switchedOn(flags, '--wait'),
    known: !thanos || /(^|[/-])thanos([:@]|$)/.test(container.image) || line.program === 'thanos',
  };
}

const HTTP_FLAGS = ['--http-address', '--web.listen-address', '--listen-address', '--console-address'] as const;
const HTTP_PORTS: Readonly<Record<string, number>> = {
  prometheus: 9090,
  alertmanager: 9093,
  grafana: 3000,
  operator: 8080,
  'config-reloader': 8080,
  coredns: 9153,
  minio: 9000,
};

function httpPort(component: string, flags: readonly Flag[], container: ContainerSpec): number {
  if (component === 'minio') return portOf(flagValue(flags, '--address')) || 9000;
  for (const flag of HTTP_FLAGS) {
    const port = portOf(flagValue(flags, flag));
    if (port !== 0) return port;
  }
  const named = container.ports.find(port => /^(?:http|web|http-web|reloader-web|grafana|metrics)$/.test(port.name));
  if (named) return named.port;
  return HTTP_PORTS[component] ?? (THANOS_COMPONENTS.has(component) ? 10902 : 0);
}

function grpcPort(flags: readonly Flag[], container: ContainerSpec): number {
  return (
    portOf(flagValue(flags, '--grpc-address')) || container.ports.find(port => port.name === 'grpc')?.port || 10901
  );
}

function dataDirectory(component: string, flags: readonly Flag[]): string {
  if (component === 'prometheus') return flagValue(flags, '--storage.tsdb.path', 'data/');
  if (component === 'sidecar' || component === 'receive') return flagValue(flags, '--tsdb.path', './data');
  if (component === 'store' || component === 'compact' || component === 'rule') {
    return flagValue(flags, '--data-dir', './data');
  }
  return component === 'alertmanager' ? flagValue(flags, '--storage.path', 'data/') : '';
}
