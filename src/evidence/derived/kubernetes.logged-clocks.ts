import type { ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as logsCollector } from '../collectors/logs.signatures.ts';
import { gapElement, gapOf, gapped, gapsIn, groupedBy, known, listOrGap, withUnknownFields } from '../gaps.ts';
import { collector as containersCollector } from './kubernetes.containers.ts';

const ROW = {
  node: 'str',
  /** Seconds that the clock of the node is behind at the least. */
  behind: 'int',
  containerKey: 'str',
  sample: 'str',
  /** Nothing on another node complains as well: then it is the certificate that comes from the future. */
  alone: 'bool',
} as const;

type Row = ShapeOf<typeof ROW>;
type Container = ShapeOf<(typeof containersCollector)['shape']>[number];

/** A certificate is used at once where it has just been issued, by a clock that is a little ahead (seconds). */
const JUST_ISSUED = 300;
/** Those of the stack that speak TLS to others. */
const CLIENTS: ReadonlySet<string> = new Set([
  'prometheus',
  'sidecar',
  'store',
  'compact',
  'query',
  'rule',
  'receive',
  'alertmanager',
  'grafana',
]);

export const collector = derived({
  id: 'kubernetes.logged-clocks',
  about:
    'Nodes on which certificates seem to come from the future, as the logs of their pods say: clocks that are behind.',
  needs: logsCollector.needs,
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const containers = await listOrGap(context.get(containersCollector));
    const clients = known(containers).filter(one => one.state === 'running' && CLIENTS.has(one.needed));
    const said = await Promise.all(clients.map(one => saidBy(one, context)));
    const byNode = groupedBy(known(said.flat()), row => row.node);
    const nodes = new Set(clients.map(one => one.node));
    const gaps = gapsIn([...containers, ...said.flat()]);
    const rows = [...byNode.values()].map(own => {
      const { alone: _, ...worst } = [...own].sort((first, second) => second.behind - first.behind)[0]!;
      const alone = byNode.size === 1 && nodes.size > 1;
      return alone && gaps[0] ? withUnknownFields<Row>(worst, gaps[0], ['alone']) : { ...worst, alone };
    });
    return [...rows, ...gaps.map(gap => gapElement(gap) as Row)];
  },
});

async function saidBy(one: Container, context: Context): Promise<readonly Row[]> {
  const { namespace, name } = one.pod;
  const log = await gapped(context.get(logsCollector, { namespace, pod: name, container: one.container }));
  const gap = gapOf(log);
  if (gap) return [gapElement(gap)];
  return log.hits.flatMap(hit => {
    if (gapOf(hit)) return [hit as never];
    if (hit.id !== 'certificate-not-yet-valid' || !hit.open || hit.previous) return [];
    const behind = behindBy(hit.sample);
    return behind > JUST_ISSUED
      ? [{ node: one.node, behind, containerKey: one.containerKey, sample: hit.sample, alone: false }]
      : [];
  });
}

/** Nobody can use a certificate before it is issued: a clock that says so is behind by the difference. */
function behindBy(sample: string): number {
  const found = /current time (?<now>\S+) is before (?<start>[0-9T:+Z.-]+)/.exec(sample)?.groups;
  return found ? Math.round((Date.parse(found.start!) - Date.parse(found.now!)) / 1000) || 0 : 0;
}
