import { GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as policiesCollector } from '../collectors/cilium.l2-policies.ts';
import { type Pool, poolHolds, collector as poolsCollector } from '../collectors/cilium.pools.ts';
import { collector as leasesCollector } from '../collectors/kubernetes.leases.ts';
import { collector as nodesCollector } from '../collectors/kubernetes.nodes.ts';
import { collector as servicesCollector } from '../collectors/kubernetes.services.ts';
import { findKnown, gapped, known, listOrGap, mapKnown } from '../gaps.ts';
import { unmet } from '../label-selectors.ts';
import { lazily } from '../lazily.ts';
import { REF, ref } from '../objects.ts';
import { collector as configCollector } from './cilium.config.ts';
import { collector as backendsCollector } from './kubernetes.service-backends.ts';

const L2 = {
  /** The cluster makes this address known by L2 announcement. */
  needed: 'bool',
  policies: ['str'],
  lease: 'str',
  leaseKey: 'str',
  holder: 'str',
  holderKey: 'str',
  renewed: 'time',
  renewedAge: 'int',
  leaseStale: 'bool',
  /** '', lease-absent, lease-released or lease-stale */
  why: 'str',
  /** Seconds that the address has been there. */
  addressAge: 'int',
  /** Nodes that could hold the lease: keys. */
  nodes: ['str'],
} as const;

const FAULT = {
  /** '', feature-off, no-policy, policy-bad, policy-excludes, policy-without-load-balancer-ips or no-node */
  why: 'str',
  kind: 'str',
  namespace: 'str',
  name: 'str',
  detail: 'str',
} as const;

const ROW = {
  service: REF,
  ips: ['str'],
  pending: 'bool',
  pendingSince: 'time',
  /** Seconds; -1 where it has an address. */
  pendingAge: 'int',
  /** Reason of the condition that LB-IPAM writes. */
  condition: 'str',
  message: 'str',
  conditionPresent: 'bool',
  conditionAge: 'int',
  class: 'str',
  /** LB-IPAM is responsible for it. */
  ours: 'bool',
  requested: ['str'],
  labels: 'map',
  sharingKey: 'str',
  /** Pools that hold one of its addresses. */
  pools: ['str'],
  ports: ['int'],
  /** `Address ip:port` of every address and port. */
  addressKeys: ['str'],
  l2: L2,
  fault: FAULT,
  backendsReady: 'int',
  trafficPolicyLocal: 'bool',
} as const;

export type LoadBalancer = ShapeOf<typeof ROW>;
type Service = ShapeOf<typeof servicesCollector.shape>[number];
type Policy = ShapeOf<typeof policiesCollector.shape>[number];
type Node = ShapeOf<typeof nodesCollector.shape>[number];

/** Classes of Services for which Cilium feels responsible. */
export const CILIUM_CLASSES: ReadonlySet<string> = new Set([
  '',
  'io.cilium/bgp-control-plane',
  'io.cilium/l2-announcer',
]);
const CONDITION_TYPES = ['cilium.io/IPAMRequestSatisfied', 'io.cilium/lb-ipam-request-satisfied'];
const NO_FAULT = { why: '', kind: '', namespace: '', name: '', detail: '' };
const NO_L2: LoadBalancer['l2'] = {
  needed: false,
  policies: [],
  lease: '',
  leaseKey: '',
  holder: '',
  holderKey: '',
  renewed: '',
  renewedAge: -1,
  leaseStale: false,
  why: '',
  addressAge: -1,
  nodes: [],
};

