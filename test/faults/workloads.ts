import type { RawObject } from '../../src/model/source.ts';
import type { World } from './recorded-world.ts';

const iso = (time: number) => `${new Date(time).toISOString().slice(0, 19)}Z`;

export interface Crash {
  /** `namespace/pod` */
  readonly pod: string;
  readonly container: string;
  /** What the run before wrote last. */
  readonly lines: readonly string[];
  /** 1 where left out. */
  readonly exitCode?: number;
  /** Error where left out. */
  readonly reason?: string;
  /** 4 where left out. */
  readonly restarts?: number;
  /** Ports of the container on which nobody listens any more. */
  readonly ports: readonly number[];
}

/** A container that exits at every start, with all that the cluster shows of it. */
export function crashes(world: World, crash: Crash): void {
  const { pod, container, lines, exitCode = 1, reason = 'Error', restarts = 4, ports } = crash;
  const { uid } = world.object('core/v1/pods', pod).metadata;
  const finished = world.now - 25_000;
  const started = iso(finished - 2000);
  notReady(world, pod, container, status => {
    const message = `back-off 1m20s restarting failed container=${container} pod=${pod.replace('/', '_').split('_').reverse().join('_')}(${uid})`;
    status.state = { waiting: { reason: 'CrashLoopBackOff', message } };
    status.lastState = { terminated: { exitCode, reason, startedAt: started, finishedAt: iso(finished) } };
    status.restartCount = restarts;
  });
  for (const run of ['', '.previous']) {
    const text = lines.map((line, index) => `${stamp(finished - (lines.length - index))} ${line}\n`).join('');
    world.write(`logs/${pod}/${container}${run}.log`, text);
  }
  const [namespace = '', name = ''] = pod.split('/');
  event(world, {
    kind: 'Pod',
    name: pod,
    reason: 'BackOff',
    type: 'Warning',
    message: `Back-off restarting failed container ${container} in pod ${name}_${namespace}(${uid})`,
    count: restarts + 2,
  });
  deafen(world, pod, ports, 'connect: connection refused');
}

const stamp = (time: number) => new Date(time).toISOString().replace('Z', '000000Z');

/** One container of a pod is not ready, and so neither are the pod, its endpoints, its workload and its resource. */
export function notReady(
  world: World,
  pod: string,
  container: string,
  change: (status: RawObject) => void = () => undefined,
): void {
  const since = iso(world.now - 110_000);
  world.edit('core/v1/pods', pod, object => {
    for (const status of object.status.containerStatuses) {
      if (status.name !== container) continue;
      status.ready = false;
      status.started = false;
      change(status);
    }
    const names = object.status.containerStatuses.filter((status: RawObject) => !status.ready);
    const message = `containers with unready status: [${names.map((status: RawObject) => status.name).join(' ')}]`;
    for (const condition of object.status.conditions) {
      if (condition.type !== 'Ready' && condition.type !== 'ContainersReady') continue;
      Object.assign(condition, { status: 'False', reason: 'ContainersNotReady', message, lastTransitionTime: since });
    }
  });
  const [, name = ''] = pod.split('/');
  endpointsOf(world, name, conditions => Object.assign(conditions, { ready: false, serving: false }));
  settleWorkloads(world, pod);
}

function endpointsOf(world: World, pod: string, change: (conditions: RawObject) => void): void {
  world.list('discovery.k8s.io/v1/endpointslices', slices => {
    for (const slice of slices) {
      for (const endpoint of slice.endpoints ?? []) if (endpoint.targetRef?.name === pod) change(endpoint.conditions);
    }
  });
}

const isReady = (pod: RawObject) =>
  pod.status.conditions?.some((condition: RawObject) => condition.type === 'Ready' && condition.status === 'True');

