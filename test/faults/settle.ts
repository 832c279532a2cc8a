import { parse, stringify } from 'yaml';
import type { RawObject } from '../../src/model/source.ts';
import { ago, component, conditionOf, hubOf, nameOf, rootOwner, runs, setCondition, WORKLOADS } from './pods.ts';
import type { World } from './recorded-world.ts';

/**
 * What follows from the pods as they are, in every place where controllers, Prometheus, Query and the API server's proxy
 * would tell it. Of a healthy recording it changes nothing. `established`: the processes run on, so that connections
 * which the Query has stay as they are.
 */
export function settled(worlds: readonly World[], { established = false } = {}): void {
  for (const world of worlds) {
    settleWorkloads(world);
    settleCustomResources(world);
    settleSlices(world);
    settleHttp(world);
    settleLogs(world);
    settleTargets(world);
    settleStatistics(world);
  }
  const hub = hubOf(worlds);
  if (hub) settleQuery(hub, worlds, established);
  settleProbes(worlds);
}

const isReady = (pod: RawObject) => conditionOf(pod, 'Ready')?.status === 'True';
const isLive = (pod: RawObject) => pod.status.phase !== 'Failed' && pod.status.phase !== 'Succeeded';
const isRunning = (pod: RawObject, container: string) =>
  (pod.status.containerStatuses ?? []).some((entry: RawObject) => entry.name === container && entry.state?.running);

/** When the first of these pods stopped being ready, RFC 3339. */
function since(world: World, pods: readonly RawObject[]): string {
  const times = pods.filter(pod => !isReady(pod)).map(pod => conditionOf(pod, 'Ready')?.lastTransitionTime);
  return times.filter(Boolean).sort()[0] ?? ago(world, 150);
}

function put(object: RawObject, counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) {
    if (count === 0) delete object.status[name];
    else object.status[name] = count;
  }
}

function settleWorkloads(world: World): void {
  const pods = world.items('core/v1/pods').filter(isLive);
  const owner = new Map(pods.map(pod => [pod, rootOwner(world, pod)]));
  const of = (kind: string, workload: RawObject) =>
    pods.filter(pod => owner.get(pod) === `${kind} ${nameOf(workload)}`);
  world.list(WORKLOADS.ReplicaSet!, sets => {
    for (const set of sets) {
      const its = pods.filter(pod =>
        pod.metadata.ownerReferences?.some(
          (entry: RawObject) => entry.kind === 'ReplicaSet' && entry.name === set.metadata.name,
        ),
      );
      set.status.replicas = its.length;
      const ready = its.filter(isReady).length;
      put(set, { fullyLabeledReplicas: its.length, readyReplicas: ready, availableReplicas: ready });
    }
  });
  world.list(WORKLOADS.Deployment!, deployments => {
    for (const deployment of deployments) {
      const its = of('Deployment', deployment);
      const ready = its.filter(isReady).length;
      const wanted = deployment.spec.replicas ?? 1;
      const missing = wanted - ready;
      const hash = newestHash(world, deployment);
      const updated = its.filter(pod => pod.metadata.labels['pod-template-hash'] === hash).length;
      put(deployment, {
        replicas: its.length,
        updatedReplicas: updated,
        readyReplicas: ready,
        availableReplicas: ready,
      });
      put(deployment, { unavailableReplicas: Math.max(wanted, its.length) - ready });
      if (missing > Math.floor(wanted * 0.25)) {
        const at = since(world, its);
        setCondition(deployment, {
          type: 'Available',
          status: 'False',
          lastUpdateTime: at,
          lastTransitionTime: at,
          reason: 'MinimumReplicasUnavailable',
          message: 'Deployment does not have minimum availability.',
        });
      }
    }
  });
  world.list(WORKLOADS.StatefulSet!, sets => {
    for (const set of sets) {
      const its = of('StatefulSet', set);
      const ready = its.filter(isReady).length;
      const at = (revision: string) =>
        its.filter(pod => pod.metadata.labels['controller-revision-hash'] === revision).length;
      set.status.replicas = its.length;
      set.status.availableReplicas = ready;
      put(set, {
        readyReplicas: ready,
        currentReplicas: at(set.status.currentRevision),
        updatedReplicas: at(set.status.updateRevision),
      });
    }
  });
  world.list(WORKLOADS.DaemonSet!, sets => {
    for (const set of sets) {
      const its = of('DaemonSet', set);
      const ready = its.filter(isReady).length;
      set.status.currentNumberScheduled = its.length;
      set.status.numberReady = ready;
      put(set, { numberAvailable: ready, numberUnavailable: set.status.desiredNumberScheduled - ready });
    }
  });
}

