import type { Gap } from '../../model/gap.ts';
import { GapSignal } from '../../model/gap.ts';
import type { Ref, ShapeOf } from '../../model/shape.ts';
import { attachTrouble, mountTrouble } from '../attach-errors.ts';
import { derived } from '../collector.ts';
import { collector as driversCollector } from '../collectors/kubernetes.csi-drivers.ts';
import { collector as eventsCollector } from '../collectors/kubernetes.events.ts';
import { collector as nodesCollector } from '../collectors/kubernetes.nodes.ts';
import { collector as claimsCollector } from '../collectors/kubernetes.persistent-volume-claims.ts';
import { collector as volumesCollector } from '../collectors/kubernetes.persistent-volumes.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { collector as classesCollector } from '../collectors/kubernetes.storage-classes.ts';
import { collector as attachmentsCollector } from '../collectors/kubernetes.volume-attachments.ts';
import { collector as enginesCollector } from '../collectors/longhorn.engines.ts';
import { collector as replicasCollector } from '../collectors/longhorn.replicas.ts';
import { collector as ticketsCollector } from '../collectors/longhorn.volume-attachments.ts';
import { collector as longhornCollector } from '../collectors/longhorn.volumes.ts';
import { findKnown, gapOf, gapsIn, known, listOrGap, mapKnown } from '../gaps.ts';
import { NOBODY, REF, ref } from '../objects.ts';

export const LONGHORN = 'driver.longhorn.io';

const ATTACHMENT = {
  key: 'str',
  /** '' where none has been made. */
  name: 'str',
  node: 'str',
  attached: 'bool',
  error: 'str',
  answered: 'bool',
  since: 'time',
  age: 'int',
} as const;

const ROW = {
  claim: REF,
  phase: 'str',
  accessModes: ['str'],
  pods: [REF],
  workloads: [REF],
  /** Pods of which no container has started. */
  waitingPods: [REF],
  waitingWorkloads: [REF],
  /** Seconds that the first of them has waited since it had a node; -1 for none. */
  waitingFor: 'int',
  wanted: 'bool',
  /** Node of the pod that waits, else of any pod; '' while none has one. */
  node: 'str',
  nodeKey: 'str',
  /** The node got ready minutes ago only: drivers are still registering. */
  nodeBooting: 'bool',
  class: 'str',
  volume: 'str',
  persistentVolume: REF,
  driver: 'str',
  handle: 'str',
  attachRequired: 'bool',
  /** To the node of the pod. */
  attachment: ATTACHMENT,
  /** To other nodes. */
  elsewhere: [{ ...ATTACHMENT, nodeExists: 'bool', deletingAge: 'int', pods: [REF], workloads: [REF] }],
  /** The newest event FailedAttachVolume, or FailedMount of this volume, of a pod that waits; '' for none. */
  attachEvent: { message: 'str', last: 'time', lastAge: 'int', count: 'int', first: 'time' },
  mountEvent: { message: 'str', last: 'time', lastAge: 'int', count: 'int', first: 'time' },
  longhorn: {
    /** Longhorn's own object of the volume is there. */
    exists: 'bool',
    key: 'str',
    name: 'str',
    state: 'str',
    robustness: 'str',
    scheduled: 'bool',
    schedulingReason: 'str',
    node: 'str',
    image: 'str',
    size: 'int',
    actualSize: 'int',
    replicas: 'int',
    replicasHealthy: 'int',
    engineState: 'str',
    ticketError: 'str',
  },
  /** '' or the first broken link: claim, class, provision, volume, attach, engine or mount */
  brokenAt: 'str',
  /** In a word, what the driver's own text says. */
  why: 'str',
  mountWhy: 'str',
  since: 'time',
  age: 'int',
} as const;

export type Chain = ShapeOf<typeof ROW>;
type Claim = ShapeOf<typeof claimsCollector.shape>[number];
type Pod = ShapeOf<typeof podsCollector.shape>[number];
type Attachment = ShapeOf<typeof attachmentsCollector.shape>[number];