/** Counts of the workload of a pod, and of the resource that it is made from, as the controllers would write them. */
export function settleWorkloads(world: World, pod: string): void {
  const [namespace] = pod.split('/');
  const object = world.object('core/v1/pods', pod);
  const owner = object.metadata.ownerReferences[0];
  const siblings: RawObject[] = [];
  world.list('core/v1/pods', pods => {
    siblings.push(...pods.filter(one => one.metadata.ownerReferences?.[0]?.uid === owner.uid));
  });
  const ready = siblings.filter(isReady).length;
  const count = (status: RawObject) => {
    for (const field of ['readyReplicas', 'availableReplicas']) {
      if (ready > 0 || field === 'availableReplicas') status[field] = ready;
      else delete status[field];
    }
  };
  if (owner.kind === 'ReplicaSet') {
    const set = world.object('apps/v1/replicasets', `${namespace}/${owner.name}`);
    world.edit('apps/v1/replicasets', `${namespace}/${owner.name}`, one => count(one.status));
    world.edit('apps/v1/deployments', `${namespace}/${set.metadata.ownerReferences[0].name}`, one => {
      count(one.status);
      if (ready === 0) delete one.status.availableReplicas;
      one.status.unavailableReplicas = one.spec.replicas - ready;
      for (const condition of one.status.conditions) {
        if (condition.type !== 'Available' || ready > 0) continue;
        const message = 'Deployment does not have minimum availability.';
        const lastTransitionTime = iso(world.now - 180_000);
        Object.assign(condition, {
          status: 'False',
          reason: 'MinimumReplicasUnavailable',
          message,
          lastTransitionTime,
        });
      }
    });
    return;
  }
  if (owner.kind !== 'StatefulSet') return;
  world.edit('apps/v1/statefulsets', `${namespace}/${owner.name}`, one => count(one.status));
  const maker = world.object('apps/v1/statefulsets', `${namespace}/${owner.name}`).metadata.ownerReferences?.[0];
  const list = { Prometheus: 'prometheuses', Alertmanager: 'alertmanagers' }[maker?.kind as string];
  if (!list) return;
  world.edit(`monitoring.coreos.com/v1/${list}`, `${namespace}/${maker.name}`, one => {
    const gone = siblings.length - ready;
    one.status.availableReplicas = ready;
    one.status.unavailableReplicas = gone;
    for (const shard of one.status.shardStatuses ?? []) {
      Object.assign(shard, { availableReplicas: ready, unavailableReplicas: gone });
    }
    const [, name] = pod.split('/');
    const why = object.status.conditions.find((condition: RawObject) => condition.type === 'Ready').message;
    for (const condition of one.status.conditions) {
      if (condition.type !== 'Available') continue;
      Object.assign(condition, {
        status: ready > 0 ? 'Degraded' : 'False',
        reason: ready > 0 ? 'SomePodsNotReady' : 'NoPodReady',
        message: `shard 0: pod ${name}: ${why}`,
        lastTransitionTime: iso(world.now - 100_000),
      });
    }
  });
}

/** Nobody listens any more on these ports of a pod: requests through the API server, scrapes and the Query fail. */
export function deafen(world: World, pod: string, ports: readonly number[], how: string): void {
  const [namespace = '', name = ''] = pod.split('/');
  const address: string = world.object('core/v1/pods', pod).status.podIP;
  const gone: RawObject[] = [];
  world.yaml('http/index.yaml', entries => {
    const rows = entries as never as RawObject[];
    const lost = (row: RawObject) => row.name === name && row.namespace === namespace && ports.includes(row.port);
    gone.push(...rows.filter(lost));
    return rows.filter(row => !lost(row)) as never;
  });
  for (const { port, path } of gone) {
    world.fail({
      path: `/api/v1/namespaces/${namespace}/pods/${name}:${port}/proxy${path}`,
      status: 503,
      reason: 'ServiceUnavailable',
      message: `error trying to reach service: dial tcp ${address}:${port}: ${how}`,
    });
  }
  for (const port of ports) {
    targetFails(world, `${address}:${port}`, url => `Get "${url}": dial tcp ${address}:${port}: ${how}`);
    storeApiFails(world, `${address}:${port}`, how);
  }
}

