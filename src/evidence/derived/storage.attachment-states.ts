import { GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as volumesCollector } from '../collectors/kubernetes.persistent-volumes.ts';
import { collector as attachmentsCollector } from '../collectors/kubernetes.volume-attachments.ts';
import { findKnown, known, listOrGap, mapKnown, orGap, withUnknownFields } from '../gaps.ts';
import { NOBODY, REF } from '../objects.ts';
import { collector as chainsCollector } from './storage.chains.ts';

const ROW = {
  key: 'str',
  name: 'str',
  attacher: 'str',
  volume: 'str',
  node: 'str',
  attached: 'bool',
  age: 'int',
  created: 'time',
  deletingAge: 'int',
  detachError: 'str',
  /** '', no-node, no-volume, deleting, or unused where it is attached and its claim is wanted on another node. */
  remains: 'str',
  claim: REF,
  waitingPods: [REF],
  waitingWorkloads: [REF],
} as const;

type Row = ShapeOf<typeof ROW>;
type Attachment = ShapeOf<typeof attachmentsCollector.shape>[number];

/** A deletion that lasts longer does not end by itself (seconds). */
const DELETION = 300;
/** Kubernetes takes a volume from a lost node after this time (seconds). */
const FORCED_DETACH = 360;

export const collector = derived({
  id: 'storage.attachment-states',
  about:
    'Each VolumeAttachment, and whether it is left over: of a node or volume that is gone, or where nobody uses it.',
  core: true,
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const attachments = await context.get(attachmentsCollector);
    const [volumes, chains] = await Promise.all([
      listOrGap(context.get(volumesCollector)),
      listOrGap(context.get(chainsCollector)),
    ]);
    return mapKnown(attachments, attachment => {
      const chain = known(chains).find(one => one.volume !== '' && one.volume === attachment.volume);
      const row = {
        key: attachment.key,
        name: attachment.name,
        attacher: attachment.attacher,
        volume: attachment.volume,
        node: attachment.node,
        attached: attachment.attached,
        age: attachment.age,
        created: attachment.created,
        deletingAge: attachment.deletingAge,
        detachError: attachment.detachError,
        claim: chain?.claim ?? NOBODY,
        waitingPods: chain?.waitingPods ?? [],
        waitingWorkloads: chain?.waitingWorkloads ?? [],
      };
      try {
        return { ...row, remains: remains(attachment) };
      } catch (error) {
        if (!(error instanceof GapSignal)) throw error;
        return withUnknownFields<Row>(row, error.gap, ['remains']);
      }
    });

    function remains(attachment: Attachment): string {
      const { volume, name } = attachment;
      if (attachment.deletingAge > DELETION) return 'deleting';
      const nodeExists = orGap(() => attachment.nodeExists);
      if (nodeExists === false) return 'no-node';
      if (volume !== '' && findKnown(volumes, one => one.name === volume) === undefined) return 'no-volume';
      const chain = volume === '' ? undefined : findKnown(chains, one => one.volume === volume);
      const here = chain && known(chain.elsewhere).find(one => one.name === name);
      const unused = here?.attached && here.pods.length === 0 && chain!.waitingFor > FORCED_DETACH;
      if (unused) return 'unused';
      return attachment.nodeExists ? '' : 'no-node';
    }
  },
});
