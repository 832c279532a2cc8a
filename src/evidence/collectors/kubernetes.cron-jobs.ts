import { listOf } from '../collector.ts';
import { latestTimes } from '../cron-schedules.ts';
import { age, flag, list, number, text } from '../objects.ts';

/** The controller looks every ten seconds, and needs a while where it has many to start (seconds). */
const START_GRACE = 60;

export const collector = listOf({
  id: 'kubernetes.cron-jobs',
  about: 'CronJobs with their schedule and when they last ran.',
  group: 'batch',
  resource: 'cronjobs',
  kind: 'CronJob',
  fields: {
    schedule: 'str',
    /** '' for that of the controller manager, which is UTC in a cluster of kubeadm. */
    timeZone: 'str',
    /** Seconds after its time in which a run may still be started; 0 for no such limit. */
    deadline: 'int',
    /** Seconds between its two latest times; 0 where there were none, or the schedule cannot be read. */
    period: 'int',
    /** The latest time at which it should have been started, if it could be started no later than now. */
    due: 'time',
    /** Two times have gone by since it was made and since it last ran, and that of the second is over. */
    missed: 'bool',
    suspended: 'bool',
    concurrency: 'str',
    active: ['str'],
    lastScheduled: 'time',
    lastScheduledAge: 'int',
    lastSucceeded: 'time',
    lastSucceededAge: 'int',
  },
  row({ metadata, spec, status }, context) {
    const scheduled = text(status?.lastScheduleTime);
    const deadline = number(spec?.startingDeadlineSeconds);
    const until = context.takenAt - (deadline + START_GRACE) * 1000;
    const base = Date.parse(scheduled || text(metadata.creationTimestamp)) || 0;
    const [latest, before] = latestTimes(text(spec?.schedule), text(spec?.timeZone), until, base);
    const succeeded = text(status?.lastSuccessfulTime);
    return {
      schedule: text(spec?.schedule),
      timeZone: text(spec?.timeZone),
      deadline,
      period: latest && before ? Math.round((latest - before) / 1000) : 0,
      due: latest ? new Date(latest).toISOString().replace('.000Z', 'Z') : '',
      missed: before !== undefined && before > base,
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
