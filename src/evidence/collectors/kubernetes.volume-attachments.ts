import type { ShapeOf } from '../../model/shape.ts';
import { listOf } from '../collector.ts';
import { gapOf, gapsIn, known, listOrGap, withUnknownFields } from '../gaps.ts';
import { age, flag, text } from '../objects.ts';
import { collector as nodesCollector } from './kubernetes.nodes.ts';

const listed = listOf({
  id: 'kubernetes.volume-attachments',
  about: 'Attachments of volumes to nodes, as asked of CSI drivers.',
  core: true,
  group: 'storage.k8s.io',
  resource: 'volumeattachments',
  kind: 'VolumeAttachment',
  fields: {
    attacher: 'str',
    node: 'str',
    nodeExists: 'bool',
    /** Name of the PersistentVolume; '' for an inline volume. */
    volume: 'str',
    attached: 'bool',
    error: 'str',
    errorSince: 'time',
    errorAge: 'int',
    detachError: 'str',
    /** The attacher has written something: attached, or an error. */
    answered: 'bool',
  },
  row({ spec, status }, context) {
    const attached = flag(status?.attached);
    const error = text(status?.attachError?.message);
    const errorSince = text(status?.attachError?.time);
    const detachError = text(status?.detachError?.message);
    return {
      attacher: text(spec?.attacher),
      node: text(spec?.nodeName),
      nodeExists: false,
      volume: text(spec?.source?.persistentVolumeName),
      attached,
      error,
      errorSince,
      errorAge: age(context, errorSince),
      detachError,
      answered: attached || error !== '' || detachError !== '',
    };
  },
});

type Attachment = ShapeOf<typeof listed.shape>[number];

export const collector = {
  ...listed,
  needs: [...listed.needs, ...nodesCollector.needs],
  async collect(context: Parameters<typeof listed.collect>[0]): Promise<readonly Attachment[]> {
    const [rows, nodes] = await Promise.all([listed.collect(context), listOrGap(context.get(nodesCollector))]);
    const names = new Set(known(nodes).map(node => node.name));
    const gap = gapsIn(nodes)[0];
    return rows.map(row => {
      if (gapOf(row)) return row;
      const nodeExists = names.has(row.node);
      return gap && !nodeExists ? withUnknownFields<Attachment>(row, gap, ['nodeExists']) : { ...row, nodeExists };
    });
  },
};
