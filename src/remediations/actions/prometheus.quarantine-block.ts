import type { Action, Guard, PlanInput, Step, Target } from '../../model/remediation.ts';
import type { RawObject } from '../../model/source.ts';
import { PLAN, RUN } from '../changes.ts';
import { recordOf, rowsOf } from '../evidence-rows.ts';
import { guard } from '../guards.ts';
import { PROMETHEUS_ACCESS, prometheusResource } from '../prometheus-resource.ts';
import { Refusal } from '../refusal.ts';
import { changeStep, existing, rolledOut } from '../steps.ts';
import { flagOf, prometheusIn } from '../store-users.ts';
import { nameOf, targetOf, targetOfKey } from '../targets.ts';
import { undoOf } from '../undo.ts';

const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TWO_HOURS = 7_200_000;
/** Seconds that a snapshot may be old. */
const FRESH = 900;
/** On the claim: which block lies aside in it. */
const ASIDE = 'thanos-doctor/quarantined-block';

interface Damaged {
  readonly block: string;
  readonly prometheus: { readonly target: Target; readonly object: RawObject };
  readonly set: { readonly target: Target; readonly object: RawObject };
  readonly pod: Target;
  /** The damaged pod and those after it: a StatefulSet gives up the last ones first. */
  readonly stopped: readonly Target[];
  readonly ordinal: number;
  readonly claim: { readonly target: Target; readonly object: RawObject };
}

export const action: Action = {
  id: 'prometheus.quarantine-block',
  title: 'move the damaged block aside',
  risk: 'data-loss',
  parameters: { prometheus: 'needed', pod: 'needed', block: 'needed' },
  access: [
    ...PROMETHEUS_ACCESS,
    { verbs: ['get', 'list', 'create', 'delete'], group: '', resource: 'pods' },
    { verbs: ['get'], group: 'apps', resource: 'statefulsets' },
    { verbs: ['get', 'patch'], group: 'apps', resource: 'statefulsets/scale' },
    { verbs: ['get', 'patch'], group: '', resource: 'persistentvolumeclaims' },
    { verbs: ['get'], group: '', resource: 'persistentvolumes' },
  ],
  async plan(input) {
    const damaged = await damagedBlock(input);
    const { block, prometheus, set, stopped, claim } = damaged;
    let inBucket = false;
    const known = await guard(
      'block-in-bucket-or-accepted',
      'what it holds is in the bucket, or given up',
      async (): Promise<true> => {
        // Where it is not, what is lost is what has to be typed.
        inBucket = await isInBucket(input, block);
        return true;
      },
    );
    const { before, after } = around(damaged);
    const mark = changeStep(
      claim.target,
      claim.object,
      `note on ${nameOf(claim.target)} that block ${block} lies aside`,
      [[['metadata', 'annotations', ASIDE], block]],
    );
    const aside = `quarantine-${block}`;
    const there = moved(damaged, 'quarantine', block, aside);
    const steps = [...before, ...there, mark, ...after];
    // A pod of the fix may have been left behind by a kill.
    const leftBehind = there.slice(2).map(step => (step.do === 'delete-created' ? { ...step, plan: PLAN } : step));
    const serving = Number(set.object.spec?.replicas ?? 1) - stopped.length;
    return {
      steps,
      guards: [
        await guard(
          'data-steps-allowed',
          'you said that data may be moved',
          () => input.wishes.dataSteps || 'say so with --allow-data-steps',
        ),
        await guard(
          'not-paused',
          'it is not paused',
          () => prometheus.object.spec?.paused !== true || 'it is paused: by whom, and why, has to be told first',
        ),
        await guard('ulid-from-the-error', 'every line of the failing run names this block', () =>
          isNamedByTheError(input, damaged),
        ),
        known,
        await backupVerified(input, claim.object),
        await claimUnused(input, damaged),
      ],
      riskText:
        (inBucket
          ? 'the bucket has the block; until the pods are back, '
          : 'the bucket does not have the block: its samples are lost, unless it is repaired by hand; until the pods are back, ') +
        (serving > 0 ? `${serving} replicas go on scraping` : 'nothing of this Prometheus scrapes'),
      verify: {
        what: `${input.finding.rule} is healthy, and its pods are ready`,
        seconds: budgetOf(prometheus.object),
        signals: [{ is: 'prometheus-ready', prometheus: nameOf(prometheus.target) }],
      },
      undo: {
        what: 'moves the block back, in the same way',
        steps: [...before, ...leftBehind, ...moved(damaged, 'restore', aside, block), undoOf(mark)!, ...after],
      },
      held: [set.target],
      mends: true,
      ...(inBucket ? {} : { typed: lossOf(block, input.finding.cluster) }),
    };
  },
};

