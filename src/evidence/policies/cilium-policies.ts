import type { ShapeOf } from '../../model/shape.ts';
import type { RawObject } from '../../model/source.ts';
import { ciliumLabels, ciliumSelector, nodeOnly } from '../cilium-selectors.ts';
import type { collector as policiesCollector } from '../collectors/cilium.network-policies.ts';
import { list, text, textOrNumber } from '../objects.ts';
import {
  type Connection,
  concerned,
  type Direction,
  type Opinion,
  type Peer,
  type PodPeer,
  type PolicyOpinion,
  portMatches,
} from './connection.ts';
import { inBlock } from './kubernetes-policies.ts';

type Row = ShapeOf<(typeof policiesCollector)['shape']>[number];
type Match = 'yes' | 'no' | 'unknown';

/** A CiliumNetworkPolicy, of a namespace or of the whole cluster. One that is not valid is not enforced. */
export function ciliumPolicy(row: Row): PolicyOpinion {
  const { kind, namespace, name, uid, key, created } = row;
  return { kind, namespace, name, uid, key, created, of };

  function of(connection: Connection, direction: Direction): Opinion {
    const pod = concerned(connection, direction);
    if (!pod || row.valid === 'False' || (!row.clusterWide && pod.namespace !== namespace)) return 'silent';
    const opinions = row.specs.map((spec: RawObject) => ofSpec(spec, pod, connection, direction));
    for (const opinion of ['denies', 'allows', 'undecidable', 'closes'] as const) {
      if (opinions.includes(opinion)) return opinion;
    }
    return 'silent';
  }

  function ofSpec(spec: RawObject, pod: PodPeer, connection: Connection, direction: Direction): Opinion {
    if (nodeOnly(spec)) return 'silent';
    const labels = ciliumLabels(pod, pod.namespaceLabels);
    if (!ciliumSelector(spec?.endpointSelector, namespace).selects(labels)) return 'silent';
    const rules = list(spec?.[direction]);
    const denials = list(spec?.[`${direction}Deny`]);
    if (rules.length === 0 && denials.length === 0) return 'silent';
    const other = direction === 'ingress' ? connection.from : connection.to;
    const denied = denials.map(rule => ofRule(rule, other, connection, direction));
    if (denied.includes('yes')) return 'denies';
    const allowed = rules.map(rule => ofRule(rule, other, connection, direction));
    if (allowed.includes('yes')) return denied.includes('unknown') ? 'undecidable' : 'allows';
    if (allowed.includes('unknown') || denied.includes('unknown')) return 'undecidable';
    const closes = spec?.enableDefaultDeny?.[direction];
    return closes === false ? 'silent' : 'closes';
  }

  function ofRule(rule: RawObject, other: Peer, connection: Connection, direction: Direction): Match {
    const peers = ofPeers(rule, other, direction);
    if (peers === 'no') return 'no';
    const ports = ofPorts(rule?.toPorts, connection);
    if (ports === 'no') return 'no';
    return peers === 'unknown' || ports === 'unknown' ? 'unknown' : 'yes';
  }

  /** An empty rule matches nobody; one with ports alone matches everybody. Several kinds of peers are alternatives. */
  function ofPeers(rule: RawObject, other: Peer, direction: Direction): Match {
    const word = direction === 'ingress' ? 'from' : 'to';
    const named = Object.keys(rule ?? {}).filter(field => field.startsWith(word) && field !== 'toPorts');
    if (named.length === 0) return rule?.toPorts || rule?.icmps ? (rule.toPorts ? 'yes' : 'no') : 'no';
    if (rule[`${word}Requires`]) return 'unknown';
    const matches = named.map(field => ofField(field.slice(word.length), rule[field], other));
    return matches.includes('yes') ? 'yes' : matches.includes('unknown') ? 'unknown' : 'no';
  }

  function ofField(field: string, value: unknown, other: Peer): Match {
    switch (field) {
      case 'Endpoints':
        if (other.is !== 'pod' || other.hostNetwork) return 'no';
        return list(value).some(raw =>
          ciliumSelector(raw, namespace).selects(ciliumLabels(other, other.namespaceLabels)),
        )
          ? 'yes'
          : 'no';
      case 'Entities':
        return ofEntities(list(value).map(text), other);
      case 'CIDR':
        return ofBlocks(
          list(value).map(cidr => ({ cidr: text(cidr), except: [] })),
          other,
        );
      case 'CIDRSet':
        return ofBlocks(
          list(value).map(one => ({ cidr: text(one?.cidr), except: list(one?.except).map(text) })),
          other,
        );
      case 'FQDNs':
        return other.is === 'world' ? ofNames(list(value), other.name) : 'no';
      default:
        return 'unknown';
    }
  }
}

function ofEntities(entities: readonly string[], other: Peer): Match {
  if (entities.includes('all')) return 'yes';
  if (other.is === 'world') return entities.some(one => one === 'world' || one.startsWith('world-')) ? 'yes' : 'no';
  if (entities.includes('cluster')) return 'yes';
  if (!other.hostNetwork) return 'no';
  return entities.some(one => one === 'host' || one === 'remote-node') ? 'yes' : 'unknown';
}

interface Block {
  readonly cidr: string;
  readonly except: readonly string[];
}

/** Pods are known by their labels: a block of addresses never means them. */
function ofBlocks(blocks: readonly Block[], other: Peer): Match {
  if (other.is === 'pod') return other.hostNetwork ? 'unknown' : 'no';
  const matches = blocks.map(({ cidr, except }): Match => {
    if (other.ip === '') return /^(?:0\.0\.0\.0|::)\/0$/.test(cidr) && except.length === 0 ? 'yes' : 'unknown';
    return inBlock(cidr, other.ip) && !except.some(one => inBlock(one, other.ip)) ? 'yes' : 'no';
  });
  return matches.includes('yes') ? 'yes' : matches.includes('unknown') ? 'unknown' : 'no';
}

function ofNames(names: readonly RawObject[], asked: string): Match {
  if (asked === '') return 'unknown';
  const matched = names.some(one => {
    const pattern = text(one?.matchPattern);
    if (pattern === '') return text(one?.matchName) === asked;
    const expression = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[a-z0-9-]*');
    return new RegExp(`^${expression}$`).test(asked);
  });
  return matched ? 'yes' : 'no';
}

/** Rules of the application layer look into requests: whether they let one through cannot be said here. */
function ofPorts(toPorts: unknown, connection: Connection): Match {
  const rows = list(toPorts);
  if (rows.length === 0) return 'yes';
  const matching = rows.filter(row => {
    const ports = list(row?.ports);
    return (
      ports.length === 0 ||
      ports.some(one =>
        portMatches(textOrNumber(one?.port), Number(one?.endPort ?? 0), text(one?.protocol), connection),
      )
    );
  });
  if (matching.length === 0) return 'no';
  const looksInside = (row: RawObject) => row?.rules !== undefined && !isDnsOfEverything(row.rules);
  return matching.some(row => !looksInside(row)) ? 'yes' : 'unknown';
}

/** The usual rule by which Cilium learns names: it lets every question through. */
function isDnsOfEverything(rules: RawObject): boolean {
  return list(rules?.dns).some(one => one?.matchPattern === '*');
}
