import type { ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as serverCollector } from '../collectors/kubernetes.server.ts';
import { gapOf, gapped, known, listOrGap, withUnknownFields } from '../gaps.ts';
import { collector as componentsCollector } from './thanos.components.ts';
import { collector as endpointsCollector } from './thanos.query-endpoints.ts';

const ROW = {
  name: 'str',
  /** `Cluster name` */
  key: 'str',
  /** hub: its Query was given addresses, and no other Query lists it. edge: it has sidecars and no such Query. */
  role: 'str',
  /** discovered or file */
  roleBy: 'str',
  reachable: 'bool',
  /** Why it could not be read; '' if it was. */
  gap: 'str',
  gapReason: 'str',
  hasQuery: 'bool',
  hasPrometheus: 'bool',
  hasSidecar: 'bool',
  takenAt: 'time',
} as const;

type Row = ShapeOf<typeof ROW>;

export const collector = derived({
  id: 'fleet.clusters',
  about: 'The clusters of this run, their role, and whether they answered.',
  scope: 'fleet',
  core: true,
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const leaves = await leafQueries(context);
    return Promise.all(context.clusters.map(cluster => rowOf(cluster, leaves)));
  },
});

async function rowOf(context: Context, leaves: ReadonlySet<string>): Promise<Row> {
  const stated = context.expectations.clusters.find(cluster => cluster.name === context.cluster)?.role;
  const hint = stated || context.source.roleHint;
  const server = await gapped(context.get(serverCollector));
  const serverGap = gapOf(server);
  const base = {
    name: context.cluster,
    key: `Cluster ${context.cluster}`,
    reachable: serverGap === undefined,
    gap: serverGap?.detail ?? '',
    gapReason: serverGap?.reason ?? '',
    takenAt: context.source.takenAt(),
  };
  const components = await gapped(context.get(componentsCollector));
  const gap = gapOf(components);
  if (gap) {
    const role = { role: hint, roleBy: hint === '' ? '' : 'file' };
    return withUnknownFields<Row>({ ...base, ...role }, gap, ['hasQuery', 'hasPrometheus', 'hasSidecar']);
  }
  const all = known(components);
  const hasSidecar = all.some(component => component.component === 'sidecar');
  const queries = all.filter(component => component.component === 'query');
  const roots = queries.filter(
    query =>
      query.args.some(({ flag, value }) => GIVES_ENDPOINTS.has(flag) && value !== '') &&
      !leaves.has(`${query.subject.key} @${context.cluster}`),
  );
  const discovered = roots.length > 0 ? 'hub' : hasSidecar ? 'edge' : '';
  // Two clusters that both look like a hub are told apart by whoever wrote the fleet file.
  const role = hint !== '' && (discovered === '' || discovered === 'hub') ? hint : discovered;
  return {
    ...base,
    role,
    roleBy: role === discovered ? 'discovered' : 'file',
    hasQuery: queries.length > 0,
    hasPrometheus: all.some(component => component.component === 'prometheus'),
    hasSidecar,
  };
}

const GIVES_ENDPOINTS: ReadonlySet<string> = new Set([
  '--endpoint',
  '--endpoint-strict',
  '--endpoint-group',
  '--store',
  '--store-strict',
  '--store.sd-files',
  '--endpoint.sd-config',
  '--endpoint.sd-config-file',
]);

/** Queries that another Query asks: keys with their cluster. */
async function leafQueries(context: Context): Promise<ReadonlySet<string>> {
  const leaves = new Set<string>();
  for (const cluster of context.clusters) {
    for (const endpoint of known(await listOrGap(cluster.get(endpointsCollector)))) {
      if (endpoint.of !== 'query' || endpoint.component !== 'query') continue;
      const self = `${endpoint.query.key} @${cluster.cluster}`;
      for (const object of endpoint.objects) if (object !== self) leaves.add(object);
    }
  }
  return leaves;
}