/** Scrapes of an address fail, as every Prometheus of the cluster that still answers says. */
export function targetFails(world: World, address: string, error: (url: string) => string): void {
  eachAnswer(world, '/api/v1/targets?state=active', document => {
    for (const target of document.data.activeTargets) {
      if (!target.scrapeUrl.includes(`//${address}/`)) continue;
      Object.assign(target, { health: 'down', lastError: error(target.scrapeUrl) });
    }
  });
}

/** Answers to one path, of whichever component gave them. */
export function eachAnswer(world: World, path: string, change: (document: RawObject, row: RawObject) => void): void {
  const rows: RawObject[] = [];
  world.yaml('http/index.yaml', entries => void rows.push(...(entries as never as RawObject[])));
  for (const row of rows) {
    if (row.path === path) world.json(`http/${row.file}`, document => change(document, row));
  }
}

/** The Query of this cluster has lost an endpoint for two minutes. */
export function storeApiFails(world: World, address: string, how: string): void {
  const error = `rpc error: code = DeadlineExceeded desc = latest balancer error: connection error: desc = "transport: Error while dialing: dial tcp ${address}: ${how}"`;
  let known = false;
  eachAnswer(world, '/api/v1/stores', document => {
    for (const row of Object.values(document.data).flat() as RawObject[]) {
      if (row.name !== address) continue;
      Object.assign(row, { lastError: error, lastCheck: new Date(world.now - 130_000).toISOString() });
      known = true;
    }
  });
  if (!known) return;
  for (const path of world.paths()) {
    const match = /^logs\/([^/]+\/[^/]+)\/([^/]+)\.log$/.exec(path);
    if (!match || !world.text(path).includes('component=endpointset')) continue;
    const line = `ts=$NOW caller=endpointset.go:385 level=warn component=endpointset msg="update of endpoint failed" err="getting metadata: ${error.replaceAll('"', '\\"')}" address=${address}`;
    world.log(
      match[1]!,
      match[2]!,
      [15, 10, 5].map(ago => [ago, line] as const),
    );
  }
}

/** What the hub sees of an edge whose sidecars do not answer: its endpoint fails, here and from outside. */
export function edgeLost(hub: World, address: string, tcp: 'refused' | 'timeout' = 'refused'): void {
  storeApiFails(hub, address, tcp === 'refused' ? 'connect: connection refused' : 'i/o timeout');
  probeOf(hub, address, { tcp });
}

/** Another answer to the probe of an address. */
export function probeOf(world: World, endpoint: string, answer: Readonly<Record<string, unknown>>): void {
  world.yaml(
    'probes.yaml',
    probes =>
      (probes as never as RawObject[]).map(row =>
        row.endpoint === endpoint ? { endpoint, from: 'here', for: row.for, ...answer } : row,
      ) as never,
  );
}

export interface Happening {
  readonly kind: string;
  readonly name: string;
  readonly reason: string;
  readonly message: string;
  readonly type?: string;
  readonly count?: number;
}

export function event(world: World, { kind, name, reason, message, type = 'Warning', count = 1 }: Happening): void {
  const [namespace, own] = name.includes('/') ? name.split('/') : ['default', name];
  world.list('core/v1/events', items => {
    items.push({
      metadata: {
        name: `${own}.${items.length.toString(16)}`,
        namespace,
        uid: `00000000-0000-4000-8000-${String(items.length).padStart(12, '0')}`,
        creationTimestamp: iso(world.now - 120_000),
      },
      involvedObject: { kind, namespace, name: own, apiVersion: 'v1' },
      reason,
      message,
      source: { component: 'kubelet' },
      firstTimestamp: iso(world.now - 120_000),
      lastTimestamp: iso(world.now - 10_000),
      count,
      type,
    });
  });
}
