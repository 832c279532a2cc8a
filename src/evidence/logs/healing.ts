import { seconds } from '../quantities.ts';
import type { RunHit, RunScan } from './run-scan.ts';
import { isComponent } from './signatures.ts';

/** What the kubelet says of the container, as far as it decides whether a line is history. */
export interface ContainerRuns {
  readonly running: boolean;
  /** Seconds that the current run has lasted; -1 where it does not run. */
  readonly runningAge: number;
  /** RFC 3339: begin of the run before; '' if there was none or nobody remembers. */
  readonly beforeStarted: string;
  /** It has done its work and ended well, as an init container does. */
  readonly completed: boolean;
}

/** Scans of one container: the run before, if it was read, and the newest. */
export interface Scans {
  readonly component: string;
  readonly before: RunScan | undefined;
  readonly newest: RunScan | undefined;
}

/** A restart is believed after this long (seconds), however long the line took to come in the run before. */
const RESTART_BELIEVED = 900;
/** Two runs of one program do not take equally long to fail (seconds). */
const RESTART_MARGIN = 10;

/**
 * Whether a hit still tells the present: none of what its signature is healed by came after its newest line in this
 * container. `takenAt` in milliseconds.
 */
export function isOpen(hit: RunHit, inRunBefore: boolean, scans: Scans, runs: ContainerRuns, takenAt: number): boolean {
  if (runs.completed) return false;
  return !hit.signature.healedBy.some(healer => {
    if (healer === 'restart') return inRunBefore && restartHeals(hit, scans, runs);
    const quiet = quietOf(healer, scans.component);
    if (quiet !== undefined) return quietHeals(quiet, hit, inRunBefore, runs, takenAt);
    return cameLater(healer, hit, inRunBefore, scans);
  });
}

/**
 * Seconds of silence that `quiet:3m` asks for. `quiet:3m@thanos-store` says so of one component, because each tries again
 * at its own pace; of the others it is never enough. undefined: it is another kind of healer.
 */
function quietOf(healer: string, component: string): number | undefined {
  const [, duration, only] = /^quiet:([^@]+)(?:@(.+))?$/.exec(healer) ?? [];
  if (duration === undefined) return undefined;
  return only === undefined || isComponent(only, component) ? seconds(duration) : Number.POSITIVE_INFINITY;
}

function cameLater(id: string, hit: RunHit, inRunBefore: boolean, { before, newest }: Scans): boolean {
  const find = (scan: RunScan | undefined) => scan?.hits.find(other => other.signature.id === id);
  if (inRunBefore && find(newest)) return true;
  const sameRun = find(inRunBefore ? before : newest);
  return sameRun !== undefined && sameRun.lastLine > hit.lastLine;
}

/**
 * A restart heals once the new run has outlived the time that the line took to come in the run before: a store that
 * fails half a minute after every start is not well in the half minute between.
 */
function restartHeals(hit: RunHit, { before }: Scans, runs: ContainerRuns): boolean {
  if (!runs.running) return false;
  const began = Date.parse(runs.beforeStarted || before?.from || '');
  const came = Date.parse(hit.last);
  const took = Number.isNaN(began) || Number.isNaN(came) ? RESTART_BELIEVED : Math.max(0, (came - began) / 1000);
  return runs.runningAge > Math.min(RESTART_BELIEVED, took + RESTART_MARGIN);
}

/** Silence counts only of a container that runs, and only for as long as its current run could have broken it. */
function quietHeals(quiet: number, hit: RunHit, inRunBefore: boolean, runs: ContainerRuns, takenAt: number): boolean {
  if (!runs.running) return false;
  if (inRunBefore && runs.runningAge < quiet) return false;
  const came = Date.parse(hit.last);
  return !Number.isNaN(came) && takenAt - came >= quiet * 1000;
}
