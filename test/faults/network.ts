import { parse, stringify } from 'yaml';
import type { RawObject } from '../../src/model/source.ts';
import { ago, component, nameOf, setCondition } from './pods.ts';
import type { World } from './recorded-world.ts';

/** `namespace/name` of the Service by which an edge shows its sidecars, and the address that it has. */
export function sidecarService(world: World): { readonly name: string; readonly ip: string; readonly port: number } {
  const service = world.items('core/v1/services').find(one => one.spec.type === 'LoadBalancer' && one.spec.selector)!;
  return { name: nameOf(service), ip: service.status.loadBalancer.ingress[0].ip, port: service.spec.ports[0].port };
}

const DIALING = (words: string) =>
  `rpc error: code = DeadlineExceeded desc = latest balancer error: connection error: desc = "transport: Error while dialing: dial tcp ${words}"`;

/** A Query has lost an address, and says why at every try. Where it never had it, it does not list it. */
export function lostEndpoint(hub: World, address: string, error: string, { listed = true, seconds = 140 } = {}): void {
  const query = component(hub, 'query');
  for (const path of hub.paths()) {
    if (!/^http\/.*api_v1_stores\.json$/.test(path)) continue;
    hub.json(path, ({ data }) => {
      for (const [type, entries] of Object.entries(data) as [string, RawObject[]][]) {
        for (const entry of entries) {
          if (entry.name === address) Object.assign(entry, { lastError: error, lastCheck: ago(hub, seconds) });
        }
        if (!listed) data[type] = entries.filter(entry => entry.name !== address);
        if (data[type].length === 0) delete data[type];
      }
    });
  }
  const words = error.replaceAll('"', '\\"');
  const line = `ts=$NOW caller=endpointset.go:385 level=warn component=endpointset msg="update of endpoint failed" err="getting metadata: ${words}" address=${address}`;
  for (const pod of query.pods) {
    hub.log(
      pod,
      query.container,
      Array.from({ length: 12 }, (_, index) => [120 - index * 10, line] as const),
    );
  }
}

/** The way from the hub to an address is gone, in these words of a dial. */
export const lostWay = (hub: World, address: string, words: string): void =>
  lostEndpoint(hub, address, DIALING(`${address}: ${words}`));

export function probe(world: World, endpoint: string, answer: Readonly<Record<string, unknown>> | null): void {
  const probes: RawObject[] = parse(world.text('probes.yaml')) ?? [];
  const old = probes.find(entry => entry.endpoint === endpoint);
  const rest = probes.filter(entry => entry.endpoint !== endpoint);
  const next = answer ? [{ endpoint, from: 'here', for: old?.for ?? ['thanos-endpoint'], ...answer }] : [];
  world.write('probes.yaml', stringify([...rest, ...next]));
}

/** Another argument of the Query in place of one that it has. */
export function queryArgument(hub: World, from: RegExp, to: string): string {
  const query = component(hub, 'query');
  let found = '';
  const change = (spec: RawObject) => {
    for (const container of spec.containers) {
      container.args = container.args?.map((argument: string) => {
        if (!from.test(argument)) return argument;
        found = argument;
        return to;
      });
    }
  };
  hub.edit(query.resource, query.name, workload => change(workload.spec.template.spec));
  for (const pod of query.pods) hub.edit('core/v1/pods', pod, object => change(object.spec));
  for (const path of hub.paths()) {
    if (!/thanos-query.*api_v1_status_flags\.json$/.test(path)) continue;
    hub.json(path, ({ data }) => {
      for (const name of Object.keys(data)) {
        if (typeof data[name] === 'string')
          data[name] = data[name].replaceAll(found.replace(/^--[a-z-]+=/, ''), to.replace(/^--[a-z-]+=/, ''));
      }
    });
  }
  return found;
}

/** Entries of the Query of one type are gone: what it looks up gives nothing. */
export function unlisted(hub: World, fits: (entry: RawObject, type: string) => boolean): void {
  for (const path of hub.paths()) {
    if (!/^http\/.*api_v1_stores\.json$/.test(path)) continue;
    hub.json(path, ({ data }) => {
      for (const type of Object.keys(data)) {
        data[type] = data[type].filter((entry: RawObject) => !fits(entry, type));
        if (data[type].length === 0) delete data[type];
      }
    });
  }
}

/** The Query looks a record up every 30 s, and there is none. */
export function noRecord(hub: World, record: string): void {
  const query = component(hub, 'query');
  for (const pod of query.pods) {
    hub.log(
      pod,
      query.container,
      [110, 80, 50, 20].map(
        seconds =>
          [
            seconds,
            `ts=$NOW caller=resolver.go:99 level=error msg="failed to lookup SRV records" host=${record} err="no such host"`,
          ] as const,
      ),
    );
  }
}