async function damagedBlock(input: PlanInput): Promise<Damaged> {
  const block = input.parameters.block ?? '';
  if (!ULID.test(block)) throw new Refusal('ulid-from-the-error', `"${block}" is not one block`);
  const prometheus = await prometheusResource(input);
  const pod = targetOfKey(input.parameters.pod);
  const [, name = '', ordinal = ''] = /^(.+)-(\d+)$/.exec(pod.name) ?? [];
  const set = targetOf('StatefulSet', pod.namespace, name);
  const object = await existing(input.api, set);
  const live = await existing(input.api, pod);
  const claimName = claimOf(live, prometheusIn({ spec: { template: { spec: live.spec } } }));
  if (!claimName) throw new Refusal('claim-unused', `the data of ${pod.name} lie on no claim`);
  const claim = targetOf('PersistentVolumeClaim', pod.namespace, claimName);
  const replicas = Number(object.spec?.replicas ?? 1);
  const stopped = Array.from({ length: Math.max(0, replicas - Number(ordinal)) }, (_, index) =>
    targetOf('Pod', pod.namespace, `${name}-${Number(ordinal) + index}`),
  );
  if (stopped.length === 0) throw new Refusal('object-there', `${nameOf(set)} has no pod ${ordinal}`);
  return {
    block,
    prometheus,
    set: { target: set, object },
    pod,
    stopped,
    ordinal: Number(ordinal),
    claim: { target: claim, object: await existing(input.api, claim) },
  };
}

function dataMount(container: RawObject | undefined): RawObject | undefined {
  const path = flagOf(container, '--storage.tsdb.path') ?? '/prometheus';
  const holds = (mount: RawObject) => path === mount.mountPath || path.startsWith(`${mount.mountPath}/`);
  return (container?.volumeMounts ?? []).find(holds);
}

function claimOf(pod: RawObject, container: RawObject | undefined): string | undefined {
  const mount = dataMount(container);
  const volume = (pod.spec?.volumes ?? []).find(({ name }: RawObject) => name === mount?.name);
  return volume?.persistentVolumeClaim?.claimName;
}

/** Stops the pods with the operator paused, and lets them start again. */
function around({ prometheus, set, stopped, ordinal }: Damaged): {
  readonly before: readonly Step[];
  readonly after: readonly Step[];
} {
  const { target, object } = prometheus;
  const scale = { ...set.target, subresource: 'scale' as const };
  const replicas = Number(set.object.spec?.replicas ?? 1);
  const pause = changeStep(target, object, `pause ${nameOf(target)}`, [[['spec', 'paused'], true]]);
  const down: Step = {
    do: 'change',
    title: `scale ${nameOf(set.target)} to ${ordinal}: ${stopped.map(({ name }) => name).join(', ')} stop`,
    target: scale,
    uid: set.object.metadata.uid,
    changes: [{ path: ['spec', 'replicas'], before: replicas, after: ordinal }],
  };
  const gone = stopped.map(
    (pod): Step => ({
      do: 'wait',
      title: `${nameOf(pod)} is gone`,
      target: pod,
      until: { is: 'gone' },
      seconds: 660,
    }),
  );
  const up = { ...undoOf(down)!, title: `scale ${nameOf(set.target)} back to ${replicas}` };
  const unpause = { ...undoOf(pause)!, title: `unpause ${nameOf(target)}` };
  return {
    before: [pause, down, ...gone],
    after: [up, unpause, rolledOut(set.target, budgetOf(object) * stopped.length)],
  };
}

/** A pod on the claim that renames one directory, and goes again. A name that is so already is left. */
function moved({ set, claim, block }: Damaged, what: string, from: string, to: string): readonly Step[] {
  const template = set.object.spec?.template?.spec ?? {};
  const container = prometheusIn(set.object);
  const mount = dataMount(container);
  const path = flagOf(container, '--storage.tsdb.path') ?? '/prometheus';
  const name = `thanos-doctor-${what}-${block.toLowerCase()}`;
  const target = targetOf('Pod', claim.target.namespace, name);
  const pod: RawObject = {
    apiVersion: 'v1',
    metadata: {},
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      ...picked(template, ['securityContext', 'nodeSelector', 'tolerations', 'imagePullSecrets']),
      containers: [
        {
          name: 'move',
          image: container?.image,
          ...picked(container ?? {}, ['securityContext', 'imagePullPolicy']),
          command: ['/bin/sh', '-c', `cd "$1" && if [ -d "$2" ]; then mv "$2" "$3"; fi && [ -d "$3" ]`],
          args: ['move', path, from, to],
          volumeMounts: [{ name: 'data', mountPath: mount?.mountPath, ...picked(mount ?? {}, ['subPath']) }],
        },
      ],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: claim.target.name } }],
    },
  };
  return [
    {
      do: 'create',
      title: `rename ${from} to ${to} on ${nameOf(claim.target)}, by ${nameOf(target)}`,
      target,
      object: pod,
    },
    {
      do: 'wait',
      title: `${nameOf(target)} has done it`,
      target,
      until: { is: 'equals', path: ['status', 'phase'], value: 'Succeeded' },
      seconds: 300,
    },
    { do: 'delete-created', title: `delete ${nameOf(target)}`, target, plan: RUN },
    { do: 'wait', title: `${nameOf(target)} is gone`, target, until: { is: 'gone' }, seconds: 120 },
  ];
}

