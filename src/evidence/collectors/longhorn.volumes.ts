import { listOf } from '../collector.ts';
import { CONDITIONS, conditionsOf } from '../conditions.ts';
import { age, flag, list, NOBODY, number, REF, ref, text } from '../objects.ts';
import { bytes } from '../quantities.ts';

export const collector = listOf({
  id: 'longhorn.volumes',
  about: 'Longhorn volumes. An empty list where Longhorn is not installed.',
  core: true,
  group: 'longhorn.io',
  resource: 'volumes',
  kind: 'Volume',
  fields: {
    installed: 'bool',
    /** creating, attached, detached, attaching, detaching or deleting */
    state: 'str',
    /** healthy, degraded, faulted, or unknown, which is usual while nothing is attached */
    robustness: 'str',
    size: 'int',
    /** Snapshots included: not how full the filesystem is. */
    actualSize: 'int',
    replicas: 'int',
    /** Where it is attached; '' where it is not. */
    node: 'str',
    /** Where it was asked to be attached. */
    wantedNode: 'str',
    image: 'str',
    lastDegraded: 'time',
    lastDegradedAge: 'int',
    scheduled: 'bool',
    schedulingReason: 'str',
    schedulingMessage: 'str',
    /** The parts of the message, each trimmed. */
    schedulingTerms: ['str'],
    tooManySnapshots: 'bool',
    restoreRequired: 'bool',
    expansionRequired: 'bool',
    remountRequested: 'time',
    remountRequestedAge: 'int',
    conditions: CONDITIONS,
    claim: REF,
    persistentVolume: 'str',
    workloads: [{ pod: 'str', status: 'str', workload: 'str', kind: 'str' }],
    accessMode: 'str',
    dataLocality: 'str',
    softAntiAffinity: 'str',
    nodeSelector: ['str'],
    diskSelector: ['str'],
    frontend: 'str',
  },
  row({ spec, status }, context) {
    const conditions = conditionsOf(status?.conditions, context);
    const scheduled = conditions.find(condition => condition.type === 'Scheduled');
    const kubernetes = status?.kubernetesStatus;
    const claimName = text(kubernetes?.pvcName);
    return {
      installed: true,
      state: text(status?.state),
      robustness: text(status?.robustness),
      size: bytes(spec?.size),
      actualSize: number(status?.actualSize),
      replicas: number(spec?.numberOfReplicas),
      node: text(status?.currentNodeID),
      wantedNode: text(spec?.nodeID),
      image: text(status?.currentImage) || text(spec?.image),
      lastDegraded: text(status?.lastDegradedAt),
      lastDegradedAge: age(context, text(status?.lastDegradedAt)),
      scheduled: scheduled?.status === 'True',
      schedulingReason: scheduled?.reason ?? '',
      schedulingMessage: scheduled?.message ?? '',
      schedulingTerms: (scheduled?.message ?? '')
        .split(/[;:]/)
        .map(term => term.trim())
        .filter(term => term !== ''),
      tooManySnapshots: conditions.some(one => one.type === 'TooManySnapshots' && one.status === 'True'),
      restoreRequired: flag(status?.restoreRequired),
      expansionRequired: flag(status?.expansionRequired),
      remountRequested: text(status?.remountRequestedAt),
      remountRequestedAge: age(context, text(status?.remountRequestedAt)),
      conditions,
      claim: claimName ? ref('PersistentVolumeClaim', text(kubernetes?.namespace), claimName) : NOBODY,
      persistentVolume: text(kubernetes?.pvName),
      workloads: list(kubernetes?.workloadsStatus).map(one => ({
        pod: text(one?.podName),
        status: text(one?.podStatus),
        workload: text(one?.workloadName),
        kind: text(one?.workloadType),
      })),
      accessMode: text(spec?.accessMode),
      dataLocality: text(spec?.dataLocality),
      softAntiAffinity: text(spec?.replicaSoftAntiAffinity),
      nodeSelector: list(spec?.nodeSelector).map(text),
      diskSelector: list(spec?.diskSelector).map(text),
      frontend: text(spec?.frontend),
    };
  },
});