/** `pod-template-hash` of the newest ReplicaSet. */
function newestHash(world: World, deployment: RawObject): string {
  const revision = (set: RawObject) => Number(set.metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0);
  const sets = world
    .items(WORKLOADS.ReplicaSet!)
    .filter(set => set.metadata.ownerReferences?.some((owner: RawObject) => owner.uid === deployment.metadata.uid))
    .sort((first, second) => revision(second) - revision(first));
  return sets[0]?.metadata.labels['pod-template-hash'];
}

/** Why a pod of an operator's resource does not count, in the operator's words. */
function why(pod: RawObject): string {
  const condition =
    ['PodScheduled', 'Initialized', 'Ready']
      .map(type => conditionOf(pod, type))
      .find(entry => entry?.status !== 'True') ?? conditionOf(pod, 'Ready');
  return `pod ${pod.metadata.name}: ${condition?.message ?? ''}`;
}

function settleCustomResources(world: World): void {
  for (const [plural, prefix] of [
    ['prometheuses', 'prometheus'],
    ['alertmanagers', 'alertmanager'],
  ] as const) {
    const resource = `monitoring.coreos.com/v1/${plural}`;
    if (!world.paths().includes(`objects/${resource}.json`)) continue;
    world.list(resource, items => {
      for (const item of items) {
        const set = world
          .items(WORKLOADS.StatefulSet!)
          .find(entry => nameOf(entry) === `${item.metadata.namespace}/${prefix}-${item.metadata.name}`);
        if (!set) continue;
        const pods = world
          .items('core/v1/pods')
          .filter(pod => isLive(pod) && rootOwner(world, pod) === `StatefulSet ${nameOf(set)}`);
        const ready = pods.filter(isReady).length;
        const unavailable = pods.length - ready;
        Object.assign(item.status, {
          replicas: pods.length,
          availableReplicas: ready,
          unavailableReplicas: unavailable,
        });
        for (const shard of item.status.shardStatuses ?? []) {
          Object.assign(shard, { replicas: pods.length, availableReplicas: ready, unavailableReplicas: unavailable });
        }
        const wanted = set.spec.replicas ?? 1;
        if (ready >= wanted) continue;
        const state =
          ready === 0 ? { status: 'False', reason: 'NoPodReady' } : { status: 'Degraded', reason: 'SomePodsNotReady' };
        const messages = pods.filter(pod => !isReady(pod)).map(why);
        setCondition(item, {
          ...conditionOf(item, 'Available'),
          ...state,
          lastTransitionTime: since(world, pods),
          message: messages.map(text => (plural === 'prometheuses' ? `shard 0: ${text}` : text)).join('\n'),
        });
      }
    });
  }
}

const selects = (selector: RawObject, labels: RawObject) =>
  Object.entries(selector).every(([name, value]) => labels?.[name] === value);

/** The pods behind a Service, as the endpoint slice controller sees them. */
function behind(world: World, service: RawObject): readonly RawObject[] {
  if (!service.spec.selector) return [];
  return world
    .items('core/v1/pods')
    .filter(pod => pod.metadata.namespace === service.metadata.namespace && pod.status.podIP && isLive(pod))
    .filter(pod => selects(service.spec.selector, pod.metadata.labels));
}

function settleSlices(world: World): void {
  const services = new Map(world.items('core/v1/services').map(service => [nameOf(service), service]));
  world.list('discovery.k8s.io/v1/endpointslices', slices => {
    for (const slice of slices) {
      const service = services.get(
        `${slice.metadata.namespace}/${slice.metadata.labels['kubernetes.io/service-name']}`,
      );
      if (!service?.spec.selector) continue;
      const pods = behind(world, service);
      const before = new Map((slice.endpoints ?? []).map((entry: RawObject) => [entry.targetRef?.name, entry]));
      slice.endpoints = pods.map(pod => {
        const leaving = pod.metadata.deletionTimestamp !== undefined;
        const ready = service.spec.publishNotReadyAddresses ? true : isReady(pod) && !leaving;
        const { namespace, name, uid } = pod.metadata;
        return {
          ...((before.get(name) as RawObject) ?? {}),
          addresses: [pod.status.podIP],
          conditions: { ready, serving: isReady(pod), terminating: leaving },
          targetRef: { kind: 'Pod', namespace, name, uid },
          nodeName: pod.spec.nodeName,
        };
      });
      if (slice.endpoints.length === 0) {
        delete slice.endpoints;
        delete slice.ports;
      } else slice.ports = portsOf(service, pods[0]!);
    }
    return slices.filter(slice => {
      const owner = `${slice.metadata.namespace}/${slice.metadata.labels['kubernetes.io/service-name']}`;
      return services.has(owner) || slice.metadata.ownerReferences?.[0]?.kind !== 'Service';
    });
  });
}

