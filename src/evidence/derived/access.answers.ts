import type { Shape, ShapeOf } from '../../model/shape.ts';
import { type Collector, derived } from '../collector.ts';
import { collector as failuresCollector } from '../collectors/access.failures.ts';
import { collector as permissionsCollector } from '../collectors/access.permissions.ts';
import { collector as configMapsCollector } from '../collectors/kubernetes.config-maps.ts';
import { collector as deploymentsCollector } from '../collectors/kubernetes.deployments.ts';
import { collector as eventsCollector } from '../collectors/kubernetes.events.ts';
import { collector as nodesCollector } from '../collectors/kubernetes.nodes.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { collector as serverCollector } from '../collectors/kubernetes.server.ts';
import { collector as servicesCollector } from '../collectors/kubernetes.services.ts';
import { collector as statefulSetsCollector } from '../collectors/kubernetes.stateful-sets.ts';
import { gapOf, gapped, gapsIn, known } from '../gaps.ts';

const SHAPE = {
  /** Reads of the API server itself that were made for this, and how they ended. */
  asked: 'int',
  unauthenticated: 'int',
  throttled: 'int',
  /** 500 or 503 of the API server itself. */
  broken: 'int',
  /** It answered only after its own time limit, or its store did. */
  late: 'int',
  /** `/readyz` was answered, and not with 200. */
  notReady: 'bool',
  notReadyWords: 'str',
  words: ['str'],
  user: 'str',
  /** `list pods in namespace`: what was refused, or is not allowed by any rule. Proxies and Secrets are not counted. */
  denied: ['str'],
  /** Keys of the nodes of the control plane. */
  nodes: ['str'],
} as const;

type Answers = ShapeOf<typeof SHAPE>;
type Failure = ShapeOf<typeof failuresCollector.shape>[number];

/** Lists that every run needs: by their answers the API server is judged. */
const LISTS: readonly Collector<readonly [Shape]>[] = [
  podsCollector,
  nodesCollector,
  servicesCollector,
  deploymentsCollector,
  statefulSetsCollector,
  configMapsCollector,
  eventsCollector,
] as unknown as readonly Collector<readonly [Shape]>[];

export const collector = derived({
  id: 'access.answers',
  about: 'How an API server answered the lists that every run needs, and what the reader may not read.',
  core: true,
  shape: SHAPE,
  async collect(context): Promise<Answers> {
    const server = await context.get(serverCollector);
    const lists = await Promise.all(LISTS.map(list => gapped(context.get(list))));
    const permissions = await gapped(context.get(permissionsCollector));
    const failures = known(await context.get(failuresCollector)).filter(ofTheServer);
    const with_ = (status: number) => failures.filter(failure => failure.status === status);
    const readyz = failures.find(failure => failure.path.startsWith('/readyz') && failure.status >= 500);
    const late = failures.filter(failure => isLate(failure));
    return {
      asked: LISTS.length + failures.filter(failure => failure.kind !== 'objects').length,
      unauthenticated: with_(401).length,
      throttled: with_(429).length,
      broken: failures.filter(
        failure => (failure.status === 500 || failure.status === 503) && !failure.path.startsWith('/readyz'),
      ).length,
      late: late.length,
      notReady: !server.ready && readyz !== undefined,
      notReadyWords: readyz?.message ?? '',
      words: [...new Set(failures.map(failure => failure.message))].slice(0, 5),
      user: userIn(failures),
      denied: deniedIn(failures, gapOf(permissions) ? [] : permissions.denied),
      nodes: nodesOf(lists[1]),
    };
  },
});

/** Answers about objects: not those of a component behind a proxy, of an object store, or of a kubelet asked for a log. */
function ofTheServer({ kind, path, message }: Failure): boolean {
  if (kind === 'logs' && /\/containerLogs\//.test(message)) return false;
  return kind === 'objects' || kind === 'logs' || path.startsWith('/readyz') || path.startsWith('/version');
}

function isLate({ status, message }: Failure): boolean {
  return (
    status === 504 ||
    /unable to return a response in the time allotted|etcdserver: (?:request timed out|leader changed)/.test(message)
  );
}

function userIn(failures: readonly Failure[]): string {
  for (const { message } of failures) {
    const user = /is forbidden: User "([^"]+)" cannot/.exec(message)?.[1];
    if (user) return user;
  }
  return '';
}

type Permissions = ShapeOf<typeof permissionsCollector.shape>;

function deniedIn(failures: readonly Failure[], denied: Permissions['denied']): readonly string[] {
  const refused = failures
    .filter(failure => failure.status === 403 && failure.verb !== '')
    .map(({ verb, resource, message }) => {
      const namespace = /in the namespace "([^"]+)"/.exec(message)?.[1];
      return `${verb} ${resource}${namespace ? ` in ${namespace}` : ''}`;
    });
  const missing = denied
    .filter(right => right.subresource !== 'proxy' && right.resource !== 'secrets')
    .map(
      ({ verb, resource, subresource, namespace }) =>
        `${verb} ${resource}${subresource ? `/${subresource}` : ''} in ${namespace}`,
    );
  return [...new Set([...refused, ...missing])].sort();
}

function nodesOf(list: unknown): readonly string[] {
  if (gapOf(list) || !Array.isArray(list) || gapsIn(list).length > 0) return [];
  return (list as readonly Node[]).filter(isControlPlane).map(node => node.key);
}

type Node = ShapeOf<typeof nodesCollector.shape>[number];

function isControlPlane({ labels }: Node): boolean {
  return 'node-role.kubernetes.io/control-plane' in labels || 'node-role.kubernetes.io/master' in labels;
}
