import { listOf } from '../collector.ts';
import { flag, text } from '../objects.ts';
import { bytes } from '../quantities.ts';

export const collector = listOf({
  id: 'longhorn.snapshots',
  about: "Snapshots of Longhorn volumes; they keep space that the volume's filesystem has freed.",
  group: 'longhorn.io',
  resource: 'snapshots',
  kind: 'Snapshot',
  fields: {
    volume: 'str',
    size: 'int',
    userCreated: 'bool',
    markedRemoved: 'bool',
    ready: 'bool',
    /** The recurring job that made it; '' for none. */
    recurringJob: 'str',
  },
  row({ spec, status }) {
    return {
      volume: text(spec?.volume),
      size: bytes(status?.size),
      userCreated: flag(status?.userCreated),
      markedRemoved: flag(status?.markRemoved),
      ready: flag(status?.readyToUse),
      recurringJob: text(status?.labels?.RecurringJob) || text(spec?.labels?.RecurringJob),
    };
  },
});