/** Ports of a Service as its slices have them: one whose name no container has is left out. */
function portsOf(service: RawObject, pod: RawObject): RawObject[] {
  const named = pod.spec.containers.flatMap((container: RawObject) => container.ports ?? []);
  return service.spec.ports.flatMap((port: RawObject) => {
    const target = port.targetPort ?? port.port;
    const number =
      typeof target === 'number' ? target : named.find((entry: RawObject) => entry.name === target)?.containerPort;
    return number === undefined ? [] : [{ name: port.name ?? '', protocol: port.protocol ?? 'TCP', port: number }];
  });
}

function settleHttp(world: World): void {
  const pods = new Map(world.items('core/v1/pods').map(pod => [nameOf(pod), pod]));
  const refused: RawObject[] = [];
  world.yaml(
    'http/index.yaml',
    entries =>
      (entries as never as RawObject[]).filter(entry => {
        if (entry.via !== 'pod') return true;
        const pod = pods.get(`${entry.namespace}/${entry.name}`);
        if (!pod?.status.podIP || !pod.status.containerStatuses?.some((status: RawObject) => status.state.running))
          return false;
        const owner = pod.spec.containers.find((container: RawObject) =>
          container.ports?.some((port: RawObject) => port.containerPort === entry.port),
        );
        if (!owner || isRunning(pod, owner.name)) return true;
        refused.push({ ...entry, address: pod.status.podIP });
        return false;
      }) as never,
  );
  for (const { namespace, name, port, path, address } of refused) {
    world.fail({
      path: `/api/v1/namespaces/${namespace}/pods/${name}:${port}/proxy${path}`,
      status: 503,
      reason: 'ServiceUnavailable',
      message: `error trying to reach service: dial tcp ${address}:${port}: connect: connection refused`,
    });
  }
}

function settleLogs(world: World): void {
  const pods = new Map(world.items('core/v1/pods').map(pod => [nameOf(pod), pod]));
  const failed = new Set(parse(world.text('failures.yaml')).map((failure: RawObject) => failure.path));
  for (const path of world.paths()) {
    const [kind, namespace, name] = path.split('/');
    if (kind === 'logs' && !pods.has(`${namespace}/${name}`)) world.remove(path);
  }
  const recorded = new Set(world.paths());
  for (const [name, pod] of pods) {
    const [namespace, short] = name.split('/');
    const statuses = [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])];
    for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
      const status = statuses.find(entry => entry.name === container.name);
      const ran = status && (status.state.running || status.state.terminated || status.lastState?.terminated);
      const file = `logs/${name}/${container.name}.log`;
      const path = `/api/v1/namespaces/${namespace}/pods/${short}/log?container=${container.name}`;
      if (ran || failed.has(path)) continue;
      if (!recorded.has(file) && pod.spec.nodeName && status === undefined) continue;
      world.remove(file);
      const reason = /Image/.test(status?.state.waiting?.reason ?? '')
        ? 'trying and failing to pull image'
        : status?.state.waiting?.reason;
      world.fail(
        pod.spec.nodeName
          ? {
              path,
              status: 400,
              reason: 'BadRequest',
              message: `container "${container.name}" in pod "${short}" is waiting to start: ${reason}`,
            }
          : { path, status: 204, reason: 'NoContent', message: '' },
      );
    }
  }
}

/** Makes the targets of every Prometheus those of the pods that are there. */
function settleTargets(world: World): void {
  const pods = new Map(world.items('core/v1/pods').map(pod => [nameOf(pod), pod]));
  for (const path of world.paths()) {
    if (!/^http\/.*api_v1_targets_state_active\.json$/.test(path)) continue;
    world.json(path, ({ data }) => {
      data.activeTargets = data.activeTargets.filter((target: RawObject) => {
        const { namespace, pod, container } = target.labels;
        if (!pod) return true;
        const found = pods.get(`${namespace}/${pod}`);
        if (!found?.status.podIP) return false;
        if (isRunning(found, container)) return true;
        const { host } = new URL(target.scrapeUrl);
        target.health = 'down';
        target.lastError = `Get "${target.scrapeUrl}": dial tcp ${host}: connect: connection refused`;
        return true;
      });
    });
  }
}

/** The kubelet tells of pods that run on it. */
function settleStatistics(world: World): void {
  const pods = new Map(world.items('core/v1/pods').map(pod => [nameOf(pod), pod]));
  for (const path of world.paths()) {
    if (!path.endsWith('stats_summary.json')) continue;
    world.json(path, summary => {
      summary.pods = summary.pods.filter((entry: RawObject) => {
        const pod = pods.get(`${entry.podRef.namespace}/${entry.podRef.name}`);
        return pod?.status.containerStatuses?.some((status: RawObject) => status.state.running);
      });
    });
  }
}

