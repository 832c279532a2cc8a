import type { Ref, ShapeOf } from '../../model/shape.ts';
import type { RawObject } from '../../model/source.ts';
import { fetched } from '../collector.ts';
import { isControlPlane, monitorOfPool } from '../components/pools.ts';
import { askEach, type Part, replicasOf } from '../components/replicas.ts';
import { lookedUpName, scrapeErrorKind } from '../components/scrape-errors.ts';
import { type Component, collector as componentsCollector } from '../derived/thanos.components.ts';
import { known, listOrGap } from '../gaps.ts';
import { age, list, NOBODY, number, objectKey, REF, ref, strings, text } from '../objects.ts';
import { seconds } from '../quantities.ts';
import { collector as podsCollector } from './kubernetes.pods.ts';
import { collector as monitorsCollector } from './prometheus-operator.monitors.ts';

/** One target, as one Prometheus sees it. */
export const TARGET = {
  pool: 'str',
  monitor: REF,
  job: 'str',
  instance: 'str',
  url: 'str',
  /** host:port of the URL, for people; '' where it is no URL. */
  address: 'str',
  /** up, down or unknown (before the first scrape) */
  health: 'str',
  error: 'str',
  errorKind: 'str',
  /** The name that could not be looked up; '' for another error. */
  lookedUp: 'str',
  lastScrape: 'time',
  lastScrapeAge: 'int',
  /** Seconds before the newest scrape of the same answer. */
  behind: 'int',
  /** Seconds. */
  duration: 'float',
  interval: 'int',
  timeout: 'int',
  labels: 'map',
  /** Found by the address in the URL, else by the labels namespace and pod; none for what is no pod. */
  pod: REF,
  workload: REF,
  node: 'str',
  podAge: 'int',
  /** Succeeded, failed, being deleted, or gone. */
  podOver: 'bool',
  /** The pod's containers list the scraped port. */
  portListed: 'bool',
  component: 'str',
  /** What the component belongs to: its custom resource, else its workload. */
  owner: REF,
  /** A control plane part that kubeadm binds to 127.0.0.1. */
  knownNoise: 'bool',
} as const;

type Target = ShapeOf<typeof TARGET>;

const SHAPE = [
  {
    prometheus: REF,
    pod: REF,
    /** The container runs. What one that does not would have said is unknown. */
    running: 'bool',
    /** All of its pod is. */
    ready: 'bool',
    targets: [TARGET],
    pools: [{ name: 'str', active: 'int', up: 'int', monitor: REF }],
    /** Targets that are up. */
    up: 'int',
    /** 99th percentile (nearest rank) of the seconds that scrapes of these take. */
    slowScrape: 'float',
    /** The five slowest of these. */
    slowest: [{ url: 'str', pool: 'str', duration: 'float', timeout: 'int' }],
  },
] as const;

type Row = ShapeOf<typeof SHAPE>[number];
type Pod = ShapeOf<typeof podsCollector.shape>[number];

interface Surroundings {
  readonly takenAt: number;
  podAt(address: string): Pod | undefined;
  pod(key: string): Pod | undefined;
  /** The node that has this address; '' for none. */
  nodeAt(address: string): string;
  component(pod: string, port: number): Component | undefined;
  labels(monitor: string): Readonly<Record<string, string>>;
}

export const collector = fetched({
  id: 'prometheus.targets',
  about: 'What each Prometheus scrapes, and how each scrape went.',
  core: true,
  needs: [{ verbs: ['get'], group: '', resource: 'pods/proxy' }],
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const [replicas, pods, components, monitors] = await Promise.all([
      replicasOf(context, ['prometheus']),
      listOrGap(context.get(podsCollector)),
      listOrGap(context.get(componentsCollector)),
      listOrGap(context.get(monitorsCollector)),
    ]);
    const around = surroundings(context.takenAt, known(pods), known(components), known(monitors));
    return askEach<Row>(
      context,
      { id: 'prometheus.targets', core: true },
      replicas,
      replica => ({
        prometheus: replica.subject,
        pod: replica.pod,
        running: replica.running,
        ready: replica.podReady,
      }),
      [targetsPart(around)],
    );
  },
});

function targetsPart(around: Surroundings): Part<Row> {
  return {
    fields: ['targets', 'pools', 'up', 'slowScrape', 'slowest'],
    async read(asker, { subject }) {
      const data = await asker.api('/api/v1/targets?state=active');
      const raw = list(data.activeTargets);
      const newest = Math.max(0, ...raw.map(target => Date.parse(text(target?.lastScrape)) || 0));
      const targets = raw.map(target => targetOf(target, subject, around, newest));
      return { targets, pools: poolsOf(targets), ...durationsOf(targets) };
    },
  };
}

