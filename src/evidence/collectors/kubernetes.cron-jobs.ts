import { listOf } from '../collector.ts';
import { age, flag, list, text } from '../objects.ts';

export const collector = listOf({
  id: 'kubernetes.cron-jobs',
  about: 'CronJobs with their schedule and when they last ran.',
  group: 'batch',
  resource: 'cronjobs',
  kind: 'CronJob',
  fields: {
    schedule: 'str',
    suspended: 'bool',
    concurrency: 'str',
    active: ['str'],
    lastScheduled: 'time',
    lastScheduledAge: 'int',
    lastSucceeded: 'time',
    lastSucceededAge: 'int',
  },
  row({ spec, status }, context) {
    const scheduled = text(status?.lastScheduleTime);
    const succeeded = text(status?.lastSuccessfulTime);
    return {
      schedule: text(spec?.schedule),
      suspended: flag(spec?.suspend),
      concurrency: text(spec?.concurrencyPolicy),
      active: list(status?.active).map(job => text(job?.name)),
      lastScheduled: scheduled,
      lastScheduledAge: age(context, scheduled),
      lastSucceeded: succeeded,
      lastSucceededAge: age(context, succeeded),
    };
  },
});
