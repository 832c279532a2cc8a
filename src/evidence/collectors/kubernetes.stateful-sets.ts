import { listOf } from '../collector.ts';
import { list, number, strings, text } from '../objects.ts';
import { POD_TEMPLATE, podTemplate } from '../pod-templates.ts';
import { bytes } from '../quantities.ts';
import { LAST_WRITERS, lastWriters } from '../writers.ts';

export const collector = listOf({
  id: 'kubernetes.stateful-sets',
  about: 'StatefulSets, their revisions and claims.',
  core: true,
  group: 'apps',
  resource: 'statefulsets',
  kind: 'StatefulSet',
  fields: {
    replicas: 'int',
    /** Pods that exist, of any revision. */
    existing: 'int',
    ready: 'int',
    available: 'int',
    updated: 'int',
    currentRevision: 'str',
    updateRevision: 'str',
    podManagement: 'str',
    strategy: 'str',
    partition: 'int',
    /** Ordinal of the first pod. */
    firstOrdinal: 'int',
    serviceName: 'str',
    selector: 'map',
    claimTemplates: [{ name: 'str', class: 'str', size: 'int' }],
    generation: 'int',
    observedGeneration: 'int',
    template: POD_TEMPLATE,
    lastWriters: LAST_WRITERS,
  },
  row({ metadata, spec, status }, context) {
    return {
      replicas: number(spec?.replicas, 1),
      existing: number(status?.replicas),
      ready: number(status?.readyReplicas),
      available: number(status?.availableReplicas),
      updated: number(status?.updatedReplicas),
      currentRevision: text(status?.currentRevision),
      updateRevision: text(status?.updateRevision),
      podManagement: text(spec?.podManagementPolicy) || 'OrderedReady',
      strategy: text(spec?.updateStrategy?.type) || 'RollingUpdate',
      partition: number(spec?.updateStrategy?.rollingUpdate?.partition),
      firstOrdinal: number(spec?.ordinals?.start),
      serviceName: text(spec?.serviceName),
      selector: strings(spec?.selector?.matchLabels),
      claimTemplates: list(spec?.volumeClaimTemplates).map(claim => ({
        name: text(claim?.metadata?.name),
        class: text(claim?.spec?.storageClassName),
        size: bytes(claim?.spec?.resources?.requests?.storage),
      })),
      generation: number(metadata.generation),
      observedGeneration: number(status?.observedGeneration),
      template: podTemplate(spec?.template),
      lastWriters: lastWriters(metadata, context),
    };
  },
});
