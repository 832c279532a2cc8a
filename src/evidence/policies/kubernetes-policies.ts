import type { ShapeOf } from '../../model/shape.ts';
import type { RawObject } from '../../model/source.ts';
import { addressOf, blockOf, isIn } from '../addresses.ts';
import type { collector as policiesCollector } from '../collectors/kubernetes.network-policies.ts';
import { labelSelector } from '../label-selectors.ts';
import { list, text, textOrNumber } from '../objects.ts';
import { selectsLabels } from '../selectors.ts';
import {
  type Connection,
  concerned,
  type Direction,
  type Opinion,
  type Peer,
  type PolicyOpinion,
  portMatches,
} from './connection.ts';

type Row = ShapeOf<(typeof policiesCollector)['shape']>[number];
type Match = 'yes' | 'no' | 'unknown';

/**
 * A NetworkPolicy. Under Cilium a block of addresses never means pods (`blocksMeanPods` false): they are known by their
 * labels alone.
 */
export function kubernetesPolicy(row: Row, blocksMeanPods: boolean): PolicyOpinion {
  const selected = new Set(row.selects.map(pod => pod.key));
  const { namespace, name, uid, key, created } = row;
  return {
    kind: 'NetworkPolicy',
    namespace,
    name,
    uid,
    key,
    created,
    of(connection: Connection, direction: Direction): Opinion {
      const pod = concerned(connection, direction);
      const type = direction === 'ingress' ? 'Ingress' : 'Egress';
      if (!pod || !selected.has(pod.key) || !row.types.includes(type)) return 'silent';
      const rules = direction === 'ingress' ? row.ingress : row.egress;
      const other = direction === 'ingress' ? connection.from : connection.to;
      const matches = rules.map((rule: RawObject) =>
        ofPorts(rule?.ports, connection) ? ofPeers(direction === 'ingress' ? rule?.from : rule?.to, other) : 'no',
      );
      if (matches.includes('yes')) return 'allows';
      return matches.includes('unknown') ? 'undecidable' : 'closes';
    },
  };

  /** No peers at all is everybody; one item with both selectors means both, two items mean either. */
  function ofPeers(peers: unknown, other: Peer): Match {
    const items = list(peers);
    if (items.length === 0) return 'yes';
    const matches = items.map(item => ofPeer(item, other));
    return matches.includes('yes') ? 'yes' : matches.includes('unknown') ? 'unknown' : 'no';
  }

  function ofPeer(item: RawObject, other: Peer): Match {
    if (item?.ipBlock) return ofBlock(item.ipBlock, other);
    if (other.is !== 'pod' || other.hostNetwork) return 'no';
    const ofNamespace = item?.namespaceSelector
      ? isSelected(item.namespaceSelector, other.namespaceLabels)
      : other.namespace === namespace;
    const ofPod = item?.podSelector ? isSelected(item.podSelector, other.labels) : true;
    return ofNamespace && ofPod ? 'yes' : 'no';
  }

  function ofBlock(block: RawObject, other: Peer): Match {
    if (other.is === 'pod' && !other.hostNetwork && !blocksMeanPods) return 'no';
    const cidr = text(block.cidr);
    const except = list(block.except).map(text);
    if (other.ip === '') {
      const all = /^(?:0\.0\.0\.0|::)\/0$/.test(cidr);
      return all && except.length === 0 ? 'yes' : 'unknown';
    }
    return inBlock(cidr, other.ip) && !except.some(one => inBlock(one, other.ip)) ? 'yes' : 'no';
  }
}

export function inBlock(cidr: string, ip: string): boolean {
  const range = blockOf(cidr);
  const address = addressOf(ip);
  return range !== undefined && address !== undefined && isIn(address, range);
}

function isSelected(raw: RawObject, labels: Readonly<Record<string, string>>): boolean {
  const selector = labelSelector(raw);
  return selectsLabels(selector.labels, selector.expressions, labels);
}

function ofPorts(ports: unknown, connection: Connection): boolean {
  const rows = list(ports);
  if (rows.length === 0) return true;
  return rows.some(row =>
    portMatches(textOrNumber(row?.port), Number(row?.endPort ?? 0), text(row?.protocol) || 'TCP', connection),
  );
}
