import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { checkNamespaces } from '../app/check-namespaces.ts';
import { FLEET_FILE, type FleetFile, readFleetFile } from '../app/fleet-file.ts';
import { withoutLogs } from '../app/narrowed-source.ts';
import type { LiveChoice } from '../app/open-live.ts';
import type { Rule } from '../model/rule.ts';
import type { Source } from '../model/source.ts';
import { UserError } from '../model/user-error.ts';
import type { ReadingOptions } from './options.ts';
import { quoted } from './outputs.ts';

/** Opens what the options name: a bundle, the clusters of a fleet file, or contexts. */
export async function openClusters(
  options: ReadingOptions,
  fleet: FleetFile | undefined,
  signal: AbortSignal,
): Promise<readonly Source[]> {
  const sources = await (options.bundle === undefined
    ? import('../app/open-live.ts').then(({ openLive }) => openLive(liveChoiceOf(options, fleet, signal)))
    : import('../app/open-bundle.ts').then(({ openBundle }) => openBundle(options.bundle!)));
  try {
    if (options.bundle === undefined) await checkNamespaces(sources, options.namespace);
  } catch (error) {
    await Promise.all(sources.map(source => source.close()));
    throw error;
  }
  return options.logs ? sources : sources.map(withoutLogs);
}

/** Where what was read of blocks is remembered: the user's own folder for what can be made again. */
function cacheFolder({ XDG_CACHE_HOME = '' }: NodeJS.ProcessEnv): string {
  return join(isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : join(homedir(), '.cache'), 'thanos-doctor');
}

/** What the options say of live clusters. */
export function liveChoiceOf(options: ReadingOptions, fleet: FleetFile | undefined, signal: AbortSignal): LiveChoice {
  return {
    kubeconfig: options.kubeconfig ?? '',
    contexts: options.context,
    allContexts: options['all-contexts'],
    fleet,
    namespaces: options.namespace,
    since: options.since ?? '',
    readSecrets: options.secrets,
    ...(options.cache ? { cacheFolder: cacheFolder(process.env) } : {}),
    portForward: options['port-forward'],
    signal,
    deadline: Date.now() + options.timeout * 1000,
  };
}

/** The fleet file that was named; else the one that lies here, unless clusters were chosen in another way. It is held against the rules that are given. */
export function fleetOf(options: ReadingOptions, rules?: readonly Rule[]): FleetFile | undefined {
  checkChoices(options);
  const chosen = options['all-contexts'] || options.context.length > 0 || options.kubeconfig !== undefined;
  return chosen && options.fleet === undefined ? undefined : fleetFileOf(options.fleet, rules);
}

/** The fleet file that was named; else the one that lies here. */
export function fleetFileOf(named: string | undefined, rules?: readonly Rule[]): FleetFile | undefined {
  const path = named ?? (existsSync(FLEET_FILE) ? FLEET_FILE : undefined);
  return path === undefined ? undefined : readFleetFile(path, rules);
}

/** The options that choose clusters as they were given, for a further command: ` --context hub`. '' for none. */
export function clusterOptionsOf(options: ReadingOptions): string {
  const words = [
    ...(options['all-contexts'] ? ['--all-contexts'] : []),
    ...(['kubeconfig', 'fleet', 'context', 'namespace'] as const).flatMap(name =>
      [options[name] ?? []].flat().flatMap(value => [`--${name}`, quoted(value)]),
    ),
  ];
  return words.map(word => ` ${word}`).join('');
}

/** Where a fleet file lies here and is not used, what it tunes and suppresses does not hold: that is said. */
export function unusedFleetFile(fleet: FleetFile | undefined): string {
  if (fleet || !existsSync(FLEET_FILE)) return '';
  return `${FLEET_FILE} is not used, since clusters were chosen without it: name it with --fleet`;
}

/** Options that cannot both be meant: better refused than one of them silently left out. */
function checkChoices(options: ReadingOptions): void {
  if (!Number.isInteger(options.concurrency)) throw new UserError('the option --concurrency needs a whole number');
  const live = (['kubeconfig', 'context', 'all-contexts', 'namespace', 'since', 'port-forward'] as const).filter(name =>
    isGiven(options[name]),
  );
  if (options.bundle !== undefined && live.length > 0)
    throw new UserError(`--${live[0]} and --bundle exclude each other: a bundle is read as it is`);
  if (options['all-contexts'] && options.context.length > 0)
    throw new UserError('--all-contexts and --context exclude each other', 'leave one of them out');
  if (options['all-contexts'] && options.fleet !== undefined)
    throw new UserError('--all-contexts and --fleet exclude each other: the fleet file names its clusters');
}

function isGiven(value: string | boolean | readonly string[] | undefined): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
}
