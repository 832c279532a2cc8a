import type { RawObject } from '../../model/source.ts';
import { listOf } from '../collector.ts';
import { age, flag, list, text } from '../objects.ts';

export const collector = listOf({
  id: 'longhorn.volume-attachments',
  about: "Longhorn's own attachments: who wants a volume attached where.",
  group: 'longhorn.io',
  resource: 'volumeattachments',
  kind: 'VolumeAttachment',
  fields: {
    volume: 'str',
    /** `type` is csi-attacher, longhorn-api (by hand), backup-controller, snapshot-controller, …; `age` since the last change. */
    tickets: [{ id: 'str', type: 'str', node: 'str', satisfied: 'bool', message: 'str', age: 'int' }],
  },
  row({ metadata, spec, status }, context) {
    const tickets = Object.entries<RawObject>(spec?.attachmentTickets ?? {});
    return {
      volume: text(spec?.volume) || text(metadata.name),
      tickets: tickets.map(([id, ticket]) => {
        const answer = status?.attachmentTicketStatuses?.[id];
        const condition = list(answer?.conditions).find(one => text(one?.type) === 'Satisfied');
        return {
          id,
          type: text(ticket?.type),
          node: text(ticket?.nodeID),
          satisfied: flag(answer?.satisfied),
          message: text(condition?.message),
          age: age(context, text(condition?.lastTransitionTime)),
        };
      }),
    };
  },
});
