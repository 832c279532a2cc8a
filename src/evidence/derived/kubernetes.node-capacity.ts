import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as nodesCollector } from '../collectors/kubernetes.nodes.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { gapsIn, known, listOrGap, mapKnown, withUnknownFields } from '../gaps.ts';
import { REF, ref } from '../objects.ts';
import { requestsOf } from '../requests.ts';

const AMOUNT = { cpu: 'int', memory: 'int', pods: 'int' } as const;

const ROW = {
  node: 'str',
  allocatable: AMOUNT,
  free: AMOUNT,
  requested: AMOUNT,
  /** The five pods with the largest requests of memory. */
  largest: [{ pod: REF, cpu: 'int', memory: 'int' }],
  /** Sum of the memory limits, in bytes. */
  limitsMemory: 'int',
} as const;

type Capacity = ShapeOf<typeof ROW>;

export const collector = derived({
  id: 'kubernetes.node-capacity',
  about: 'What is left on a node for requests; finished pods do not count.',
  core: true,
  shape: [ROW],
  async collect(context) {
    const [nodes, pods] = await Promise.all([context.get(nodesCollector), listOrGap(context.get(podsCollector))]);
    const [gap] = gapsIn(pods);
    const placed = known(pods)
      .filter(pod => pod.node !== '' && pod.phase !== 'Succeeded' && pod.phase !== 'Failed')
      .map(pod => ({
        node: pod.node,
        pod: ref('Pod', pod.namespace, pod.name, pod.uid),
        limit: pod.containers.reduce((sum, one) => sum + (one.kind === 'init' ? 0 : one.limits.memory), 0),
        ...requestsOf(pod),
      }));
    return mapKnown(nodes, ({ name, allocatable }) => {
      const here = placed.filter(pod => pod.node === name);
      const requested = {
        cpu: here.reduce((sum, pod) => sum + pod.cpu, 0),
        memory: here.reduce((sum, pod) => sum + pod.memory, 0),
        pods: here.length,
      };
      const row: Capacity = {
        node: name,
        allocatable: { cpu: allocatable.cpu, memory: allocatable.memory, pods: allocatable.pods },
        free: {
          cpu: allocatable.cpu - requested.cpu,
          memory: allocatable.memory - requested.memory,
          pods: allocatable.pods - requested.pods,
        },
        requested,
        largest: [...here]
          .sort((first, second) => second.memory - first.memory || (first.pod.key < second.pod.key ? -1 : 1))
          .slice(0, 5)
          .map(({ pod, cpu, memory }) => ({ pod, cpu, memory })),
        limitsMemory: here.reduce((sum, pod) => sum + pod.limit, 0),
      };
      if (!gap) return row;
      const sums = ['free', 'requested', 'largest', 'limitsMemory'] as const;
      return withUnknownFields<Capacity>({ node: row.node, allocatable: row.allocatable }, gap, sums);
    });
  },
});
