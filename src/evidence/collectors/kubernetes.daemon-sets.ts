import { listOf } from '../collector.ts';
import { number, strings, text } from '../objects.ts';
import { POD_TEMPLATE, podTemplate } from '../pod-templates.ts';
import { LAST_WRITERS, lastWriters } from '../writers.ts';

export const collector = listOf({
  id: 'kubernetes.daemon-sets',
  about: 'DaemonSets: how many of their pods are wanted, there and ready.',
  core: true,
  group: 'apps',
  resource: 'daemonsets',
  kind: 'DaemonSet',
  fields: {
    desired: 'int',
    current: 'int',
    ready: 'int',
    updated: 'int',
    unavailable: 'int',
    misscheduled: 'int',
    strategy: 'str',
    generation: 'int',
    observedGeneration: 'int',
    selector: 'map',
    template: POD_TEMPLATE,
    lastWriters: LAST_WRITERS,
  },
  row({ metadata, spec, status }, context) {
    return {
      desired: number(status?.desiredNumberScheduled),
      current: number(status?.currentNumberScheduled),
      ready: number(status?.numberReady),
      updated: number(status?.updatedNumberScheduled),
      unavailable: number(status?.numberUnavailable),
      misscheduled: number(status?.numberMisscheduled),
      strategy: text(spec?.updateStrategy?.type) || 'RollingUpdate',
      generation: number(metadata.generation),
      observedGeneration: number(status?.observedGeneration),
      selector: strings(spec?.selector?.matchLabels),
      template: podTemplate(spec?.template),
      lastWriters: lastWriters(metadata, context),
    };
  },
});