/** Addresses at which a Service is asked, and the addresses of the pods that answer there. */
interface Door {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly open: readonly string[];
  readonly clusterAddress: string;
  /** Seconds that nothing has been open. */
  readonly shutFor: number;
}

function doors(worlds: readonly World[]): readonly Door[] {
  return worlds.flatMap(world =>
    world.items('core/v1/services').map(service => {
      const { name, namespace } = service.metadata;
      const balancers = (service.status?.loadBalancer?.ingress ?? []).map((entry: RawObject) => entry.ip);
      return {
        name: `${name}.${namespace}.svc`,
        addresses: balancers,
        open: behind(world, service)
          .filter(pod => isReady(pod) && !pod.metadata.deletionTimestamp)
          .map(pod => pod.status.podIP),
        clusterAddress: service.spec.clusterIP,
        shutFor: shutFor(world, service),
      };
    }),
  );
}

/** Seconds since the last pod of a Service stopped being ready; 140 where none is left to tell. */
function shutFor(world: World, service: RawObject): number {
  if (!service.spec.selector) return 0;
  const pods = world
    .items('core/v1/pods')
    .filter(pod => pod.metadata.namespace === service.metadata.namespace && isLive(pod))
    .filter(pod => selects(service.spec.selector, pod.metadata.labels));
  const times = pods.map(
    pod => (isReady(pod) ? undefined : conditionOf(pod, 'Ready')?.lastTransitionTime) ?? pod.metadata.creationTimestamp,
  );
  return times.length === 0 ? 140 : Math.round((world.now - Math.max(...times.map(time => Date.parse(time)))) / 1000);
}

function settleQuery(hub: World, worlds: readonly World[], established: boolean): void {
  if (!runs(hub, 'query')) return;
  const query = component(hub, 'query');
  const all = doors(worlds);
  const answering = new Set(all.flatMap(door => door.open));
  const podAddresses = /^\d+\.\d+\.\d+\.\d+$/;
  for (const path of hub.paths()) {
    if (!/^http\/.*api_v1_stores\.json$/.test(path)) continue;
    const broken: [string, string, number][] = [];
    hub.json(path, document => {
      for (const [type, entries] of Object.entries(document.data) as [string, RawObject[]][]) {
        const kept = entries.filter(entry => {
          if (entry.lastError) return true;
          const host = entry.name.replace(/:\d+$/, '');
          const port = entry.name.slice(host.length + 1);
          const door = all.find(
            candidate =>
              candidate.addresses.includes(host) || host === candidate.name || host.startsWith(`${candidate.name}.`),
          );
          if (door) {
            if (established || door.open.length > 0) return true;
            const address = podAddresses.test(host) ? host : door.clusterAddress;
            // A Service of Kubernetes that has nothing behind it refuses at once.
            entry.lastError = `rpc error: code = DeadlineExceeded desc = latest balancer error: connection error: desc = "transport: Error while dialing: dial tcp ${address}:${port}: connect: connection refused"`;
            entry.lastCheck = ago(hub, door.shutFor);
            broken.push([entry.name, entry.lastError, door.shutFor]);
            return true;
          }
          // Addresses that came from DNS are asked for no longer once the name does not give them.
          return !podAddresses.test(host) || answering.has(host);
        });
        if (kept.length === 0) delete document.data[type];
        else document.data[type] = kept;
      }
    });
    for (const [address, error, since] of broken) {
      for (const pod of query.pods) {
        const words = error.replaceAll('"', '\\"');
        const lines = [130, 100, 70, 40, 10, 5]
          .filter(seconds => seconds < since)
          .map(
            seconds =>
              [
                seconds,
                `ts=$NOW caller=endpointset.go:385 level=warn component=endpointset msg="update of endpoint failed" err="getting metadata: ${words}" address=${address}`,
              ] as const,
          );
        hub.log(pod, query.container, lines);
      }
    }
  }
}

/** A Service without a pod that is ready refuses. */
function settleProbes(worlds: readonly World[]): void {
  const shut = new Map<string, boolean>();
  for (const world of worlds) {
    for (const service of world.items('core/v1/services')) {
      if (!service.spec.selector) continue;
      const open = behind(world, service).some(pod => isReady(pod) && !pod.metadata.deletionTimestamp);
      for (const { ip } of service.status?.loadBalancer?.ingress ?? []) {
        for (const { port } of service.spec.ports) shut.set(`${ip}:${port}`, !open);
      }
    }
  }
  for (const world of worlds) {
    const probes = parse(world.text('probes.yaml')) ?? [];
    for (const probe of probes) {
      if (probe.tcp !== 'open' || !shut.get(probe.endpoint)) continue;
      probe.tcp = 'refused';
      delete probe.speaks;
    }
    world.write('probes.yaml', stringify(probes));
  }
}
