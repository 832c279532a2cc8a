import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as driversCollector } from '../collectors/kubernetes.csi-drivers.ts';
import { collector as csiNodesCollector } from '../collectors/kubernetes.csi-nodes.ts';
import { collector as daemonSetsCollector } from '../collectors/kubernetes.daemon-sets.ts';
import { collector as nodesCollector } from '../collectors/kubernetes.nodes.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { findKnown, known, listOrGap, mapKnown, orGap } from '../gaps.ts';
import { NOBODY, REF, ref } from '../objects.ts';
import { isLonghornPlugin } from '../system-components.ts';
import { collector as chainsCollector, LONGHORN } from './storage.chains.ts';

const ROW = {
  node: 'str',
  key: 'str',
  nodeReady: 'bool',
  nodeReadyAge: 'int',
  drivers: ['str'],
  registered: 'bool',
  /** The plugin's DaemonSet wants a pod there, or a volume is wanted there. */
  expected: 'bool',
  plugin: REF,
  pluginWorkload: REF,
  pluginReady: 'bool',
  pluginReason: 'str',
  /** Claims that pods on this node wait for, and these pods and their workloads. */
  claims: [REF],
  waitingPods: [REF],
  waitingWorkloads: [REF],
} as const;

type Row = ShapeOf<typeof ROW>;

export const collector = derived({
  id: 'longhorn.driver-nodes',
  about: "Whether Longhorn's CSI driver is registered on each node. Empty where the cluster does not know the driver.",
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const [drivers, nodes] = await Promise.all([context.get(driversCollector), context.get(nodesCollector)]);
    if (!findKnown(drivers, one => one.name === LONGHORN)) return [];
    const [csiNodes, daemonSets, pods, chains] = await Promise.all([
      context.get(csiNodesCollector),
      listOrGap(context.get(daemonSetsCollector)),
      listOrGap(context.get(podsCollector)),
      listOrGap(context.get(chainsCollector)),
    ]);
    return mapKnown(nodes, node => {
      const names = findKnown(csiNodes, one => one.name === node.name)?.drivers.map(one => one.name) ?? [];
      const set = findKnown(daemonSets, isLonghornPlugin);
      const plugin = set && findKnown(pods, pod => pod.workload.key === set.key && pod.node === node.name);
      const waiting = known(chains).filter(one => isWaitingOn(one, node.name));
      const everywhere = set !== undefined && set.desired >= known(nodes).length;
      return {
        node: node.name,
        key: node.key,
        nodeReady: node.ready === 'True',
        nodeReadyAge: node.readyAge,
        drivers: names,
        registered: names.includes(LONGHORN),
        expected: plugin !== undefined || everywhere || waiting.length > 0,
        plugin: plugin ? ref('Pod', plugin.namespace, plugin.name, plugin.uid) : NOBODY,
        pluginWorkload: set ? ref('DaemonSet', set.namespace, set.name, set.uid) : NOBODY,
        pluginReady: plugin?.ready ?? false,
        pluginReason: plugin?.containers.find(one => one.reason !== '')?.reason ?? plugin?.reason ?? '',
        claims: waiting.map(one => one.claim),
        waitingPods: waiting.flatMap(one => one.waitingPods),
        waitingWorkloads: waiting.flatMap(one => one.waitingWorkloads),
      };
    });
  },
});

type Chain = ShapeOf<typeof chainsCollector.shape>[number];

function isWaitingOn(chain: Chain, node: string): boolean {
  const isOurs = orGap(() => chain.driver === LONGHORN);
  return isOurs === true && chain.node === node && chain.waitingPods.length > 0;
}
