import type { ShapeOf } from '../../model/shape.ts';
import { listOf } from '../collector.ts';
import { CONDITIONS, conditionsOf } from '../conditions.ts';
import { CONTAINER, containerRow } from '../container-rows.ts';
import { known, listOrGap } from '../gaps.ts';
import { ofSiblings } from '../interning.ts';
import { stuckCreatingFor } from '../missing-objects.ts';
import { age, flag, list, NOBODY, number, REF, ref, strings, text } from '../objects.ts';
import { containerSpecs, containerStatus } from '../pod-containers.ts';
import { VOLUMES, volumesOf } from '../pod-templates.ts';
import { bytes, millicores } from '../quantities.ts';
import { workloadOfPod } from '../workloads.ts';
import { collector as replicaSetsCollector } from './kubernetes.replica-sets.ts';

const TOLERATION = { key: 'str', operator: 'str', value: 'str', effect: 'str', seconds: 'int' } as const;

const toleration = ofSiblings(
  (raw): ShapeOf<typeof TOLERATION> => ({
    key: text(raw?.key),
    operator: text(raw?.operator) || 'Equal',
    value: text(raw?.value),
    effect: text(raw?.effect),
    seconds: number(raw?.tolerationSeconds, -1),
  }),
);

const listed = listOf({
  id: 'kubernetes.pods',
  about: 'Every pod with its conditions, its containers and the workload it belongs to.',
  core: true,
  group: '',
  resource: 'pods',
  kind: 'Pod',
  fields: {
    /** As the API says it: Pending also while some containers run and another never started. */
    phase: 'str',
    reason: 'str',
    message: 'str',
    node: 'str',
    nominatedNode: 'str',
    podIp: 'str',
    hostIp: 'str',
    qos: 'str',
    schedulerName: 'str',
    gated: 'bool',
    gates: ['str'],
    started: 'time',
    startedAge: 'int',
    ready: 'bool',
    readySince: 'time',
    readyAge: 'int',
    conditions: CONDITIONS,
    /** Containers that are not ready; empty on a lost node, whose kubelet changes nothing any more. */
    unready: ['str'],
    /** Some container runs and the pod has an address. */
    anyRunning: 'bool',
    /** Seconds that none of its containers was created though it has a node; -1 where that is not so. */
    stuckCreatingFor: 'int',
    restarts: 'int',
    revision: 'str',
    tolerations: [TOLERATION],
    nodeSelector: 'map',
    priorityClass: 'str',
    priority: 'int',
    hostNetwork: 'bool',
    serviceAccount: 'str',
    imagePullSecrets: ['str'],
    terminationGrace: 'int',
    finalizers: ['str'],
    overhead: { cpu: 'int', memory: 'int' },
    volumes: VOLUMES,
    containers: [CONTAINER],
    workload: REF,
    /** Finished, or failed and replaced by a ready pod of the same workload. */
    history: 'bool',
    /** Its ReplicaSet is not the newest of its Deployment. */
    superseded: 'bool',
    /** It counts: neither history nor replaced by a ready pod of a newer ReplicaSet. */
    current: 'bool',
  },
  row({ metadata, spec, status }, context) {
    const conditions = conditionsOf(status?.conditions, context);
    const ready = conditions.find(condition => condition.type === 'Ready');
    const statuses = new Map(
      [...list(status?.initContainerStatuses), ...list(status?.containerStatuses)].map(entry => [
        text(entry?.name),
        entry,
      ]),
    );
    const ofPod = {
      pod: ref('Pod', text(metadata.namespace), text(metadata.name), text(metadata.uid)),
      node: text(spec?.nodeName),
      podReady: ready?.status === 'True',
      podDeleting: text(metadata.deletionTimestamp) !== '',
      podAge: age(context, text(metadata.creationTimestamp)),
    };
    const containers = containerSpecs(spec).map(container =>
      containerRow(container, containerStatus(statuses.get(container.container), context), ofPod),
    );
    const started = text(status?.startTime);
    const gates = list(spec?.schedulingGates).map(gate => text(gate?.name));
    return {
      phase: text(status?.phase),
      reason: text(status?.reason),
      message: text(status?.message),
      node: text(spec?.nodeName),
      nominatedNode: text(status?.nominatedNodeName),
      podIp: text(status?.podIP),
      hostIp: text(status?.hostIP),
      qos: text(status?.qosClass),
      schedulerName: text(spec?.schedulerName),
      gated: gates.length > 0,
      gates,
      started,
      startedAge: age(context, started),
      ready: ready?.status === 'True',
      readySince: ready?.since ?? '',
      readyAge: ready?.age ?? -1,
      conditions,
      unready: containers.filter(one => one.kind !== 'init' && !one.ready).map(one => one.container),
      anyRunning: text(status?.podIP) !== '' && containers.some(one => one.state === 'running'),
      stuckCreatingFor: stuckCreatingFor({
        phase: text(status?.phase),
        node: text(spec?.nodeName),
        deleting: text(metadata.deletionTimestamp) !== '',
        containers,
        conditions,
      }),
      restarts: containers.reduce((sum, one) => sum + one.restarts, 0),
      revision: text(metadata.labels?.['controller-revision-hash']) || text(metadata.labels?.['pod-template-hash']),
      tolerations: list(spec?.tolerations).map(raw => toleration(raw)),
      nodeSelector: strings(spec?.nodeSelector),
      priorityClass: text(spec?.priorityClassName),
      priority: number(spec?.priority),
      hostNetwork: flag(spec?.hostNetwork),
      serviceAccount: text(spec?.serviceAccountName),
      imagePullSecrets: list(spec?.imagePullSecrets).map(secret => text(secret?.name)),
      terminationGrace: number(spec?.terminationGracePeriodSeconds, 30),
      finalizers: list(metadata.finalizers).map(text),
      overhead: { cpu: millicores(spec?.overhead?.cpu), memory: bytes(spec?.overhead?.memory) },
      volumes: volumesOf(spec, text(metadata.name)),
      containers,
      workload: NOBODY,
      history: false,
      superseded: false,
      current: true,
    };
  },
});

