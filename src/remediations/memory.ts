import type { Draft, Guard, PlanInput, Target } from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';
import { guard } from './guards.ts';
import { attemptSince } from './history.ts';
import { bytesOf, quantityOf } from './quantities.ts';
import { Refusal } from './refusal.ts';
import { nameOf } from './targets.ts';

const GROWTH = 1.5;
/** Seconds that nobody waits longer than. */
const LONGEST_WATCH = 3600;
const DAY = 24 * 3_600_000;
const ROUNDING = 256 * 1024 ** 2;

/** The next memory limit, and the next request where it was the same. Refuses past `--max-memory`. */
export function nextMemory(
  { wishes }: PlanInput,
  resources: RawObject,
): { readonly limit: string; readonly request: string | undefined; readonly more: number } {
  const old = resources?.limits?.memory;
  const bytes = bytesOf(old);
  if (bytes === undefined) throw new Refusal('limit-was-hit', 'it has no memory limit: the node itself was short');
  const limit = quantityOf(bytes * GROWTH, ROUNDING);
  const most = wishes.maxMemory === '' ? undefined : bytesOf(wishes.maxMemory);
  if (wishes.maxMemory !== '' && most === undefined)
    throw new Refusal('max-memory', `${wishes.maxMemory} is no quantity`);
  if (most !== undefined && bytesOf(limit)! > most)
    throw new Refusal('max-memory', `${limit} is above --max-memory ${wishes.maxMemory}`);
  const requested = bytesOf(resources?.requests?.memory);
  return { limit, request: requested === bytes ? limit : undefined, more: bytesOf(limit)! - bytes };
}

/** Whether each node of the pods has that much memory that no pod has asked for. */
export function nodeHasRoom({ api }: PlanInput, pods: readonly RawObject[], more: number): Promise<Guard> {
  return guard('node-has-room', 'its node has the memory', async () => {
    if (pods.length === 0) return 'there is no pod by which to tell the node';
    const everywhere = await api.list('', 'pods', '');
    for (const name of new Set(pods.map(pod => pod.spec?.nodeName).filter(Boolean))) {
      const node = await api.get({ group: '', resource: 'nodes', kind: 'Node', namespace: '', name });
      const allocatable = bytesOf(node?.status?.allocatable?.memory);
      if (allocatable === undefined) return `what node ${name} has cannot be told`;
      const there = everywhere.filter(
        pod => pod.spec?.nodeName === name && !/Succeeded|Failed/.test(pod.status?.phase ?? ''),
      );
      const asked = there.reduce((sum, pod) => sum + requestOf(pod), 0);
      const mine = pods.filter(pod => pod.spec?.nodeName === name).length;
      const free = allocatable - asked;
      if (free < more * mine)
        return `node ${name} has ${quantityOf(Math.max(0, free))} that no pod asked for, and ${quantityOf(more * mine)} are needed`;
    }
    return true;
  });
}

function requestOf(pod: RawObject): number {
  return (pod.spec?.containers ?? []).reduce((sum: number, { resources }: RawObject) => {
    // Where only a limit is set, that is the request too.
    return sum + (bytesOf(resources?.requests?.memory ?? resources?.limits?.memory) ?? 0);
  }, 0);
}

/** Long enough that the memory would have run out again: twice the run that was killed, and ten minutes at least. */
export function outlasts(
  rule: string,
  workloads: readonly string[],
  container: string,
  pods: readonly RawObject[],
): Draft['verify'] {
  const runs = pods
    .flatMap(pod => (pod.status?.containerStatuses ?? []) as readonly RawObject[])
    .filter(({ name }) => name === container)
    .map(
      ({ lastState }) => Date.parse(lastState?.terminated?.finishedAt) - Date.parse(lastState?.terminated?.startedAt),
    )
    .filter(run => run > 0);
  const seconds = Math.min(LONGEST_WATCH, Math.max(600, (2 * Math.max(0, ...runs)) / 1000));
  return {
    what: `${rule} is healthy, and ${container} has run for ${Math.round(seconds / 60)} min`,
    // Pods that are replaced one after another begin one after another.
    seconds: seconds + 900,
    signals: [{ is: 'runs-for', workloads, container, seconds }],
  };
}

/** A limit that was raised and is hit again within a day is not what is wrong. */
export function notRaisedTwice({ api, history, finding }: PlanInput, action: string, target: Target): Promise<Guard> {
  return guard('not-raised-twice-today', 'it was not raised within a day already', () => {
    const place = { action, cluster: finding.cluster, object: nameOf(target) };
    const before = attemptSince(history, place, Date.parse(api.now()) - DAY);
    return before ? `it was raised at ${before.begin.time}, and that was not enough: find out what needs it` : true;
  });
}

/** The container was killed at its own limit, not by a node that ran out of memory. */
export function limitWasHit(pods: readonly RawObject[], container: string): Promise<Guard> {
  return guard('limit-was-hit', 'it was killed at its own limit', () => {
    const statuses = pods.flatMap(pod => pod.status?.containerStatuses ?? []).filter(({ name }) => name === container);
    const killed = statuses.some(
      status =>
        status.lastState?.terminated?.reason === 'OOMKilled' || status.state?.terminated?.reason === 'OOMKilled',
    );
    return killed || `no pod says that container ${container} was OOMKilled`;
  });
}
