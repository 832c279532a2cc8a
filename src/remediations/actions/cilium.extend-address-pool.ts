import type { Action } from '../../model/remediation.ts';
import type { RawObject } from '../../model/source.ts';
import { addressOf, blockOf, inWordsOf, rangeOf } from '../address-range.ts';
import { recordOf, rowsOf } from '../evidence-rows.ts';
import { guard } from '../guards.ts';
import { asFarAsCompared } from '../looked-at.ts';
import { Refusal } from '../refusal.ts';
import { changeStep, existing } from '../steps.ts';
import { targetOf } from '../targets.ts';
import { undoStepsOf } from '../undo.ts';

const PORTS = [22, 80, 443, 10901];
/** Of a large range, its ends and some between are asked. */
const ASKED = 16;

export const action: Action = {
  id: 'cilium.extend-address-pool',
  title: 'add addresses to the pool',
  risk: 'change',
  parameters: { pool: 'needed' },
  access: [
    { verbs: ['get', 'list', 'patch'], group: 'cilium.io', resource: 'ciliumloadbalancerippools' },
    { verbs: ['list'], group: '', resource: 'services' },
    { verbs: ['list'], group: '', resource: 'nodes' },
  ],
  async plan(input) {
    const name = (input.parameters.pool ?? '').replace(/^CiliumLoadBalancerIPPool /, '');
    const target = targetOf('CiliumLoadBalancerIPPool', '', name);
    const pool = await existing(input.api, target);
    if (!input.wishes.range)
      throw new Refusal('range-given-by-hand', 'which addresses are free only you know: --range FIRST-LAST');
    const { start, stop, from, to } = rangeOf(input.wishes.range);
    const blocks: readonly RawObject[] = pool.spec?.blocks ?? [];
    const steps = [
      changeStep(target, pool, `add ${start} to ${stop} to pool ${name}`, [
        [['spec', 'blocks', blocks.length], { start, stop }],
      ]),
    ];
    const inside = (address: number | undefined) => address !== undefined && address >= from && address <= to;
    return {
      steps,
      guards: [
        await guard('same-network-as-nodes', 'it lies in the network of the nodes', async () => {
          const nodes = await input.api.list('', 'nodes', '');
          const addresses = nodes
            .flatMap(node => node.status?.addresses ?? [])
            .filter(({ type }) => type === 'InternalIP');
          const networks = new Set(addresses.map(({ address }) => Math.floor((addressOf(address) ?? 0) / 256)));
          return (
            (networks.has(Math.floor(from / 256)) && networks.has(Math.floor(to / 256))) ||
            'it lies in no /24 in which a node has its address'
          );
        }),
        await guard(
          'free-in-all-clusters',
          `no pool, node or Service of the fleet has any of it${asFarAsCompared(input.lookedAt)}`,
          async () => {
            for (const other of await input.api.list('cilium.io', 'ciliumloadbalancerippools', '')) {
              const block = (other.spec?.blocks ?? [])
                .map(blockOf)
                .find((entry: readonly [number, number] | undefined) => entry && entry[0] <= to && entry[1] >= from);
              if (block) return `pool ${other.metadata.name} has ${inWordsOf(block[0])} to ${inWordsOf(block[1])}`;
            }
            for (const node of await input.api.list('', 'nodes', '')) {
              const taken = (node.status?.addresses ?? []).find(({ address }: { address: string }) =>
                inside(addressOf(address)),
              );
              if (taken) return `${taken.address} is node ${node.metadata.name}`;
            }
            for (const service of await input.api.list('', 'services', '')) {
              const taken = (service.status?.loadBalancer?.ingress ?? []).find(({ ip = '' }: { ip?: string }) =>
                inside(addressOf(ip)),
              );
              if (taken) return `${taken.ip} is Service ${service.metadata.namespace}/${service.metadata.name}`;
            }
            for (const row of await rowsOf(input.fleet, 'cilium.pools')) {
              if (row.cluster === input.finding.cluster) continue;
              const block = (row.blocks as readonly { first: string; last: string }[])
                .map(({ first, last }) => blockOf({ start: first, stop: last }))
                .find((entry: readonly [number, number] | undefined) => entry && entry[0] <= to && entry[1] >= from);
              if (block)
                return `pool ${row.name} of cluster ${row.cluster} has ${inWordsOf(block[0])} to ${inWordsOf(block[1])}`;
            }
            const { cluster } = input.finding;
            const isFar = (row: RawObject) => row.cluster !== cluster;
            const isTaken = (address: string) => inside(addressOf(address));
            for (const { name, addresses, cluster: far } of (await rowsOf(input.fleet, 'kubernetes.nodes')).filter(
              isFar,
            )) {
              const taken = addresses.find(isTaken);
              if (taken) return `${taken} is node ${name} of cluster ${far}`;
            }
            for (const row of (await rowsOf(input.fleet, 'kubernetes.services')).filter(isFar)) {
              const taken = row.externalIps.find(isTaken);
              if (taken) return `${taken} is Service ${row.namespace}/${row.name} of cluster ${row.cluster}`;
            }
            return true;
          },
        ),
        await guard('nobody-answers', 'nothing answers there', async () => {
          const step = Math.max(1, Math.ceil((to - from + 1) / ASKED));
          for (let address = from; address <= to; address = address === to ? to + 1 : Math.min(to, address + step)) {
            for (const port of PORTS) {
              const endpoint = `${inWordsOf(address)}:${port}`;
              const probe = await recordOf(input.evidence, 'network.probe', { endpoint });
              if (probe.tcp === 'open' || probe.tcp === 'refused') return `something answers at ${endpoint}`;
            }
          }
          return true;
        }),
        await guard('pool-not-in-conflict', 'the pool is in no conflict', () => {
          const conflict = (pool.status?.conditions ?? []).find(
            (condition: RawObject) => /Conflict/.test(condition.type) && condition.status === 'True',
          );
          return conflict ? conflict.message || 'it is in conflict with another' : true;
        }),
        await guard(
          'pool-enabled',
          'the pool is in use',
          () => pool.spec?.disabled !== true || 'the pool is switched off',
        ),
      ],
      riskText: 'an address that something else has would answer twice',
      verify: { what: `${input.finding.rule} is healthy`, seconds: 60 },
      undo: {
        what: 'takes the block away again, as long as no Service has an address of it',
        steps: undoStepsOf(steps),
      },
    };
  },
};
