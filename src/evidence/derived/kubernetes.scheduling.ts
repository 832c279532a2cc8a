import type { Gap } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as eventsCollector } from '../collectors/kubernetes.events.ts';
import { collector as nodesCollector } from '../collectors/kubernetes.nodes.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { gapOf, gapped, known, withUnknownFields } from '../gaps.ts';
import { REF, ref } from '../objects.ts';
import { type Requests, requestsOf } from '../requests.ts';
import { parseSchedulerText, type SchedulerReason } from '../scheduler-text.ts';

const TAINT = { key: 'str', value: 'str', effect: 'str' } as const;

const ROW = {
  pod: REF,
  workload: REF,
  current: 'bool',
  /** Seconds since the scheduler first refused it; since it was created, where it has said nothing. */
  waitingFor: 'int',
  since: 'time',
  /** The scheduler says Unschedulable, and is not making room for it just now. */
  unschedulable: 'bool',
  /** Nodes that the scheduler looked at. */
  nodes: 'int',
  text: 'str',
  reasons: [{ nodes: 'int', id: 'str', text: 'str', resource: 'str', taint: TAINT, design: 'bool' }],
  /** Ids of the reasons that decide: what is normal for some nodes counts only where it excludes every node. */
  blocking: ['str'],
  /** Resources that are short: cpu, memory, ephemeral-storage, … */
  resources: ['str'],
  /** Taints that the pod does not tolerate, node by node. */
  taints: [{ node: 'str', ...TAINT, addedAge: 'int' }],
  cordoned: ['str'],
  fitsEmptyNode: 'bool',
  requests: { cpu: 'int', memory: 'int', storage: 'int' },
  claims: ['str'],
  schedulerName: 'str',
  /** Nobody has looked at the pod. */
  schedulerSilent: 'bool',
} as const;

type Scheduling = ShapeOf<typeof ROW>;
type Pod = ShapeOf<typeof podsCollector.shape>[number];
type Node = ShapeOf<typeof nodesCollector.shape>[number];

/** Victims of a preemption go within this time (seconds). */
const NOMINATED_GRACE = 300;
/** A pod that the scheduler has not looked at for so long waits in vain (seconds). */
const SCHEDULER_SILENCE = 60;

export const collector = derived({
  id: 'kubernetes.scheduling',
  about: 'Why pods without a node have none, taken apart.',
  core: true,
  shape: [ROW],
  async collect(context) {
    const pods = await context.get(podsCollector);
    const rows: Scheduling[] = [];
    for (const pod of pods) {
      if (gapOf(pod)) rows.push(pod as never);
      else if (pod.phase === 'Pending' && pod.node === '' && !pod.deleting) rows.push(await rowOf(pod, context));
    }
    return rows;
  },
});

async function rowOf(pod: Pod, context: Context): Promise<Scheduling> {
  const condition = pod.conditions.find(one => one.type === 'PodScheduled');
  const refused = condition?.status === 'False';
  const message = (refused && condition.message) || (refused ? await newestEvent(pod, context) : '');
  const { nodes, reasons, preemption } = parseSchedulerText(message);
  const allNodes = await gapped(context.get(nodesCollector));
  const gap = gapOf(allNodes);
  const knownNodes = gap ? [] : known(allNodes);
  const requests = requestsOf(pod);
  const taints = knownNodes.flatMap(node => untolerated(pod, node));
  const judged = pod.gated
    ? [{ nodes, id: 'gated', text: message, resource: '', taint: { key: '', value: '', effect: '' }, design: false }]
    : reasons.map(reason => withDesign(reason, taints));
  const nominated = pod.nominatedNode !== '' && (condition?.age ?? 0) < NOMINATED_GRACE;
  const row: Scheduling = {
    pod: ref('Pod', pod.namespace, pod.name, pod.uid),
    workload: pod.workload,
    current: pod.current,
    waitingFor: refused ? condition.age : pod.age,
    since: refused ? condition.since : pod.created,
    unschedulable: refused && condition.reason === 'Unschedulable' && !pod.gated && !nominated,
    nodes,
    text: message,
    reasons: judged,
    blocking: blocking(judged, nodes),
    resources: [...new Set(judged.map(reason => reason.resource).filter(resource => resource !== ''))].sort(),
    taints,
    cordoned: knownNodes.filter(node => node.unschedulable).map(node => node.name),
    fitsEmptyNode:
      preemption === 'fits-empty' || (preemption === '' && knownNodes.some(node => isLargeEnough(node, requests))),
    requests,
    claims: pod.volumes.filter(volume => volume.kind === 'claim').map(volume => volume.source),
    schedulerName: pod.schedulerName,
    schedulerSilent: condition === undefined && !pod.gated && pod.age > SCHEDULER_SILENCE,
  };
  return gap ? withoutNodes(row, gap, preemption === '') : row;
}

