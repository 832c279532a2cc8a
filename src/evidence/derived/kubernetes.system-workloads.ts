import { type Gap, GapSignal } from '../../model/gap.ts';
import type { Ref, ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as driversCollector } from '../collectors/kubernetes.csi-drivers.ts';
import { collector as daemonSetsCollector } from '../collectors/kubernetes.daemon-sets.ts';
import { collector as deploymentsCollector } from '../collectors/kubernetes.deployments.ts';
import { collector as discoveryCollector } from '../collectors/kubernetes.discovery.ts';
import { collector as leasesCollector } from '../collectors/kubernetes.leases.ts';
import { collector as nodesCollector } from '../collectors/kubernetes.nodes.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { collector as servicesCollector } from '../collectors/kubernetes.services.ts';
import { findKnown, gapped, gapsIn, known, listOrGap, withUnknownFields } from '../gaps.ts';
import { REF, ref } from '../objects.ts';
import { selects } from '../selects.ts';
import { isClusterDns, runs, SYSTEM_COMPONENTS, type SystemComponent, type Template } from '../system-components.ts';

const LEASE = { key: 'str', exists: 'bool', holder: 'str', renewed: 'time', renewedAge: 'int', stale: 'bool' } as const;

const ROW = {
  /** cilium-agent, cilium-envoy, cilium-operator, kube-proxy, coredns, longhorn-manager, longhorn-csi-plugin, csi-provisioner, csi-attacher or csi-resizer */
  component: 'str',
  /** What would be there if it is absent. */
  workload: REF,
  exists: 'bool',
  wanted: 'int',
  ready: 'int',
  /** '', absent, scaled-to-zero, not-ready, or no-leader where pods are ready and none of them leads. */
  why: 'str',
  /** Why it is not ready, in the kubelet's words. */
  reasons: ['str'],
  /** Seconds; -1 while it is well. */
  downFor: 'int',
  since: 'time',
  notReadyPods: [REF],
  /** Nodes of these pods, and nodes that lack one. */
  nodes: ['str'],
  lease: LEASE,
} as const;

export type SystemWorkload = ShapeOf<typeof ROW>;
type DaemonSet = ShapeOf<typeof daemonSetsCollector.shape>[number];
type Deployment = ShapeOf<typeof deploymentsCollector.shape>[number];
type Pod = ShapeOf<typeof podsCollector.shape>[number];
type Node = ShapeOf<typeof nodesCollector.shape>[number];
type Lease = ShapeOf<typeof leasesCollector.shape>[number];

/** Seconds that a workload may be without a ready pod, as during a rollout. */
const GRACE = 120;
/** Seconds after which a lease that nobody renews has no holder, whatever it says. */
const LEASE_STALE = 60;

const NO_LEASE = { key: '', exists: false, holder: '', renewed: '', renewedAge: -1, stale: false };

interface Evidence {
  readonly daemonSets: readonly DaemonSet[];
  readonly deployments: readonly Deployment[];
  readonly pods: readonly Pod[];
  readonly nodes: readonly Node[];
  readonly leases: readonly Lease[];
}

export const collector = derived({
  id: 'kubernetes.system-workloads',
  about:
    'Whether what storage and network hang on runs: Cilium, kube-proxy, the cluster DNS, Longhorn and its CSI sidecars.',
  core: true,
  shape: [ROW],
  async collect(context): Promise<readonly SystemWorkload[]> {
    const [daemonSets, deployments, pods, nodes, leases] = await Promise.all([
      listOrGap(context.get(daemonSetsCollector)),
      listOrGap(context.get(deploymentsCollector)),
      listOrGap(context.get(podsCollector)),
      listOrGap(context.get(nodesCollector)),
      listOrGap(context.get(leasesCollector)),
    ]);
    const evidence = { daemonSets, deployments, pods, nodes, leases };
    const installed = await installedProducts(context);
    const services = await listOrGap(context.get(servicesCollector));
    const namespaces = namespacesOf(evidence);
    return SYSTEM_COMPONENTS.map(component => {
      try {
        return rowOf(component);
      } catch (error) {
        if (!(error instanceof GapSignal)) throw error;
        return unknownRow(component, namespaces.get(component.product) ?? component.namespace, error.gap);
      }
    }).filter(row => row !== undefined);

    function rowOf(component: SystemComponent): SystemWorkload | undefined {
      const namespace = namespaces.get(component.product) ?? component.namespace;
      if (component.kind === 'DaemonSet') {
        const found = findKnown(daemonSets, one => runs(component, one));
        if (found) return daemonSetRow(component, found, evidence);
      } else {
        const found =
          component.id === 'coredns'
            ? clusterDns(deployments, services)
            : findKnown(deployments, one => one.namespace === namespace && runs(component, one));
        if (found) return deploymentRow(component, found, evidence);
        if (component.id === 'coredns' && otherDns(daemonSets, services)) return undefined;
      }
      const expected =
        component.id === 'coredns'
          ? findKnown(services, isClusterDns) !== undefined
          : component.needed && installed(component.product);
      return expected ? absentRow(component, namespace) : undefined;
    }
  },
});

