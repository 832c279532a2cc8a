import type { Argv, Options } from 'yargs';
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
  readonly cache?: boolean;
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

const CLUSTERS = 'Which clusters:';
const EVIDENCE = 'What is read:';
const RULES = 'Which rules:';

const several = (group: string, describe: string) =>
  ({ type: 'array', string: true, requiresArg: true, default: [], group, describe }) as const;
const one = (group: string, describe: string) => ({ type: 'string', requiresArg: true, group, describe }) as const;
const flag = (group: string, describe: string, byDefault = false) =>
  ({ type: 'boolean', default: byDefault, group, describe }) as const;
const count = (group: string, describe: string, byDefault: number) =>
  ({ type: 'number', requiresArg: true, default: byDefault, group, describe }) as const;

/** Options that more than one command has, each worded once. */
const OPTIONS = {
  context: several(CLUSTERS, 'context of the kubeconfig, any number of times (default: the current one)'),
  'all-contexts': flag(CLUSTERS, 'every context of the kubeconfig'),
  kubeconfig: one(CLUSTERS, 'kubeconfig file (default: KUBECONFIG, then ~/.kube/config)'),
  fleet: one(CLUSTERS, 'fleet file (default: thanos-doctor.yaml, where there is one here)'),
  bundle: { ...one(CLUSTERS, 'read a bundle (folder or .tar.gz) instead of clusters'), alias: 'b' },
  namespace: { ...several(EVIDENCE, 'read only these namespaces'), alias: 'n' },
  since: one(EVIDENCE, 'read logs no older than this, e.g. 2h'),
  timeout: count(EVIDENCE, 'seconds for the whole run; what is missing then is said', 60),
  concurrency: count(EVIDENCE, 'reads under way at once in one cluster', 32),
  logs: flag(EVIDENCE, 'read pod logs (--no-logs: do not)', true),
  secrets: flag(EVIDENCE, 'read the Secrets that hold object storage configurations (--no-secrets: do not)', true),
  'port-forward': flag(EVIDENCE, 'port-forward to a component whose proxy is forbidden'),
  cache: flag(EVIDENCE, 'remember what blocks of buckets say (--no-cache: read all of it again)', true),
  pack: {
    choices: ['daily', 'weekly', 'deep'],
    requiresArg: true,
    group: RULES,
    describe: 'daily: what is broken now; weekly: also what will break; deep: all (default)',
  },
  only: several(RULES, 'only these rules, folders or tags'),
  skip: several(RULES, 'not these rules, folders or tags'),
  rules: several(RULES, 'folder with own rules, beside the built-in ones'),
  format: {
    choices: ['text', 'json'],
    default: 'text',
    requiresArg: true,
    describe: 'what standard output gets',
  },
} as const satisfies Readonly<Record<string, Options>>;

type OptionName = keyof typeof OPTIONS;

/** A command with the options of these names. */
export function withOptions<T>(builder: Argv<T>, ...names: readonly OptionName[]): Argv<T> {
  for (const name of names) builder.option(name, OPTIONS[name]);
  return builder;
}

/** Which clusters are read, of the commands that read them live or from a bundle. */
export const CLUSTER_OPTIONS = ['context', 'all-contexts', 'kubeconfig', 'fleet'] as const;

const LIVE = [
  ...CLUSTER_OPTIONS,
  'namespace',
  'since',
  'timeout',
  'concurrency',
  'logs',
  'secrets',
  'port-forward',
] as const;

export function liveOptions<T>(builder: Argv<T>): Argv<T> {
  return withOptions(builder, ...LIVE);
}

export function readingOptions<T>(builder: Argv<T>): Argv<T> {
  return withOptions(builder, ...LIVE, 'cache', 'bundle');
}

export function ruleOptions<T>(builder: Argv<T>): Argv<T> {
  return withOptions(builder, 'pack', 'only', 'skip', 'rules');
}