/** Seconds after a node became ready in which its drivers may still be missing. */
const BOOT_GRACE = 180;
/** Seconds in which an event says something of now. */
const EVENT_FRESH = 300;
/** Seconds that a pod may take to get its volumes. */
const MOUNT_GRACE = 180;

const NO_ATTACHMENT = { key: '', name: '', node: '', attached: false, error: '', answered: false, since: '', age: -1 };
const NO_EVENT = { message: '', last: '', lastAge: -1, count: 0, first: '' };
const NO_LONGHORN = {
  exists: false,
  key: '',
  name: '',
  state: '',
  robustness: '',
  scheduled: false,
  schedulingReason: '',
  node: '',
  image: '',
  size: 0,
  actualSize: 0,
  replicas: 0,
  replicasHealthy: 0,
  engineState: '',
  ticketError: '',
};

/** What the pod that waits decides. */
const OF_WAITING = [
  'waitingPods',
  'waitingWorkloads',
  'waitingFor',
  'node',
  'nodeKey',
  'nodeBooting',
  'attachment',
  'elsewhere',
  'attachEvent',
  'mountEvent',
  'brokenAt',
  'why',
  'mountWhy',
  'since',
  'age',
] as const satisfies readonly (keyof Chain & string)[];

export const collector = derived({
  id: 'storage.chains',
  about: 'From each claim to its pods, its volume, the attachment to their node, and the Longhorn volume behind it.',
  core: true,
  shape: [ROW],
  async collect(context): Promise<readonly Chain[]> {
    const claims = await context.get(claimsCollector);
    const [pods, volumes, classes, attachments, nodes, drivers, events] = await Promise.all([
      listOrGap(context.get(podsCollector)),
      listOrGap(context.get(volumesCollector)),
      listOrGap(context.get(classesCollector)),
      listOrGap(context.get(attachmentsCollector)),
      listOrGap(context.get(nodesCollector)),
      listOrGap(context.get(driversCollector)),
      listOrGap(context.get(eventsCollector)),
    ]);
    const [longhorn, engines, replicas, tickets] = await Promise.all([
      listOrGap(context.get(longhornCollector)),
      listOrGap(context.get(enginesCollector)),
      listOrGap(context.get(replicasCollector)),
      listOrGap(context.get(ticketsCollector)),
    ]);
    const podByKey = new Map(known(pods).map(pod => [pod.key, pod]));
    return mapKnown(claims, chainOf);

    function chainOf(claim: Claim): Chain {
      const users = known(claim.usedBy).map(user => podByKey.get(user.key)!);
      const waiting = users.filter(pod => !pod.deleting && hasNotStarted(pod));
      const placed = waiting.find(pod => pod.node !== '') ?? users.find(pod => pod.node !== '');
      const node = placed?.node ?? '';
      const unknown = new Map<keyof Chain & string, Gap>();
      // A pod that could not be read may be the one that waits.
      const [hidden] = gapsIn(claim.usedBy);
      if (hidden && waiting.length === 0) for (const field of OF_WAITING) unknown.set(field, hidden);
      const part = <Field extends keyof Chain & string>(field: Field, compute: () => Chain[Field]): Chain[Field] => {
        try {
          return compute();
        } catch (error) {
          if (!(error instanceof GapSignal)) throw error;
          unknown.set(field, error.gap);
          return undefined as never;
        }
      };
      const driver = part('driver', () => findKnown(volumes, one => one.name === claim.volume)?.driver ?? '');
      const handle = part('handle', () => findKnown(volumes, one => one.name === claim.volume)?.handle ?? '');
      const attachment = part('attachment', () => attachmentTo(claim, node));
      const attachEvent = part('attachEvent', () => newestEvent(waiting, 'FailedAttachVolume', claim.volume));
      const mountEvent = part('mountEvent', () => newestEvent(waiting, 'FailedMount', claim.volume));
      const behind = part('longhorn', () => longhornOf(orThrow('driver', driver), handle));
      const row: Chain = {
        claim: ref('PersistentVolumeClaim', claim.namespace, claim.name, claim.uid),
        phase: claim.phase,
        accessModes: claim.accessModes,
        pods: claim.usedBy,
        workloads: claim.workloads,
        waitingPods: waiting.map(podRef),
        waitingWorkloads: distinctRefs(waiting.map(pod => pod.workload)),
        waitingFor: Math.max(-1, ...waiting.filter(pod => pod.node !== '').map(scheduledAge)),
        wanted: part('wanted', () => claim.wanted),
        node,
        nodeKey: node ? `Node ${node}` : '',
        nodeBooting: part('nodeBooting', () => isBooting(node)),
        class: claim.class,
        volume: claim.volume,
        persistentVolume: claim.volume ? ref('PersistentVolume', '', claim.volume) : NOBODY,
        driver,
        handle,
        attachRequired: part('attachRequired', () => requiresAttachment(orThrow('driver', driver))),
        attachment,
        elsewhere: part('elsewhere', () => otherAttachments(claim, node, users)),
        attachEvent,
        mountEvent,
        longhorn: behind,
        brokenAt: part('brokenAt', () =>
          brokenAt(
            claim,
            waiting,
            () => orThrow('attachment', attachment),
            () => orThrow('driver', driver),
          ),
        ),
        why: part('why', () =>
          attachTrouble(orThrow('attachment', attachment).error || orThrow('attachEvent', attachEvent).message),
        ),
        mountWhy: part('mountWhy', () => mountTrouble(orThrow('mountEvent', mountEvent).message)),
        since: part('since', () => orThrow('attachment', attachment).since || (waiting[0]?.created ?? '')),
        age: part('age', () => Math.max(orThrow('attachment', attachment).age, ...waiting.map(pod => pod.age), -1)),
      };
      return unknown.size === 0 ? row : unknownIn(row, unknown);

      function orThrow<Value>(field: keyof Chain & string, value: Value): Value {
        const gap = unknown.get(field);
        if (gap) throw new GapSignal(gap);
        return value;
      }
    }

    function attachmentTo(claim: Claim, node: string): Chain['attachment'] {
      if (claim.volume === '' || node === '') return NO_ATTACHMENT;
      const found = findKnown(attachments, one => one.volume === claim.volume && one.node === node);
      return found ? attachmentRow(found) : NO_ATTACHMENT;
    }

    function otherAttachments(claim: Claim, node: string, users: readonly Pod[]): Chain['elsewhere'] {
      if (claim.volume === '') return [];
      return mapKnown(
        attachments.filter(one => gapOf(one) || (one.volume === claim.volume && one.node !== node)),
        one => {
          const there = users.filter(pod => pod.node === one.node);
          return {
            ...attachmentRow(one),
            nodeExists: one.nodeExists,
            deletingAge: one.deletingAge,
            pods: there.map(podRef),
            workloads: distinctRefs(there.map(pod => pod.workload)),
          };
        },
      );
    }

    function isBooting(node: string): boolean {
      if (node === '') return false;
      const found = findKnown(nodes, one => one.name === node);
      return found !== undefined && found.ready === 'True' && found.readyAge < BOOT_GRACE;
    }

    function requiresAttachment(driver: string): boolean {
      if (driver === '' || driver === LONGHORN) return driver === LONGHORN;
      return findKnown(drivers, one => one.name === driver)?.attachRequired ?? true;
    }

    function newestEvent(waiting: readonly Pod[], reason: string, volume: string): Chain['attachEvent'] {
      if (waiting.length === 0) return NO_EVENT;
      const uids = new Set(waiting.map(pod => pod.uid));
      const own = known(events)
        .filter(one => one.reason === reason && uids.has(one.object.uid) && one.lastAge <= EVENT_FRESH)
        .filter(one => volume !== '' && one.message.includes(`"${volume}"`))
        .sort((first, second) => first.lastAge - second.lastAge);
      const [newest] = own;
      if (newest) {
        const { message, last, lastAge, count, first } = newest;
        return { message, last, lastAge, count, first };
      }
      findKnown(events, () => false);
      return NO_EVENT;
    }

    function longhornOf(driver: string, handle: string): Chain['longhorn'] {
      if (driver !== LONGHORN) return NO_LONGHORN;
      const volume = findKnown(longhorn, one => one.name === handle);
      if (!volume) return { ...NO_LONGHORN, name: handle };
      const engine = known(engines).find(one => one.volume === handle);
      const copies = known(replicas).filter(one => one.volume === handle);
      const refused = known(tickets)
        .find(one => one.volume === handle)
        ?.tickets.find(ticket => !ticket.satisfied && ticket.message !== '');
      return {
        exists: true,
        key: volume.key,
        name: handle,
        state: volume.state,
        robustness: volume.robustness,
        scheduled: volume.scheduled,
        schedulingReason: volume.schedulingReason,
        node: volume.node,
        image: volume.image,
        size: volume.size,
        actualSize: volume.actualSize,
        replicas: volume.replicas,
        replicasHealthy: copies.filter(one => one.failed === '' && one.healthyEver).length,
        engineState: engine?.state ?? '',
        ticketError: refused?.message ?? '',
      };
    }

    function brokenAt(
      claim: Claim,
      waiting: readonly Pod[],
      attachment: () => Chain['attachment'],
      driver: () => string,
    ): string {
      if (claim.phase === 'Lost') return 'volume';
      if (claim.phase === 'Pending') {
        const named = claim.class !== '' && findKnown(classes, one => one.name === claim.class) === undefined;
        return named ? 'class' : 'provision';
      }
      if (findKnown(volumes, one => one.name === claim.volume) === undefined) return 'volume';
      if (waiting.every(pod => pod.node === '')) return '';
      if (requiresAttachment(driver()) && !attachment().attached) return 'attach';
      return Math.max(...waiting.map(scheduledAge)) > MOUNT_GRACE ? 'mount' : '';
    }
  },
});