type Pod = ShapeOf<typeof listed.shape>[number];

/** ReplicaSets only name the Deployment: where they cannot be read, its name follows from the pod's own. */
export const collector = {
  ...listed,
  needs: [...listed.needs, ...replicaSetsCollector.needs],
  async collect(context: Parameters<typeof listed.collect>[0]): Promise<readonly Pod[]> {
    const [rows, replicaSets] = await Promise.all([
      listed.collect(context),
      listOrGap(context.get(replicaSetsCollector)),
    ]);
    const byKey = new Map(known(replicaSets).map(replicaSet => [replicaSet.key, replicaSet]));
    const newest = new Map<string, number>();
    for (const { owner, revision } of byKey.values()) {
      newest.set(owner.key, Math.max(newest.get(owner.key) ?? 0, revision));
    }
    const pods = known(rows);
    for (const pod of pods) {
      const replicaSet = byKey.get(pod.owner.key);
      const superseded =
        replicaSet !== undefined && replicaSet.revision > 0 && replicaSet.revision < newest.get(replicaSet.owner.key)!;
      complete(pod, { workload: workloadOfPod(pod, byKey), superseded });
    }
    const ready = pods.filter(pod => pod.ready && !pod.deleting);
    const wellAgain = new Set(ready.map(pod => pod.workload.key));
    const replaced = new Set(ready.filter(pod => !pod.superseded).map(pod => pod.workload.key));
    for (const pod of pods) {
      const history = pod.phase === 'Succeeded' || (pod.phase === 'Failed' && wellAgain.has(pod.workload.key));
      complete(pod, { history, current: !history && !(pod.superseded && replaced.has(pod.workload.key)) });
    }
    return rows;
  },
};

/** What is only known beside other pods, of a pod and its containers, whose rows nobody else has seen yet. */
function complete(pod: Pod, fields: Partial<Pick<Pod, 'workload' | 'superseded' | 'history' | 'current'>>): void {
  for (const row of [pod, ...pod.containers]) Object.assign(row, fields);
}
