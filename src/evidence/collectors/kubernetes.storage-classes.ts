import type { ShapeOf } from '../../model/shape.ts';
import { listOf } from '../collector.ts';
import { gapOf, gapsIn, known, listOrGap, withUnknownFields } from '../gaps.ts';
import { flag, strings, text } from '../objects.ts';
import { collector as driversCollector } from './kubernetes.csi-drivers.ts';
import { collector as csiNodesCollector } from './kubernetes.csi-nodes.ts';

const DEFAULT = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'];

const listed = listOf({
  id: 'kubernetes.storage-classes',
  about: 'Storage classes, and which of them is the default.',
  core: true,
  group: 'storage.k8s.io',
  resource: 'storageclasses',
  kind: 'StorageClass',
  fields: {
    provisioner: 'str',
    default: 'bool',
    /** Immediate or WaitForFirstConsumer */
    binding: 'str',
    reclaim: 'str',
    expandable: 'bool',
    parameters: 'map',
    /** Built in, or a CSI driver that the cluster or one of its nodes knows. */
    provisionerKnown: 'bool',
  },
  row(object) {
    return {
      provisioner: text(object.provisioner),
      default: DEFAULT.some(name => object.metadata.annotations?.[name] === 'true'),
      binding: text(object.volumeBindingMode) || 'Immediate',
      reclaim: text(object.reclaimPolicy) || 'Delete',
      expandable: flag(object.allowVolumeExpansion),
      parameters: strings(object.parameters),
      provisionerKnown: false,
    };
  },
});

type StorageClass = ShapeOf<typeof listed.shape>[number];

export const collector = {
  ...listed,
  needs: [...listed.needs, ...driversCollector.needs, ...csiNodesCollector.needs],
  async collect(context: Parameters<typeof listed.collect>[0]): Promise<readonly StorageClass[]> {
    const [classes, drivers, nodes] = await Promise.all([
      listed.collect(context),
      listOrGap(context.get(driversCollector)),
      listOrGap(context.get(csiNodesCollector)),
    ]);
    const names = new Set([
      ...known(drivers).map(driver => driver.name),
      ...known(nodes).flatMap(node => node.drivers.map(driver => driver.name)),
    ]);
    const gap = gapsIn([...drivers, ...nodes])[0];
    return classes.map(row => {
      if (gapOf(row)) return row;
      const provisionerKnown = row.provisioner.startsWith('kubernetes.io/') || names.has(row.provisioner);
      return gap && !provisionerKnown
        ? withUnknownFields<StorageClass>(row, gap, ['provisionerKnown'])
        : { ...row, provisionerKnown };
    });
  },
};
