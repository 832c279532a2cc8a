import { listOf } from '../collector.ts';
import { text } from '../objects.ts';

export const collector = listOf({
  id: 'longhorn.instance-managers',
  about: 'The instance manager of each node: the process in which engines and replicas run.',
  group: 'longhorn.io',
  resource: 'instancemanagers',
  kind: 'InstanceManager',
  fields: {
    node: 'str',
    /** running, starting, stopped, error or unknown */
    state: 'str',
    /** aio, engine or replica */
    type: 'str',
    dataEngine: 'str',
    image: 'str',
    /** Engines and replicas that it holds. */
    instances: 'int',
  },
  row({ spec, status }) {
    const maps = [status?.instances, status?.instanceEngines, status?.instanceReplicas];
    return {
      node: text(spec?.nodeID),
      state: text(status?.currentState),
      type: text(spec?.type),
      dataEngine: text(spec?.dataEngine) || 'v1',
      image: text(spec?.image),
      instances: maps.reduce((sum, map) => sum + Object.keys(map ?? {}).length, 0),
    };
  },
});