function durationsOf(targets: readonly Target[]): Pick<Row, 'up' | 'slowScrape' | 'slowest'> {
  const up = targets.filter(target => target.health === 'up').sort((first, second) => first.duration - second.duration);
  return {
    up: up.length,
    slowScrape: up[Math.ceil(0.99 * up.length) - 1]?.duration ?? 0,
    slowest: up
      .slice(-5)
      .reverse()
      .map(({ url, pool, duration, timeout }) => ({ url, pool, duration, timeout })),
  };
}

function poolsOf(targets: readonly Target[]): Row['pools'] {
  const names = [...new Set(targets.map(target => target.pool))];
  return names.map(name => {
    const mine = targets.filter(target => target.pool === name);
    const up = mine.filter(target => target.health === 'up').length;
    return { name, active: mine.length, up, monitor: mine[0]!.monitor };
  });
}

function targetOf(raw: RawObject, prometheus: Ref, around: Surroundings, newest: number): Target {
  const labels = strings(raw?.labels);
  const pool = text(raw?.scrapePool);
  const monitor = monitorOfPool(pool, prometheus);
  const url = text(raw?.scrapeUrl);
  const { host, port } = addressOf(url);
  const named = objectKey('Pod', labels.namespace ?? '', labels.pod ?? '');
  const pod = around.podAt(host) ?? around.pod(named);
  const component = pod && around.component(pod.key, port);
  const lastScrape = text(raw?.lastScrape);
  // Go's zero time stands for "never".
  const scraped = lastScrape.startsWith('0001-') ? '' : lastScrape;
  const error = text(raw?.lastError);
  return {
    pool,
    monitor,
    job: labels.job ?? '',
    instance: labels.instance ?? '',
    url,
    address: host === '' ? '' : `${host.includes(':') ? `[${host}]` : host}:${port}`,
    health: text(raw?.health),
    error,
    errorKind: scrapeErrorKind(error),
    lookedUp: scrapeErrorKind(error) === 'unresolved' ? lookedUpName(error) : '',
    lastScrape: scraped,
    lastScrapeAge: age(around, scraped),
    behind: scraped === '' ? -1 : Math.max(0, Math.round((newest - Date.parse(scraped)) / 1000)),
    duration: number(raw?.lastScrapeDuration),
    interval: Math.round(seconds(text(raw?.scrapeInterval))),
    timeout: Math.round(seconds(text(raw?.scrapeTimeout))),
    labels,
    pod: pod ? ref('Pod', pod.namespace, pod.name, pod.uid) : NOBODY,
    workload: pod?.workload ?? NOBODY,
    // A kubelet is scraped at its node's own address.
    node: pod?.node ?? around.nodeAt(host),
    podAge: pod?.age ?? -1,
    podOver: pod ? pod.deleting || pod.history || pod.phase === 'Succeeded' || pod.phase === 'Failed' : false,
    portListed: pod?.containers.some(container => container.ports.some(listed => listed.port === port)) ?? false,
    component: component?.component ?? '',
    owner: component?.subject ?? pod?.workload ?? NOBODY,
    knownNoise: monitor.kind !== 'ScrapePool' && isControlPlane(monitor.name, around.labels(monitor.key)),
  };
}

/** Host and port of a scrape URL, the port that the scheme stands for where none is written. */
function addressOf(url: string): { readonly host: string; readonly port: number } {
  if (!URL.canParse(url)) return { host: '', port: 0 };
  const { hostname, port, protocol } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || (protocol === 'https:' ? 443 : 80) };
}

function surroundings(
  takenAt: number,
  pods: readonly Pod[],
  components: readonly Component[],
  monitors: ShapeOf<typeof monitorsCollector.shape>,
): Surroundings {
  const byKey = new Map(pods.map(pod => [pod.key, pod]));
  // An address belongs to the pod that has it now; pods on the host's own network share theirs.
  const byAddress = new Map(
    pods.filter(pod => pod.podIp !== '' && !pod.hostNetwork && !pod.history).map(pod => [pod.podIp, pod]),
  );
  const nodes = new Map(pods.map(pod => [pod.hostIp, pod.node]));
  const labels = new Map(monitors.map(monitor => [monitor.key, monitor.labels]));
  return {
    takenAt,
    podAt: address => byAddress.get(address),
    pod: key => byKey.get(key),
    nodeAt: address => (address === '' ? '' : (nodes.get(address) ?? '')),
    component: (pod, port) => {
      const mine = components.filter(component => component.pod.key === pod);
      return (
        mine.find(component => component.httpPort === port) ??
        mine.find(component => component.ports.some(listed => listed.port === port))
      );
    },
    labels: monitor => labels.get(monitor) ?? {},
  };
}
