import { type Gap, GapSignal } from '../../model/gap.ts';
import type { RawObject } from '../../model/source.ts';
import { type Context, fetched } from '../collector.ts';
import { jsonOf } from '../components/ask.ts';
import { collector as scopeCollector } from '../derived/kubernetes.scope.ts';
import { gapOf, gapsIn, known, listOrGap } from '../gaps.ts';
import { collector as nodesCollector } from './kubernetes.nodes.ts';
import { collector as podsCollector } from './kubernetes.pods.ts';

/** What one kubelet says of the disks of its node, or why it is not known. */
export interface NodeStatistics {
  readonly node: string;
  /** The kubelet's `/stats/summary`; null where it is not known. */
  readonly summary: RawObject;
  readonly gap: Gap | undefined;
}

const ID = 'kubernetes.node-statistics';

export const collector = fetched({
  id: ID,
  about: 'What the kubelets of the nodes that carry the monitoring stack say of disks: one answer a node, as it is.',
  needs: [{ verbs: ['get'], group: '', resource: 'nodes/proxy' }],
  shape: [{ node: 'str', summary: 'any', gap: 'any' }],
  async collect(context): Promise<readonly NodeStatistics[]> {
    const nodes = await context.get(nodesCollector);
    const wanted = await nodesOfTheStack(context);
    const asked = await Promise.all(
      known(nodes)
        .filter(node => wanted === undefined || wanted.has(node.name))
        .map(node => ask(context, node.name)),
    );
    return [...asked, ...gapsIn(nodes).map(gap => ({ node: '', summary: null, gap }))];
  },
});

/** Names of the nodes that run something of what is judged; undefined where that is not known: then all are asked. */
async function nodesOfTheStack(context: Context): Promise<ReadonlySet<string> | undefined> {
  const [scope, pods] = await Promise.all([
    listOrGap(context.get(scopeCollector)),
    listOrGap(context.get(podsCollector)),
  ]);
  if ([...scope, ...pods].some(gapOf)) return undefined;
  const namespaces = new Set(scope.map(row => row.namespace));
  return new Set(pods.filter(pod => namespaces.has(pod.namespace)).map(pod => pod.node));
}

async function ask(context: Context, node: string): Promise<NodeStatistics> {
  try {
    const answer = await context.source.http({
      via: 'node',
      namespace: '',
      name: node,
      port: 0,
      path: '/stats/summary',
    });
    return { node, summary: jsonOf(answer), gap: undefined };
  } catch (error) {
    if (error instanceof GapSignal)
      return { node, summary: null, gap: { ...error.gap, evidence: error.gap.evidence || ID } };
    throw error;
  }
}
