import type { ShapeOf } from '../../model/shape.ts';
import { type Context, listOf } from '../collector.ts';
import { CONDITIONS, conditionsOf } from '../conditions.ts';
import { known, mapKnown } from '../gaps.ts';
import { age, flag, number, text } from '../objects.ts';

const listed = listOf({
  id: 'kubernetes.jobs',
  about: 'Jobs; of those of a CronJob only the newest run counts.',
  group: 'batch',
  resource: 'jobs',
  kind: 'Job',
  fields: {
    /** Name of the CronJob that made it; '' if none. */
    cronJob: 'str',
    /** The newest run of its CronJob, or a Job of its own. */
    newest: 'bool',
    active: 'int',
    succeeded: 'int',
    failed: 'int',
    done: 'bool',
    failedReason: 'str',
    failedMessage: 'str',
    failedSince: 'time',
    failedAge: 'int',
    suspended: 'bool',
    started: 'time',
    completed: 'time',
    conditions: CONDITIONS,
  },
  row({ metadata, spec, status }, context) {
    const conditions = conditionsOf(status?.conditions, context);
    const failed = conditions.find(condition => condition.type === 'Failed' && condition.status === 'True');
    const complete = conditions.some(condition => condition.type === 'Complete' && condition.status === 'True');
    const owner = (metadata.ownerReferences ?? []).find(
      (reference: { kind?: string }) => reference?.kind === 'CronJob',
    );
    return {
      cronJob: text(owner?.name),
      newest: true,
      active: number(status?.active),
      succeeded: number(status?.succeeded),
      failed: number(status?.failed),
      done: complete || failed !== undefined,
      failedReason: failed?.reason ?? '',
      failedMessage: failed?.message ?? '',
      failedSince: failed?.since ?? '',
      failedAge: age(context, failed?.since ?? ''),
      suspended: flag(spec?.suspend),
      started: text(status?.startTime),
      completed: text(status?.completionTime),
      conditions,
    };
  },
});

type Job = ShapeOf<typeof listed.shape>[number];

export const collector = {
  ...listed,
  async collect(context: Context): Promise<readonly Job[]> {
    const rows = await listed.collect(context);
    const newest = new Map<string, Job>();
    for (const job of known(rows)) {
      const other = newest.get(cronJobOf(job));
      if (!other || Date.parse(job.created) > Date.parse(other.created)) newest.set(cronJobOf(job), job);
    }
    return mapKnown(rows, job => ({ ...job, newest: job.cronJob === '' || newest.get(cronJobOf(job)) === job }));
  },
};

function cronJobOf(job: Job): string {
  return `${job.namespace}/${job.cronJob}`;
}
