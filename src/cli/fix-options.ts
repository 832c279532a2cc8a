import type { Argv } from 'yargs';
import { withOptions } from './options.ts';

const FIXING = 'How it is fixed:';

/** Options of every command that fixes. */
export function fixingOptions<T>(builder: Argv<T>) {
  const text = (describe: string) => ({ type: 'string', requiresArg: true, group: FIXING, describe }) as const;
  const flag = (describe: string) => ({ type: 'boolean', default: false, group: FIXING, describe }) as const;
  return builder
    .option('yes', flag('do not ask, except where data could be lost'))
    .option('reason', text('why, for the audit log'))
    .option('insist', flag('write also what Argo CD, Flux or Helm will take back'))
    .option('size', text('new size of a claim, e.g. 100Gi'))
    .option('max-memory', text('highest memory limit that may be set, e.g. 16Gi'))
    .option('retention', text('new local retention, e.g. 12h'))
    .option('range', text('addresses for a pool, first-last'))
    .option('allow-bucket-writes', flag('marks and buckets may be written'))
    .option('allow-data-steps', flag('local data of a Prometheus may be moved aside'))
    .option('copy', text('folder with your own copy of the bucket, before blocks are marked for deletion'))
    .option('accept-downtime', flag('restart also the only replica'))
    .option('max-changes', {
      type: 'number',
      requiresArg: true,
      default: 5,
      group: FIXING,
      describe: 'fixes that are applied in one run at most',
    });
}

/** Options of the command `fix` alone. */
export function fixOptions<T>(builder: Argv<T>) {
  return withOptions(builder, 'rules', 'format')
    .positional('finding', { type: 'string', describe: 'id of a finding, or of a rule' })
    .option('plan', { type: 'boolean', default: false, describe: 'show what would be done, and do nothing' })
    .option('output', {
      alias: 'o',
      type: 'string',
      requiresArg: true,
      describe: 'with --plan: write the plan to this file, as JSON',
    })
    .option('confirm', {
      type: 'string',
      requiresArg: true,
      describe: 'apply the plan with this digest, without asking; any other is refused',
    })
    .option('emit-patch', {
      type: 'string',
      requiresArg: true,
      describe: 'write patches for a repository into this folder, and change nothing',
    })
    .option('resume', { type: 'boolean', default: false, describe: 'go on with a fix that was interrupted' })
    .option('undo', { type: 'string', requiresArg: true, describe: 'take the fix with this id back' })
    .option('history', { type: 'boolean', default: false, describe: 'list what was done, from the audit log' });
}