export const collector = derived({
  id: 'cilium.load-balancers',
  about: 'Services of type LoadBalancer: has each an address, is it announced, does it reach anything.',
  core: true,
  shape: [ROW],
  async collect(context): Promise<readonly LoadBalancer[]> {
    const services = await context.get(servicesCollector);
    const balancers = services.filter(service => isBalancer(service));
    if (balancers.length === 0) return [];
    const [pools, policies, leases, nodes, backends, config] = await Promise.all([
      listOrGap(context.get(poolsCollector)),
      listOrGap(context.get(policiesCollector)),
      listOrGap(context.get(leasesCollector)),
      listOrGap(context.get(nodesCollector)),
      listOrGap(context.get(backendsCollector)),
      gapped(context.get(configCollector)),
    ]);
    return mapKnown(balancers, service => {
      const condition = ipamCondition(service);
      const ips = service.externalIps.filter(ip => ip !== '');
      const pending = ips.length === 0;
      const refused = condition?.status === 'False' ? condition : undefined;
      const ports = service.ports.map(port => port.port);
      const row = {
        service: ref('Service', service.namespace, service.name, service.uid),
        ips,
        pending,
        pendingSince: pending ? (refused?.since ?? service.created) : '',
        pendingAge: pending ? (refused?.age ?? service.age) : -1,
        condition: condition?.reason ?? '',
        message: condition?.message ?? '',
        conditionPresent: condition !== undefined,
        conditionAge: condition?.age ?? -1,
        class: service.loadBalancerClass,
        requested: service.requestedIps,
        labels: serviceLabels(service),
        sharingKey:
          service.annotations['lbipam.cilium.io/sharing-key'] ??
          service.annotations['io.cilium/lb-ipam-sharing-key'] ??
          '',
        ports,
        addressKeys: ips.flatMap(ip => ports.map(port => `Address ${ip}:${port}`)),
        trafficPolicyLocal: service.externalTrafficPolicy === 'Local',
      };
      return lazily<LoadBalancer>(row, {
        ours: () => CILIUM_CLASSES.has(service.loadBalancerClass) && (condition !== undefined || config.installed),
        pools: () => poolsOf(pools, ips),
        l2: () => announcementOf(service, ips, condition?.age ?? service.age),
        fault: () => faultOf(service, announcementOf(service, ips, condition?.age ?? service.age)),
        backendsReady: () =>
          findKnown(backends, one => one.service.namespace === service.namespace && one.service.name === service.name)
            ?.ready ?? 0,
      });
    });

    function announcementOf(service: Service, ips: readonly string[], addressAge: number): LoadBalancer['l2'] {
      if (ips.length === 0 || !announcedByClass(service)) return NO_L2;
      // Without Cilium, or with neither a policy nor the feature, addresses are made known in another way.
      const some = findKnown(policies, () => true) !== undefined;
      if (!some && !(config.installed && config.l2Announcements)) return NO_L2;
      if (poolsOf(pools, ips).length === 0) return NO_L2;
      const lease = `cilium-l2announce-${service.namespace}-${service.name}`;
      const found = findKnown(leases, one => one.name === lease) ?? ownerlessLease(service);
      if (!found) refuseStrangers();
      const stale = found !== undefined && found.renewedAge > 2 * found.duration;
      const announcing = known(policies).filter(policy => missing(policy, service, known(nodes)).length === 0);
      return {
        needed: true,
        policies: announcing.map(policy => policy.name),
        lease: found?.name ?? lease,
        leaseKey: found?.key ?? '',
        holder: found?.holder ?? '',
        holderKey: found?.holder ? `Node ${found.holder}` : '',
        renewed: found?.renewed ?? '',
        renewedAge: found?.renewedAge ?? -1,
        leaseStale: stale,
        why: !found ? 'lease-absent' : found.holder === '' ? 'lease-released' : stale ? 'lease-stale' : '',
        addressAge,
        nodes: known(nodes)
          .filter(node => announcing.some(policy => unmet(policy.nodeSelector, node.labels).length === 0))
          .map(node => node.key),
      };
    }

    /**
     * A lease that somebody holds for a Service of this name, and that no Service of this cluster accounts for. Whose
     * it is cannot be told from its name alone, so it speaks against "nobody announces it".
     */
    function ownerlessLease(service: Service): (typeof leases)[number] | undefined {
      const accounted = new Set(known(balancers).map(one => `cilium-l2announce-${one.namespace}-${one.name}`));
      return known(leases).find(
        one =>
          one.name.startsWith('cilium-l2announce-') &&
          one.name.endsWith(`-${service.name}`) &&
          one.holder !== '' &&
          !accounted.has(one.name),
      );
    }

    /**
     * The agent gives a lease back when its Service goes: one that is held and renewed is of a Service that exists. Where
     * no Service has the name that is in it, names are not what they were, and "there is no lease" is not known.
     */
    function refuseStrangers(): void {
      const names = new Set(known(services).map(one => `cilium-l2announce-${one.namespace}-${one.name}`));
      const stranger = known(leases).find(
        one => one.name.startsWith('cilium-l2announce-') && one.holder !== '' && !one.stale && !names.has(one.name),
      );
      if (!stranger) return;
      throw new GapSignal({
        evidence: 'kubernetes.leases',
        reason: 'malformed',
        detail: `lease ${stranger.name} is held and renewed for a Service that is not in the list`,
        notLookedAt: true,
      });
    }

    function faultOf(service: Service, l2: LoadBalancer['l2']): LoadBalancer['fault'] {
      // Agents that no longer announce an address let go of its lease, and nobody takes it away where the feature is off.
      if (l2.why === '') return NO_FAULT;
      const all = mapKnown(policies, policy => policy);
      const any = findKnown(all, () => true);
      if (any && !config.l2Announcements) {
        return fault(
          'feature-off',
          'ConfigMap',
          config.namespace,
          'cilium-config',
          'enable-l2-announcements is not "true"',
        );
      }
      if (!any) return fault('no-policy', 'Cluster', '', context.cluster, 'there is no CiliumL2AnnouncementPolicy');
      const judged = known(policies).map(policy => ({ policy, lacks: missing(policy, service, known(nodes)) }));
      if (judged.some(one => one.lacks.length === 0)) return NO_FAULT;
      // A list with something unread may hold the policy that announces it.
      findKnown(policies, () => false);
      findKnown(nodes, () => false);
      const nearest = judged.sort(
        (one, other) => one.lacks.length - other.lacks.length || (one.policy.name < other.policy.name ? -1 : 1),
      )[0]!;
      const [why, detail] = nearest.lacks[0]!;
      return fault(why, 'CiliumL2AnnouncementPolicy', '', nearest.policy.name, detail);
    }
  },
});