/** The namespace that each product was found in: that of its DaemonSet. */
function namespacesOf({ daemonSets }: Evidence): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const component of SYSTEM_COMPONENTS) {
    if (component.kind !== 'DaemonSet' || found.has(component.product)) continue;
    const one = known(daemonSets).find(row => runs(component, row));
    if (one) found.set(component.product, one.namespace);
  }
  return found;
}

/** Whether a product is installed, by the kinds that are served and by the CSI drivers. Throws where that is not known. */
async function installedProducts(context: Context): Promise<(product: string) => boolean> {
  const [discovery, drivers] = await Promise.all([
    gapped(context.get(discoveryCollector)),
    listOrGap(context.get(driversCollector)),
  ]);
  return product => {
    if (product === '') return false;
    const { resources, unreadable } = discovery;
    if (resources.some(one => one.group === `${product}.io`)) return true;
    if (product === 'longhorn' && findKnown(drivers, one => one.name === 'driver.longhorn.io')) return true;
    const gone = unreadable.find(one => one.group === `${product}.io`);
    if (!gone) return false;
    throw new GapSignal({
      evidence: 'kubernetes.discovery',
      reason: 'server-error',
      detail: `the kinds of ${product}.io could not be read: ${gone.error}`,
      path: `/apis/${product}.io`,
    });
  };
}

type Service = ShapeOf<typeof servicesCollector.shape>[number];

/** CoreDNS that the cluster's DNS Service selects, else the one of that name beside it. */
function clusterDns(deployments: readonly Deployment[], services: readonly Service[]): Deployment | undefined {
  const service = findKnown(services, isClusterDns);
  const selected = service && findKnown(deployments, one => selectsTemplate(service, one));
  return (
    selected ??
    findKnown(deployments, one => one.namespace === (service?.namespace ?? 'kube-system') && one.name === 'coredns')
  );
}

/** A DNS server that is no Deployment. */
function otherDns(daemonSets: readonly DaemonSet[], services: readonly Service[]): boolean {
  const service = findKnown(services, isClusterDns);
  return service !== undefined && findKnown(daemonSets, one => selectsTemplate(service, one)) !== undefined;
}

function selectsTemplate(service: Service, one: Template): boolean {
  return service.namespace === one.namespace && selects(service.selector, one.template.labels);
}

/** Which workload it is about stays known: the others are not made unknown by it. */
function unknownRow(component: SystemComponent, namespace: string, gap: Gap): SystemWorkload {
  const row = { component: component.id, workload: ref(component.kind, namespace, component.name) };
  const fields = Object.keys(ROW).filter(field => !(field in row)) as (keyof SystemWorkload & string)[];
  return withUnknownFields<SystemWorkload>(row, gap, fields);
}

function absentRow(component: SystemComponent, namespace: string): SystemWorkload {
  return {
    component: component.id,
    workload: ref(component.kind, namespace, component.name),
    exists: false,
    wanted: 0,
    ready: 0,
    why: 'absent',
    reasons: [],
    downFor: 0,
    since: '',
    notReadyPods: [],
    nodes: [],
    lease: NO_LEASE,
  };
}