export interface Refusal {
  readonly reason: string;
  readonly message: string;
  readonly requested?: string | null;
}

/** A Service waits for its address, as LB-IPAM says it; what announced the old one lets go of it. */
export function addressPending(
  world: World,
  name: string,
  refusal: Refusal | null,
  requested: string | null = null,
): void {
  world.edit('core/v1/services', name, service => {
    service.status.loadBalancer = {};
    if (requested === null) delete service.metadata.annotations?.['lbipam.cilium.io/ips'];
    else service.metadata.annotations = { ...service.metadata.annotations, 'lbipam.cilium.io/ips': requested };
    if (refusal === null) delete service.status.conditions;
    else {
      setCondition(service, {
        type: 'cilium.io/IPAMRequestSatisfied',
        status: 'False',
        lastTransitionTime: ago(world, 150),
        reason: refusal.reason,
        message: refusal.message,
      });
    }
  });
  releaseLease(world, name);
}

const leaseOf = (service: string) => `kube-system/cilium-l2announce-${service.replace('/', '-')}`;

export function releaseLease(world: World, service: string): void {
  world.edit('coordination.k8s.io/v1/leases', leaseOf(service), lease => {
    lease.spec.holderIdentity = '';
    lease.spec.renewTime = `${ago(world, 150).slice(0, -1)}.000000Z`;
  });
}

export function staleLease(world: World, service: string): void {
  world.edit('coordination.k8s.io/v1/leases', leaseOf(service), lease => {
    lease.spec.renewTime = `${ago(world, 200).slice(0, -1)}.000000Z`;
  });
}

export const withoutLease = (world: World, service: string): void =>
  world.list('coordination.k8s.io/v1/leases', leases => leases.filter(lease => nameOf(lease) !== leaseOf(service)));

const POOLS = 'cilium.io/v2/ciliumloadbalancerippools';
export const poolOf = (world: World): RawObject => world.items(POOLS)[0]!;
export const pools = (world: World, change: Parameters<World['list']>[1]): void => world.list(POOLS, change);

export function pool(name: string, created: string, start: string, stop: string, selector?: RawObject): RawObject {
  const condition = (type: string, message: string) => ({
    type: `cilium.io/${type}`,
    status: 'Unknown',
    reason: 'noreason',
    message,
    observedGeneration: 1,
    lastTransitionTime: created,
  });
  return {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumLoadBalancerIPPool',
    metadata: { name, uid: `pool-${name}`, generation: 1, creationTimestamp: created },
    spec: { blocks: [{ start, stop }], disabled: false, ...(selector ? { serviceSelector: selector } : {}) },
    status: {
      conditions: [
        { ...condition('PoolConflict', ''), status: 'False', reason: 'resolved' },
        condition('IPsTotal', '5'),
        condition('IPsAvailable', '5'),
        condition('IPsUsed', '0'),
      ],
    },
  };
}

/** A policy made some minutes ago. */
export function policy(
  world: World,
  kind: 'NetworkPolicy' | 'CiliumNetworkPolicy' | 'CiliumClusterwideNetworkPolicy',
  namespace: string,
  spec: RawObject,
): string {
  const resource = {
    NetworkPolicy: 'networking.k8s.io/v1/networkpolicies',
    CiliumNetworkPolicy: 'cilium.io/v2/ciliumnetworkpolicies',
    CiliumClusterwideNetworkPolicy: 'cilium.io/v2/ciliumclusterwidenetworkpolicies',
  }[kind];
  const clusterwide = kind === 'CiliumClusterwideNetworkPolicy';
  world.list(resource, items => {
    items.push({
      ...(kind === 'NetworkPolicy' ? {} : { apiVersion: 'cilium.io/v2', kind }),
      metadata: {
        name: 'closed',
        uid: 'p-1',
        generation: 1,
        creationTimestamp: ago(world, 150),
        ...(clusterwide ? {} : { namespace }),
      },
      spec,
      ...(kind === 'NetworkPolicy'
        ? {}
        : { status: { conditions: [{ type: 'Valid', status: 'True', message: 'Policy validation succeeded' }] } }),
    });
  });
  return `${kind} ${clusterwide ? '' : `${namespace}/`}closed`;
}

/** Scrapes of these pods' ports get no answer. */
export function scrapesTimeOut(world: World, pods: readonly string[]): void {
  for (const path of world.paths()) {
    if (!/^http\/.*api_v1_targets_state_active\.json$/.test(path)) continue;
    world.json(path, ({ data }) => {
      for (const target of data.activeTargets) {
        if (!pods.includes(`${target.labels.namespace}/${target.labels.pod}`)) continue;
        Object.assign(target, {
          health: 'down',
          lastError: `Get "${target.scrapeUrl}": context deadline exceeded`,
          lastScrapeDuration: 10.0002,
        });
      }
    });
  }
}