function picked(object: RawObject, names: readonly string[]): RawObject {
  return Object.fromEntries(names.filter(name => object[name] !== undefined).map(name => [name, object[name]]));
}

async function isNamedByTheError({ evidence }: PlanInput, { pod, block }: Damaged): Promise<true | string> {
  const replica = (await rowsOf(evidence, 'prometheus.replicas')).find(row => row.pod.key === nameOf(pod));
  if (!replica) return `${pod.name} is not seen as a Prometheus`;
  if (replica.ready) return `${pod.name} is ready`;
  const place = { namespace: pod.namespace, pod: pod.name, container: String(replica.container) };
  const log = await recordOf(evidence, 'logs.signatures', place);
  const hits = (log.hits as readonly RawObject[]).filter(hit => hit.id === 'prometheus-block-damaged' && hit.open);
  const blocks = [...new Set(hits.map(hit => hit.captured.block ?? ''))];
  return (
    (blocks.length === 1 && blocks[0] === block) ||
    `its log names ${blocks.filter(Boolean).join(' and ') || 'no block'}: only one that every line names is moved`
  );
}

/** Whether some block of a bucket was made of this one. Throws the gap of buckets that were not listed. */
async function isInBucket({ fleet }: PlanInput, block: string): Promise<boolean> {
  const buckets = await rowsOf(fleet, 'bucket.blocks');
  return buckets.some(bucket =>
    (bucket.blocks as readonly RawObject[]).some(one => one.state === 'complete' && one.sources.includes(block)),
  );
}

function backupVerified({ api, evidence }: PlanInput, claim: RawObject): Promise<Guard> {
  return guard('backup-verified', 'there is a fresh snapshot of the volume', async () => {
    const name = claim.spec?.volumeName;
    if (!name) return `claim ${claim.metadata.name} has no volume`;
    const target = { group: '', resource: 'persistentvolumes', kind: 'PersistentVolume', namespace: '', name };
    const handle = (await api.get(target))?.spec?.csi?.volumeHandle;
    const snapshots = (await rowsOf(evidence, 'longhorn.snapshots')).filter(one => one.volume === (handle ?? name));
    const fresh = snapshots.find(one => one.ready && !one.markedRemoved && one.age >= 0 && one.age <= FRESH);
    return fresh
      ? true
      : `volume ${handle ?? name} has no ready snapshot of the last ${FRESH / 60} minutes: take one first`;
  });
}

function claimUnused({ api }: PlanInput, { claim, pod }: Damaged): Promise<Guard> {
  return guard('claim-unused', 'no other pod has the claim', async () => {
    const pods = await api.list('', 'pods', pod.namespace);
    const other = pods.find(
      ({ metadata, spec, status }) =>
        metadata.name !== pod.name &&
        !/Succeeded|Failed/.test(status?.phase ?? '') &&
        (spec?.volumes ?? []).some(
          (volume: RawObject) => volume.persistentVolumeClaim?.claimName === claim.target.name,
        ),
    );
    return other ? `${other.metadata.name} has it too` : true;
  });
}

function budgetOf({ spec }: RawObject): number {
  return Number(spec?.maximumStartupDurationSeconds ?? 900);
}

/** What is lost, as far as the block's name tells: it was written an hour after the end of its two hours. */
function lossOf(block: string, cluster: string): string {
  const written = [...block.slice(0, 10)].reduce((time, letter) => time * 32 + ALPHABET.indexOf(letter), 0);
  const to = Math.floor(written / TWO_HOURS) * TWO_HOURS;
  const text = (time: number) => new Date(time).toISOString().slice(0, 16);
  return `${text(to - TWO_HOURS)} to ${text(to)} of ${cluster}`;
}
