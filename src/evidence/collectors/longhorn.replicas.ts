import { listOf } from '../collector.ts';
import { age, flag, text } from '../objects.ts';

export const collector = listOf({
  id: 'longhorn.replicas',
  about: 'The copies of each Longhorn volume, and the node and disk that hold them.',
  group: 'longhorn.io',
  resource: 'replicas',
  kind: 'Replica',
  fields: {
    volume: 'str',
    node: 'str',
    disk: 'str',
    diskPath: 'str',
    state: 'str',
    /** '' where it has not failed. */
    failed: 'time',
    failedAge: 'int',
    healthy: 'time',
    healthyAge: 'int',
    healthyEver: 'bool',
    active: 'bool',
  },
  row({ spec, status }, context) {
    const failed = text(spec?.failedAt);
    const healthy = text(spec?.healthyAt);
    return {
      volume: text(spec?.volumeName),
      node: text(spec?.nodeID),
      disk: text(spec?.diskID),
      diskPath: text(spec?.diskPath),
      state: text(status?.currentState),
      failed,
      failedAge: age(context, failed),
      healthy,
      healthyAge: age(context, healthy),
      healthyEver: healthy !== '' || text(spec?.lastHealthyAt) !== '',
      active: flag(spec?.active),
    };
  },
});
