import type { Ref, ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as cronJobsCollector } from '../collectors/kubernetes.cron-jobs.ts';
import { collector as daemonSetsCollector } from '../collectors/kubernetes.daemon-sets.ts';
import { collector as deploymentsCollector } from '../collectors/kubernetes.deployments.ts';
import { collector as eventsCollector } from '../collectors/kubernetes.events.ts';
import { collector as jobsCollector } from '../collectors/kubernetes.jobs.ts';
import { collector as replicaSetsCollector } from '../collectors/kubernetes.replica-sets.ts';
import { collector as statefulSetsCollector } from '../collectors/kubernetes.stateful-sets.ts';
import { gapElement, gapsIn, known, listOrGap, withUnknownFields } from '../gaps.ts';
import { age, REF, ref } from '../objects.ts';

const ROW = {
  workload: REF,
  message: 'str',
  /** quota, limit-range, service-account, priority-class, webhook, claim-terminating, security, invalid or other */
  class: 'str',
  /** Of the quota, webhook, service account, … */
  name: 'str',
  since: 'time',
  age: 'int',
  lastAge: 'int',
  fromEvent: 'bool',
} as const;

type Failure = ShapeOf<typeof ROW>;
type Event = ShapeOf<typeof eventsCollector.shape>[number];

/** What of a workload tells that pods of it are missing. */
interface Waiting {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly replicas?: number;
  readonly existing?: number;
  readonly desired?: number;
  readonly current?: number;
}

const UNKNOWN = ['message', 'class', 'name', 'since', 'age', 'lastAge', 'fromEvent'] as const;

/** The first that matches counts; a group in it is the name. */
const CLASSES: readonly (readonly [RegExp, string])[] = [
  [/exceeded quota: ([^,]+)/, 'quota'],
  [/failed quota: ([^:]+):/, 'quota'],
  [/failed calling webhook "([^"]+)"/, 'webhook'],
  [/admission webhook "([^"]+)" denied/, 'webhook'],
  [/(?:maximum|minimum) (?:cpu|memory|ephemeral-storage) usage per (?:Container|Pod)/, 'limit-range'],
  [/limit to request ratio/, 'limit-range'],
  [/error looking up service account (?:[^/\s:]+\/)?([^:\s]+)/, 'service-account'],
  [/serviceaccount "([^"]+)" not found/, 'service-account'],
  [/no PriorityClass with name (\S+) was found/, 'priority-class'],
  [/pvc .*is being deleted|persistentvolumeclaim .*is being deleted/i, 'claim-terminating'],
  [/violates PodSecurity "([^"]+)"/, 'security'],
  [/unable to validate against any (?:security context constraint|pod security policy)/, 'security'],
  [/is invalid:|Invalid value|must be /, 'invalid'],
];

/** What the API server refused, and by the name of whom. */
export function classify(message: string): { readonly class: string; readonly name: string } {
  for (const [pattern, name] of CLASSES) {
    const match = pattern.exec(message);
    if (match) return { class: name, name: (match[1] ?? '').trim() };
  }
  return { class: 'other', name: '' };
}

export const collector = derived({
  id: 'kubernetes.create-failures',
  about:
    'The newest refusal to create a pod, or a Job, per workload. Without events it is known of Deployments and ReplicaSets only.',
  core: true,
  shape: [ROW],
  async collect(context) {
    const [deployments, replicaSets, events, ...others] = await Promise.all([
      listOrGap(context.get(deploymentsCollector)),
      listOrGap(context.get(replicaSetsCollector)),
      listOrGap(context.get(eventsCollector)),
      listOrGap(context.get(statefulSetsCollector)),
      listOrGap(context.get(daemonSetsCollector)),
      listOrGap(context.get(jobsCollector)),
      listOrGap(context.get(cronJobsCollector)),
    ]);
    const rows = new Map<string, Failure>();
    const add = (row: Failure) => {
      if (!rows.has(row.workload.key)) rows.set(row.workload.key, row);
    };
    const row = (workload: Ref, message: string, since: string, event?: Event): Failure => ({
      workload,
      message,
      ...classify(message),
      since,
      age: age(context, since),
      lastAge: event ? event.lastAge : 0,
      fromEvent: event !== undefined,
    });
    for (const deployment of known(deployments)) {
      const failure = deployment.conditions.find(
        condition => condition.type === 'ReplicaFailure' && condition.status === 'True',
      );
      const workload = ref('Deployment', deployment.namespace, deployment.name, deployment.uid);
      if (failure) add(row(workload, failure.message, failure.since));
    }
    for (const replicaSet of known(replicaSets)) {
      const workload =
        replicaSet.owner.kind === 'Deployment'
          ? replicaSet.owner
          : ref('ReplicaSet', replicaSet.namespace, replicaSet.name, replicaSet.uid);
      if (replicaSet.failure.message && replicaSet.replicas > 0) {
        add(row(workload, replicaSet.failure.message, replicaSet.failure.since));
      }
    }
    const [eventsGap] = gapsIn(events);
    const [statefulSets = [], daemonSets = [], jobs = [], cronJobs = []] = others as readonly (readonly Waiting[])[];
    const unknown: Failure[] = [];
    for (const { kind, list, isShort } of [
      { kind: 'StatefulSet', list: statefulSets, isShort: (one: Waiting) => (one.existing ?? 0) < (one.replicas ?? 0) },
      { kind: 'DaemonSet', list: daemonSets, isShort: (one: Waiting) => (one.current ?? 0) < (one.desired ?? 0) },
      { kind: 'Job', list: jobs, isShort: () => false },
      { kind: 'CronJob', list: cronJobs, isShort: () => false },
    ]) {
      for (const object of known(list)) {
        const workload = ref(kind, object.namespace, object.name, object.uid);
        const newest = newestRefusal(known(events), object.uid);
        if (newest) add(row(workload, newest.message, newest.first, newest));
        else if (eventsGap && isShort(object))
          unknown.push(withUnknownFields<Failure>({ workload }, eventsGap, UNKNOWN));
      }
    }
    const gaps = [deployments, statefulSets, daemonSets].flatMap(list => gapsIn(list));
    return [...rows.values(), ...unknown, ...gaps.map(gapElement)];
  },
});

/** The newest FailedCreate of an object, unless a SuccessfulCreate came after it. */
function newestRefusal(events: readonly Event[], uid: string): Event | undefined {
  const own = events.filter(event => event.object.uid === uid && uid !== '');
  const newest = (reason: string) =>
    own.filter(event => event.reason === reason).sort((first, second) => first.lastAge - second.lastAge)[0];
  const failed = newest('FailedCreate');
  const succeeded = newest('SuccessfulCreate');
  return failed && (!succeeded || succeeded.lastAge > failed.lastAge) ? failed : undefined;
}