function unknownIn(row: Chain, unknown: ReadonlyMap<keyof Chain & string, Gap>): Chain {
  const copy: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(row)) {
    const gap = unknown.get(field as keyof Chain & string);
    if (!gap) copy[field] = value;
    else {
      Object.defineProperty(copy, field, {
        enumerable: true,
        get() {
          throw new GapSignal(gap);
        },
      });
    }
  }
  return copy as Chain;
}

function podRef(pod: Pod): Ref {
  return ref('Pod', pod.namespace, pod.name, pod.uid);
}

function distinctRefs(refs: readonly Ref[]): readonly Ref[] {
  return [...new Map(refs.map(one => [one.key, one])).values()];
}

/** Nothing of it runs or has run: it waits for a node, a volume or a sandbox. */
function hasNotStarted(pod: Pod): boolean {
  if (pod.phase !== 'Pending') return false;
  return pod.containers.every(
    one =>
      one.state === '' ||
      (one.state === 'waiting' && (one.reason === 'ContainerCreating' || one.reason === 'PodInitializing')),
  );
}

function scheduledAge(pod: Pod): number {
  const scheduled = pod.conditions.find(one => one.type === 'PodScheduled' && one.status === 'True');
  return scheduled && scheduled.age >= 0 ? scheduled.age : pod.age;
}

function attachmentRow(one: Attachment): Chain['attachment'] {
  return {
    key: one.key,
    name: one.name,
    node: one.node,
    attached: one.attached,
    error: one.error,
    answered: one.answered,
    since: one.created,
    age: one.age,
  };
}