/** The reasons stay known without the nodes, except which taint it is where the text does not name it. */
function withoutNodes(row: Scheduling, gap: Gap, unknownFit: boolean): Scheduling {
  const nameless = row.reasons.some(reason => reason.id === 'taint' && reason.taint.key === '');
  const { taints: _, cordoned: __, ...rest } = row;
  return withUnknownFields<Scheduling>(rest, gap, [
    'taints',
    'cordoned',
    ...(unknownFit ? (['fitsEmptyNode'] as const) : []),
    ...(nameless ? (['blocking'] as const) : []),
  ]);
}

async function newestEvent(pod: Pod, context: Context): Promise<string> {
  const events = await gapped(context.get(eventsCollector));
  if (gapOf(events)) return '';
  const own = known(events).filter(event => event.reason === 'FailedScheduling' && event.object.uid === pod.uid);
  return own.sort((first, second) => first.lastAge - second.lastAge)[0]?.message ?? '';
}

function isControlPlane(key: string): boolean {
  return key === 'node-role.kubernetes.io/control-plane' || key === 'node-role.kubernetes.io/master';
}

type Judged = Scheduling['reasons'][number];

/**
 * A reason is by design where it is normal for some nodes: the control plane's taint, a selector or node affinity. A
 * text that names no taint (1.34 and later) is by design where no node has another one that the pod does not tolerate.
 */
function withDesign(reason: SchedulerReason, taints: Scheduling['taints']): Judged {
  const other = taints.find(taint => !isControlPlane(taint.key));
  if (reason.id === 'taint') {
    const named = reason.taint.key !== '';
    const same = taints.find(taint => taint.key === reason.taint.key);
    const taint = named
      ? { ...reason.taint, effect: same?.effect ?? '' }
      : {
          key: (other ?? taints[0])?.key ?? '',
          value: (other ?? taints[0])?.value ?? '',
          effect: (other ?? taints[0])?.effect ?? '',
        };
    const design = named ? isControlPlane(reason.taint.key) : other === undefined && taints.length > 0;
    return { ...reason, taint, design };
  }
  const design = reason.text.includes("didn't match Pod's node affinity");
  return { ...reason, taint: { key: '', value: '', effect: '' }, design };
}

function blocking(reasons: readonly Judged[], nodes: number): readonly string[] {
  const byDesign = reasons.filter(reason => reason.design);
  const excluded = byDesign.reduce((sum, reason) => sum + reason.nodes, 0);
  const deciding = excluded >= nodes ? reasons : reasons.filter(reason => !reason.design);
  return [...new Set(deciding.map(reason => reason.id))];
}

function untolerated(pod: Pod, node: Node): Scheduling['taints'] {
  return node.taints
    .filter(taint => taint.effect === 'NoSchedule' || taint.effect === 'NoExecute')
    .filter(taint => !pod.tolerations.some(toleration => tolerates(toleration, taint)))
    .map(({ key, value, effect, addedAge }) => ({ node: node.name, key, value, effect, addedAge }));
}

function tolerates(toleration: Pod['tolerations'][number], taint: Node['taints'][number]): boolean {
  if (toleration.effect !== '' && toleration.effect !== taint.effect) return false;
  if (toleration.operator === 'Exists') return toleration.key === '' || toleration.key === taint.key;
  return toleration.key === taint.key && toleration.value === taint.value;
}

function isLargeEnough({ allocatable }: Node, requests: Requests): boolean {
  return (
    allocatable.cpu >= requests.cpu && allocatable.memory >= requests.memory && allocatable.storage >= requests.storage
  );
}
