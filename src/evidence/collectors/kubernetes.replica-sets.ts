import { listOf } from '../collector.ts';
import { list, number, text } from '../objects.ts';

export const collector = listOf({
  id: 'kubernetes.replica-sets',
  about: 'ReplicaSets, for owners of pods and for old revisions.',
  group: 'apps',
  resource: 'replicasets',
  kind: 'ReplicaSet',
  fields: {
    replicas: 'int',
    ready: 'int',
    /** 0 where no Deployment has numbered it. */
    revision: 'int',
    templateHash: 'str',
    failure: { reason: 'str', message: 'str', since: 'time' },
  },
  row({ metadata, spec, status }) {
    const failure = list(status?.conditions).find(
      condition => text(condition?.type) === 'ReplicaFailure' && text(condition.status) === 'True',
    );
    return {
      replicas: number(spec?.replicas, 1),
      ready: number(status?.readyReplicas),
      revision: Number(text(metadata?.annotations?.['deployment.kubernetes.io/revision'])) || 0,
      templateHash: text(metadata?.labels?.['pod-template-hash']),
      failure: {
        reason: text(failure?.reason),
        message: text(failure?.message),
        since: text(failure?.lastTransitionTime),
      },
    };
  },
});
