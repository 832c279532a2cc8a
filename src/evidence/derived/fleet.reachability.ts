import { type Gap, GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as serverCollector } from '../collectors/kubernetes.server.ts';
import { gapOf, gapped, gapsIn, known, listOrGap } from '../gaps.ts';
import { collector as answersCollector } from './access.answers.ts';
import { collector as endpointsCollector } from './thanos.query-endpoints.ts';

const WITNESS = {
  hub: 'str',
  name: 'str',
  /** `Endpoint name`, `Address host:port` */
  keys: ['str'],
  state: 'str',
  error: 'str',
  errorKind: 'str',
  failedCheck: 'time',
} as const;

const ROW = {
  name: 'str',
  /** `Cluster name` */
  key: 'str',
  /** Its API server gave an HTTP answer, whatever its status. */
  answered: 'bool',
  /** name, refused, silent, reset or other: how asking it failed. */
  class: 'str',
  words: 'str',
  /** Its API server answered 401 to what it was asked. */
  rejected: 'bool',
  /** Another cluster's API server did answer from here. */
  othersAnswer: 'bool',
  /** Addresses that Queries of other clusters were given and that lead, or must lead, there. */
  witnesses: [WITNESS],
  /**
   * Neither the tool nor the stack reaches it. Not known where its API is out of reach from here and no other cluster can
   * say more, or one of them still sees it.
   */
  gone: 'bool',
} as const;

type Row = ShapeOf<typeof ROW>;
type Witness = ShapeOf<typeof WITNESS>;

export const collector = derived({
  id: 'fleet.reachability',
  about: 'Whether each cluster can be reached: from here, and from the Queries of the other clusters.',
  scope: 'fleet',
  core: true,
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const asked = await Promise.all(
      context.clusters.map(async cluster => ({ cluster, gap: gapOf(await gapped(cluster.get(serverCollector))) })),
    );
    const unread = asked.filter(one => one.gap && !answered(one.cluster, one.gap));
    const endpoints = await endpointsOf(context);
    const answers = new Map<string, ShapeOf<typeof answersCollector.shape>>();
    for (const { cluster, gap } of asked) {
      if (!gap) answers.set(cluster.cluster, await gapped(cluster.get(answersCollector)));
    }
    return asked.map(({ cluster, gap }) => {
      const base = {
        name: cluster.cluster,
        key: `Cluster ${cluster.cluster}`,
        othersAnswer: unread.length < asked.length,
      };
      if (!gap || answered(cluster, gap)) {
        const row = { ...base, answered: true, class: '', words: gap?.detail ?? '', witnesses: [], gone: false };
        return Object.defineProperty(row, 'rejected', {
          enumerable: true,
          get: () => (gap ? gap.reason === 'unauthenticated' : answers.get(cluster.cluster)!.unauthenticated > 0),
        }) as unknown as Row;
      }
      const alone = unread.length === 1;
      const witnesses = known(endpoints).filter(endpoint => leadsTo(endpoint, cluster.cluster, names(context), alone));
      const row = {
        ...base,
        answered: false,
        rejected: false,
        class: classOf(gap),
        words: gap.detail,
        witnesses: witnesses.map(witnessOf),
      };
      return Object.defineProperty(row, 'gone', {
        enumerable: true,
        get: () => isGone(gap, base.othersAnswer, witnesses, endpoints),
      }) as unknown as Row;
    });
  },
});

type Endpoint = ShapeOf<typeof endpointsCollector.shape>[number] & { readonly hub: string };

/** What the Queries of all clusters were given. */
async function endpointsOf(context: Context): Promise<readonly Endpoint[]> {
  const all: Endpoint[] = [];
  for (const cluster of context.clusters) {
    const server = await gapped(cluster.get(serverCollector));
    if (gapOf(server)) continue;
    for (const endpoint of await listOrGap(cluster.get(endpointsCollector))) {
      if (gapOf(endpoint)) all.push(endpoint as never);
      else if (endpoint.of === 'query') {
        const descriptors = {
          ...Object.getOwnPropertyDescriptors(endpoint),
          hub: { value: cluster.cluster, enumerable: true },
        };
        all.push(Object.defineProperties({}, descriptors) as Endpoint);
      }
    }
  }
  return all;
}

function names(context: Context): readonly string[] {
  return context.clusters.map(cluster => cluster.cluster);
}

/** 401, 403, 429, 500 or 503 are answers: then something else is wrong with the cluster, or with our credentials. */
function answered({ source }: Context, gap: Gap): boolean {
  const failure = source.failures().find(one => one.path === gap.path || one.path === '/version');
  if (failure) return failure.status > 0 || isCertificate(gap);
  return isCertificate(gap) || !['unreachable', 'timed-out', 'tls', 'not-found'].includes(gap.reason);
}

/** A server whose certificate is refused is there. */
function isCertificate({ reason, detail }: Gap): boolean {
  return reason === 'tls' && /certificate|x509|CERT_|self[- ]signed|altname/i.test(detail);
}

const CLASSES: readonly (readonly [string, RegExp])[] = [
  ['name', /ENOTFOUND|EAI_AGAIN|no such host|getaddrinfo/i],
  ['refused', /ECONNREFUSED|refused/i],
  ['reset', /ECONNRESET|reset|closed/i],
  ['silent', /no answer|timed? ?out|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|no route/i],
];

function classOf({ detail }: Gap): string {
  return CLASSES.find(([, words]) => words.test(detail))?.[0] ?? 'other';
}

/**
 * An address that no cluster which was read has leads to the cluster whose name its labels carry. One without labels, or
 * with labels that name no cluster, can only lead to the single cluster that was not read.
 */
function leadsTo(endpoint: Endpoint, cluster: string, all: readonly string[], alone: boolean): boolean {
  if (!endpoint.unreadClusters.includes(cluster)) return false;
  let texts: readonly string[] = [];
  try {
    texts = endpoint.labelTexts;
  } catch (error) {
    if (!(error instanceof GapSignal)) throw error;
  }
  const named = all.filter(name => texts.some(text => text.includes(`=${JSON.stringify(name)}`)));
  return named.length > 0 ? named.includes(cluster) : alone;
}

function witnessOf(endpoint: Endpoint): Witness {
  const read = (pick: () => string) => {
    try {
      return pick();
    } catch (error) {
      if (error instanceof GapSignal) return '';
      throw error;
    }
  };
  return {
    hub: endpoint.hub,
    name: endpoint.name,
    keys: [endpoint.key, endpoint.addressKey].filter(key => key !== ''),
    state: read(() => endpoint.state),
    error: read(() => endpoint.error),
    errorKind: read(() => endpoint.errorKind),
    failedCheck: read(() => endpoint.failedCheck),
  };
}

/** Throws the gap of the cluster where there is no second witness, and where one still sees it. */
function isGone(gap: Gap, othersAnswer: boolean, witnesses: readonly Endpoint[], all: readonly Endpoint[]): boolean {
  const noAnswer = ['unreachable', 'timed-out', 'tls', 'truncated'].includes(gap.reason);
  if (!noAnswer || !othersAnswer || witnesses.length === 0) throw new GapSignal(gap);
  const states = witnesses.map(endpoint => endpoint.state);
  if (states.some(state => state !== 'down')) throw new GapSignal(gap);
  const hidden = gapsIn(all)[0];
  if (hidden) throw new GapSignal(hidden);
  return true;
}
