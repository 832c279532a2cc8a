import { seconds } from '../quantities.ts';
import { type Flag, flagValue } from './command-line.ts';

/** What of a log hit decides whether it tells the present. */
interface Hit {
  readonly id: string;
  readonly last: string;
  readonly lastAge: number;
  readonly previous: boolean;
  readonly open: boolean;
}

/** What of a component decides it. */
interface Runs {
  readonly component: string;
  readonly args: readonly Flag[];
  readonly running: boolean;
  readonly runningAge: number;
  readonly crashLooping: boolean;
  readonly reason: string;
}

/** Lines after which a component has reached its bucket again. */
const SIGNS_OF_SUCCESS: ReadonlySet<string> = new Set([
  'metas-synced',
  'block-loaded',
  'store-ready',
  'compact-iteration-done',
]);

/** A failure that takes its time: the next attempt may end minutes later. */
const SLOW: ReadonlySet<string> = new Set([
  's3-conn-timeout',
  's3-dns-timeout',
  's3-response-timeout',
  's3-upload-deadline',
  's3-slowdown',
]);

/** Seconds for which a restarted container is still judged by the run before. */
const RECENT_RESTART = 900;
/** What uploads blocks tries again every 30 s and logs no success: this long a silence is one (seconds). */
const SHIPPERS: ReadonlySet<string> = new Set(['sidecar', 'rule']);
const SIDECAR_SILENCE = 75;
const SIDECAR_SILENCE_SLOW = 300;

/** How old (seconds) a line of this component may be and still tell the present: as long as it may take to try again. */
export function freshFor({ component, args }: Pick<Runs, 'component' | 'args'>): number {
  if (component === 'query') return 120;
  if (component === 'store') return 2 * seconds(flagValue(args, '--sync-block-duration', '15m')) + 300;
  if (component === 'compact') return 3 * seconds(flagValue(args, '--wait-interval', '5m'));
  return 600;
}

/**
 * Whether a hit about the object store is fresh: recent enough for its component, of a run that still counts, and
 * without a later sign of success. `succeeded` are times (RFC 3339) at which the component is known to have reached
 * its bucket.
 */
export function isFresh(hit: Hit, hits: readonly Hit[], runs: Runs, succeeded: readonly string[]): boolean {
  if (hit.lastAge > freshFor(runs)) return false;
  if (hit.previous && !judgedByRunBefore(runs)) return false;
  const last = Date.parse(hit.last);
  const later = (time: string) => time !== '' && Date.parse(time) > last;
  if (succeeded.some(later)) return false;
  if (hits.some(other => SIGNS_OF_SUCCESS.has(other.id) && (later(other.last) || (hit.previous && !other.previous)))) {
    return false;
  }
  if (!SHIPPERS.has(runs.component) || !runs.running || hit.previous) return true;
  return hit.lastAge <= (SLOW.has(hit.id) ? SIDECAR_SILENCE_SLOW : SIDECAR_SILENCE);
}

function judgedByRunBefore(runs: Runs): boolean {
  return !runs.running || runs.crashLooping || runs.runningAge < RECENT_RESTART;
}
