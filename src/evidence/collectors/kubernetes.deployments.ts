import { listOf } from '../collector.ts';
import { CONDITIONS, conditionsOf } from '../conditions.ts';
import { flag, number, strings, text, textOrNumber } from '../objects.ts';
import { POD_TEMPLATE, podTemplate } from '../pod-templates.ts';
import { LAST_WRITERS, lastWriters } from '../writers.ts';

export const collector = listOf({
  id: 'kubernetes.deployments',
  about: 'Deployments and their rollout.',
  core: true,
  group: 'apps',
  resource: 'deployments',
  kind: 'Deployment',
  fields: {
    replicas: 'int',
    /** Pods that exist, of any revision. */
    existing: 'int',
    ready: 'int',
    available: 'int',
    updated: 'int',
    strategy: 'str',
    maxUnavailable: 'str',
    maxSurge: 'str',
    generation: 'int',
    observedGeneration: 'int',
    revision: 'int',
    paused: 'bool',
    selector: 'map',
    template: POD_TEMPLATE,
    conditions: CONDITIONS,
    /** Reason of the condition Progressing. */
    progressing: 'str',
    progressDeadline: 'int',
    unavailableFor: 'int',
    lastWriters: LAST_WRITERS,
  },
  row({ metadata, spec, status }, context) {
    const conditions = conditionsOf(status?.conditions, context);
    const available = conditions.find(condition => condition.type === 'Available');
    return {
      replicas: number(spec?.replicas, 1),
      existing: number(status?.replicas),
      ready: number(status?.readyReplicas),
      available: number(status?.availableReplicas),
      updated: number(status?.updatedReplicas),
      strategy: text(spec?.strategy?.type),
      maxUnavailable: textOrNumber(spec?.strategy?.rollingUpdate?.maxUnavailable),
      maxSurge: textOrNumber(spec?.strategy?.rollingUpdate?.maxSurge),
      generation: number(metadata.generation),
      observedGeneration: number(status?.observedGeneration),
      revision: Number(text(metadata.annotations?.['deployment.kubernetes.io/revision'])) || 0,
      paused: flag(spec?.paused),
      selector: strings(spec?.selector?.matchLabels),
      template: podTemplate(spec?.template),
      conditions,
      progressing: conditions.find(condition => condition.type === 'Progressing')?.reason ?? '',
      progressDeadline: number(spec?.progressDeadlineSeconds, 600),
      unavailableFor: available?.status === 'False' ? available.age : 0,
      lastWriters: lastWriters(metadata, context),
    };
  },
});
