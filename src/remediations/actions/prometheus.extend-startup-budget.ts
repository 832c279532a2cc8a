import type { Action, PlanInput } from '../../model/remediation.ts';
import type { RawObject } from '../../model/source.ts';
import { recordOf, rowsOf } from '../evidence-rows.ts';
import { guard } from '../guards.ts';
import { PROMETHEUS_ACCESS, prometheusResource, resourceDraft } from '../prometheus-resource.ts';
import { Refusal } from '../refusal.ts';
import { nameOf } from '../targets.ts';

const LEAST = 1800;
const MOST = 7200;
/** What the operator allows where nothing is said. */
const DEFAULT = 900;
/** Seconds at one segment that are no progress. */
const STANDSTILL = 600;

export const action: Action = {
  id: 'prometheus.extend-startup-budget',
  title: 'give it more time to start',
  risk: 'restart',
  parameters: { prometheus: 'needed' },
  access: PROMETHEUS_ACCESS,
  async plan(input) {
    const resource = await prometheusResource(input);
    const { target, object } = resource;
    const now = object.spec?.maximumStartupDurationSeconds ?? DEFAULT;
    if (now >= MOST) throw new Refusal('at-most', `it has ${now} s already`);
    const replicas = (await rowsOf(input.evidence, 'prometheus.replicas')).filter(
      row => row.prometheus.key === nameOf(target),
    );
    const starting = replicas.filter(row => !row.ready);
    const replays = await Promise.all(starting.map(row => replayOf(input, row)));
    const longest = Math.max(now, ...replays.map(replay => replay?.seconds ?? 0));
    const seconds = Math.min(MOST, Math.max(LEAST, Math.ceil((longest * 2) / 60) * 60));
    return resourceDraft(
      resource,
      `give Prometheus ${target.name} ${seconds} s to start`,
      [[['spec', 'maximumStartupDurationSeconds'], seconds]],
      {
        guards: [
          await guard('replay-progresses', 'the replay of its log goes on', () => {
            if (starting.length === 0) return 'none of its pods is starting';
            const stuck = starting.findIndex((_, index) => replays[index]?.goesOn !== true);
            if (stuck < 0) return true;
            const { name } = starting[stuck]!.pod;
            const segment = replays[stuck]?.segment;
            return segment === undefined
              ? `the log of ${name} names no segment that was loaded`
              : `${name} stands at segment ${segment}: more time does not help it`;
          }),
          await guard('not-out-of-memory', 'it is not killed for want of memory', () => {
            const killed = replicas.find(row => row.last.reason === 'OOMKilled' || row.before.reason === 'OOMKilled');
            return killed
              ? `${killed.pod.name} was OOMKilled: it needs memory, not time`
              : replicas.length > 0 || 'it has no pod that is known';
          }),
        ],
        riskText: 'the pods restart one after another; one that really hangs is noticed later',
        verify: {
          what: `${input.finding.rule} is healthy, and its pods are ready`,
          seconds,
          signals: [{ is: 'prometheus-ready', prometheus: nameOf(target) }],
        },
        mends: true,
      },
    );
  },
};

interface Replay {
  readonly segment: number;
  readonly goesOn: boolean;
  /** What the whole of it takes, by the pace until now. */
  readonly seconds: number;
}

/** How far a run got that was killed, by the lines of its log; undefined where they name no segment. */
async function replayOf({ evidence }: PlanInput, row: RawObject): Promise<Replay | undefined> {
  const place = { namespace: row.pod.namespace, pod: row.pod.name, container: row.container };
  const log = await recordOf(evidence, 'logs.signatures', place);
  const hits = (log.hits as readonly RawObject[]).filter(hit => hit.id === 'wal-segment-loaded');
  const farthest = hits.sort((one, other) => Number(other.captured.segment) - Number(one.captured.segment))[0];
  if (!farthest) return undefined;
  const segment = Number(farthest.captured.segment);
  const left = Math.max(0, Number(farthest.captured.last) - segment);
  const took = (Date.parse(farthest.last) - Date.parse(farthest.first)) / 1000;
  const pace = farthest.count > 1 && took >= 0 ? took / (farthest.count - 1) : 0;
  const stoodFor = (Date.parse(row.before.finished) - Date.parse(farthest.last)) / 1000;
  // After the last segment the head is made ready, which says nothing and takes its time too.
  const stands = left > 0 && stoodFor > Math.max(STANDSTILL, 10 * pace);
  return { segment, goesOn: farthest.count > 1 && !stands, seconds: row.before.ranFor + left * pace };
}