function deploymentRow(component: SystemComponent, one: Deployment, { pods, leases }: Evidence): SystemWorkload {
  const own = known(pods).filter(pod => pod.workload.key === one.key && !pod.history);
  const available = one.conditions.find(condition => condition.type === 'Available');
  const downFor = available === undefined ? one.age : one.unavailableFor;
  const notReady = own.filter(pod => !pod.ready);
  const row = {
    component: component.id,
    workload: ref('Deployment', one.namespace, one.name, one.uid),
    exists: true,
    wanted: one.replicas,
    ready: one.ready,
    reasons: reasonsOf(notReady),
    notReadyPods: notReady.map(podRef),
    nodes: nodesOf(notReady),
    lease: NO_LEASE,
  };
  if (one.replicas === 0) return { ...row, why: 'scaled-to-zero', downFor, since: available?.since ?? '' };
  if (one.ready === 0 && downFor > GRACE) return { ...row, why: 'not-ready', downFor, since: available?.since ?? '' };
  const lease = component.lease ? leaseOf(leases, one.namespace, component.lease) : NO_LEASE;
  const leaderless = one.ready > 0 && lease.stale;
  return {
    ...row,
    lease,
    why: leaderless ? 'no-leader' : '',
    downFor: leaderless ? lease.renewedAge : -1,
    since: leaderless ? lease.renewed : '',
  };
}

function leaseOf(leases: readonly Lease[], namespace: string, name: string): SystemWorkload['lease'] {
  const found = findKnown(leases, one => one.namespace === namespace && one.name === name);
  if (!found) return NO_LEASE;
  const { key, holder, renewed, renewedAge, duration } = found;
  return { key, exists: true, holder, renewed, renewedAge, stale: renewedAge > Math.max(LEASE_STALE, 2 * duration) };
}

function daemonSetRow(component: SystemComponent, one: DaemonSet, evidence: Evidence): SystemWorkload {
  const row = {
    component: component.id,
    workload: ref('DaemonSet', one.namespace, one.name, one.uid),
    exists: true,
    wanted: one.desired,
    ready: one.ready,
    lease: NO_LEASE,
  };
  const well = { ...row, why: '', reasons: [], downFor: -1, since: '', notReadyPods: [], nodes: [] };
  if (one.desired === 0) return component.needed ? { ...well, why: 'scaled-to-zero', downFor: one.age } : well;
  if (one.ready >= one.desired) return well;
  const [gap] = gapsIn([...evidence.pods, ...(component.despiteNode ? [] : evidence.nodes)]);
  const own = known(evidence.pods).filter(pod => pod.workload.key === one.key && !pod.history);
  const lost = new Set(
    known(evidence.nodes)
      .filter(node => node.ready !== 'True' && !component.despiteNode)
      .map(node => node.name),
  );
  const notReady = own.filter(pod => !pod.ready && !lost.has(pod.node));
  const bare = known(evidence.nodes).filter(node => !lost.has(node.name) && !own.some(pod => pod.node === node.name));
  const missing = Math.max(0, one.desired - own.length);
  const without = missing > 0 ? bare : [];
  if (gap && notReady.length === 0) throw new GapSignal(gap);
  const downFor = Math.max(
    -1,
    ...notReady.map(pod => (pod.readyAge >= 0 ? pod.readyAge : pod.age)),
    ...without.map(node => Math.min(node.readyAge, one.age)),
  );
  if (downFor <= GRACE) return well;
  return {
    ...row,
    why: 'not-ready',
    reasons: [...reasonsOf(notReady), ...(without.length > 0 ? ['no pod has been made'] : [])],
    downFor,
    since: notReady.map(pod => pod.readySince || pod.created).sort()[0] ?? '',
    notReadyPods: notReady.map(podRef),
    nodes: [...new Set([...nodesOf(notReady), ...without.map(node => node.name)])].sort(),
  };
}

function podRef(pod: Pod): Ref {
  return ref('Pod', pod.namespace, pod.name, pod.uid);
}

function nodesOf(pods: readonly Pod[]): readonly string[] {
  return [...new Set(pods.map(pod => pod.node).filter(node => node !== ''))].sort();
}

function reasonsOf(pods: readonly Pod[]): readonly string[] {
  const words = pods.flatMap(pod => [
    pod.reason,
    ...pod.containers.filter(one => !one.ready).map(one => one.reason),
    ...(pod.node === '' ? ['no node'] : []),
  ]);
  return [...new Set(words.filter(word => word !== ''))].sort();
}
