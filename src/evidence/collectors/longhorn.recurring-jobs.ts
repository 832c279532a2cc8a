import { listOf } from '../collector.ts';
import { list, number, text } from '../objects.ts';

export const collector = listOf({
  id: 'longhorn.recurring-jobs',
  about: 'What Longhorn does by the clock: snapshots and backups, and how many of them it keeps.',
  group: 'longhorn.io',
  resource: 'recurringjobs',
  kind: 'RecurringJob',
  fields: {
    /** snapshot, snapshot-delete, snapshot-cleanup, backup, filesystem-trim, … */
    task: 'str',
    schedule: 'str',
    retain: 'int',
    groups: ['str'],
  },
  row({ spec }) {
    return {
      task: text(spec?.task),
      schedule: text(spec?.cron),
      retain: number(spec?.retain),
      groups: list(spec?.groups).map(text),
    };
  },
});