function fault(why: string, kind: string, namespace: string, name: string, detail: string): LoadBalancer['fault'] {
  return { why, kind, namespace, name, detail };
}

function isBalancer(service: Service): boolean {
  try {
    return service.type === 'LoadBalancer' && !service.deleting;
  } catch (error) {
    // A Service that could not be read may be one: its gap stays in the list.
    if (error instanceof GapSignal) return true;
    throw error;
  }
}

export function ipamCondition(service: Service): Service['conditions'][number] | undefined {
  for (const type of CONDITION_TYPES) {
    const found = service.conditions.find(one => one.type === type);
    if (found) return found;
  }
  return undefined;
}

/** Labels of a Service, with the two that Cilium adds for its selectors. */
export function serviceLabels(service: {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}): Readonly<Record<string, string>> {
  return {
    ...service.labels,
    'io.kubernetes.service.namespace': service.namespace,
    'io.kubernetes.service.name': service.name,
  };
}

function announcedByClass(service: Service): boolean {
  return service.loadBalancerClass === '' || service.loadBalancerClass === 'io.cilium/l2-announcer';
}

function poolsOf(pools: readonly Pool[], ips: readonly string[]): readonly string[] {
  const found = known(pools).filter(pool => ips.some(ip => poolHolds(pool, ip)));
  if (found.length === 0) findKnown(pools, () => false);
  return found.map(pool => pool.name);
}

/** What keeps a policy from announcing a Service's addresses, in the order in which it is told. */
function missing(policy: Policy, service: Service, nodes: readonly Node[]): readonly (readonly [string, string])[] {
  const lacks: (readonly [string, string])[] = [];
  if (policy.bad) lacks.push(['policy-bad', policy.badWhy]);
  for (const requirement of unmet(policy.serviceSelector, serviceLabels(service))) {
    lacks.push(['policy-excludes', `its serviceSelector asks for ${requirement}`]);
  }
  if (!policy.loadBalancerIps) lacks.push(['policy-without-load-balancer-ips', 'loadBalancerIPs is not true']);
  if (!nodes.some(node => unmet(policy.nodeSelector, node.labels).length === 0)) {
    lacks.push(['no-node', 'its nodeSelector selects no node']);
  }
  return lacks;
}
