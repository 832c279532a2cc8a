import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as servicesCollector } from '../collectors/kubernetes.services.ts';
import { collector as logsCollector } from '../collectors/logs.signatures.ts';
import { gapElement, gapOf, gapped, gapsIn, known, listOrGap, mapKnown, orGap } from '../gaps.ts';
import { isClusterName, nameIn } from '../lookups.ts';
import { REF } from '../objects.ts';
import { collector as componentsCollector } from './thanos.components.ts';

const ROW = {
  pod: REF,
  container: 'str',
  containerKey: 'str',
  workload: REF,
  component: 'str',
  /** What was asked for; '' where the line does not say. */
  name: 'str',
  /** unanswered: the server is silent or answers with a failure. missing: it says that there is no such name. */
  kind: 'str',
  /** A name of the cluster itself, as against one of the world outside. */
  ofCluster: 'bool',
  open: 'bool',
  first: 'time',
  last: 'time',
  lastAge: 'int',
  count: 'int',
  /** Signature. */
  id: 'str',
  sample: 'str',
} as const;

type Row = ShapeOf<typeof ROW>;
type Hit = ShapeOf<(typeof logsCollector)['shape']>['hits'][number];

const UNANSWERED: ReadonlySet<string> = new Set([
  'name-server-fails',
  'name-server-silent',
  'query-dns-unanswered',
  's3-dns-servfail',
  's3-dns-timeout',
]);
const ASKING: ReadonlySet<string> = new Set([
  'query',
  'query-frontend',
  'rule',
  'store',
  'compact',
  'sidecar',
  'receive',
  'prometheus',
  'alertmanager',
  'grafana',
]);

export const collector = derived({
  id: 'network.lookup-failures',
  about:
    'Names that the components of the stack could not look up, as their logs say it: one row a container and name.',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const [components, services] = await Promise.all([
      context.get(componentsCollector),
      listOrGap(context.get(servicesCollector)),
    ]);
    const asking = known(components).filter(one => ASKING.has(one.component) && one.containerKey !== '');
    const names = known(services).map(({ namespace, name }) => ({ namespace, name }));
    const rows: Row[] = [];
    for (const one of asking) {
      const { namespace, name } = one.pod;
      const log = await gapped(context.get(logsCollector, { namespace, pod: name, container: one.container }));
      const gap = gapOf(log);
      if (gap) {
        rows.push(gapElement(gap));
        continue;
      }
      const hits = mapKnown(log.hits, hit => hit).filter(hit => orGap(() => kindOf(hit)) !== '');
      for (const hit of hits) {
        const unread = gapOf(hit);
        if (unread) rows.push(gapElement(unread));
        else {
          const asked = hit.captured.name || hit.captured.host || nameIn(hit.sample);
          rows.push({
            pod: one.pod,
            container: one.container,
            containerKey: one.containerKey,
            workload: one.workload,
            component: one.component,
            name: asked,
            kind: kindOf(hit),
            ofCluster: isClusterName(asked, one.pod.namespace, names),
            open: hit.open,
            first: hit.first,
            last: hit.last,
            lastAge: hit.lastAge,
            count: hit.count,
            id: hit.id,
            sample: hit.sample,
          });
        }
      }
    }
    return [...rows, ...gapsIn(components).map(gapElement)];
  },
});

function kindOf(hit: Hit): string {
  if (UNANSWERED.has(hit.id)) return 'unanswered';
  return hit.sample.includes('no such host') || hit.sample.includes('NXDOMAIN') ? 'missing' : '';
}
