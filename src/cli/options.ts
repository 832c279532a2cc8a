import type { Argv } from 'yargs';
import type { Pack } from '../app/choose-rules.ts';
import type { FailOn } from './exit-codes.ts';
import type { ColorChoice } from './terminal.ts';

/** Options of every command that reads clusters or a bundle. */
export interface ReadingOptions {
  readonly bundle: string | undefined;
  readonly fleet: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly context: readonly string[];
  readonly 'all-contexts': boolean;
  readonly namespace: readonly string[];
  readonly since: string | undefined;
  readonly timeout: number;
  readonly concurrency: number;
  readonly logs: boolean;
  readonly secrets: boolean;
  readonly 'port-forward': boolean;
}

export interface GlobalOptions {
  readonly color: ColorChoice;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

export interface RuleOptions {
  readonly rules: readonly string[];
  readonly pack: Pack | undefined;
  readonly only: readonly string[];
  readonly skip: readonly string[];
}

export const FAIL_ON: readonly FailOn[] = ['critical', 'warning', 'info', 'never'];

const PACKS: readonly Pack[] = ['daily', 'weekly', 'deep'];

const CLUSTERS = 'Which clusters:';
const EVIDENCE = 'What is read:';
const RULES = 'Which rules:';

export function liveOptions<T>(builder: Argv<T>) {
  return builder
    .option('context', {
      type: 'array',
      string: true,
      requiresArg: true,
      default: [],
      group: CLUSTERS,
      describe: 'context of the kubeconfig, any number of times (default: the current one)',
    })
    .option('all-contexts', {
      type: 'boolean',
      default: false,
      group: CLUSTERS,
      describe: 'every context of the kubeconfig',
    })
    .option('kubeconfig', {
      type: 'string',
      requiresArg: true,
      group: CLUSTERS,
      describe: 'kubeconfig file (default: KUBECONFIG, then ~/.kube/config)',
    })
    .option('fleet', {
      type: 'string',
      requiresArg: true,
      group: CLUSTERS,
      describe: 'fleet file (default: thanos-doctor.yaml, where there is one here)',
    })
    .option('namespace', {
      alias: 'n',
      type: 'array',
      string: true,
      requiresArg: true,
      default: [],
      group: EVIDENCE,
      describe: 'read only these namespaces',
    })
    .option('since', {
      type: 'string',
      requiresArg: true,
      group: EVIDENCE,
      describe: 'read logs no older than this, e.g. 2h',
    })
    .option('timeout', {
      type: 'number',
      requiresArg: true,
      default: 60,
      group: EVIDENCE,
      describe: 'seconds for the whole run; what is missing then is said',
    })
    .option('concurrency', {
      type: 'number',
      requiresArg: true,
      default: 16,
      group: EVIDENCE,
      describe: 'reads under way at once in one cluster',
    })
    .option('logs', { type: 'boolean', default: true, group: EVIDENCE, describe: 'read pod logs (--no-logs: do not)' })
    .option('secrets', {
      type: 'boolean',
      default: true,
      group: EVIDENCE,
      describe: 'read the Secrets that hold object storage configurations (--no-secrets: do not)',
    })
    .option('port-forward', {
      type: 'boolean',
      default: false,
      group: EVIDENCE,
      describe: 'port-forward to a component whose proxy is forbidden',
    });
}

export function readingOptions<T>(builder: Argv<T>) {
  return liveOptions(builder).option('bundle', {
    alias: 'b',
    type: 'string',
    requiresArg: true,
    group: CLUSTERS,
    describe: 'read a bundle (folder or .tar.gz) instead of clusters',
  });
}

export function ruleOptions<T>(builder: Argv<T>) {
  return builder
    .option('pack', {
      choices: PACKS,
      requiresArg: true,
      group: RULES,
      describe: 'daily: what is broken now; weekly: also what will break; deep: all (default)',
    })
    .option('only', {
      type: 'array',
      string: true,
      requiresArg: true,
      default: [],
      group: RULES,
      describe: 'only these rules, folders or tags',
    })
    .option('skip', {
      type: 'array',
      string: true,
      requiresArg: true,
      default: [],
      group: RULES,
      describe: 'not these rules, folders or tags',
    })
    .option('rules', {
      type: 'array',
      string: true,
      requiresArg: true,
      default: [],
      group: RULES,
      describe: 'folder with own rules, beside the built-in ones',
    });
}
