import type { RawObject } from '../../model/source.ts';
import { listOf } from '../collector.ts';
import { flag, number, strings, text } from '../objects.ts';
import { bytes } from '../quantities.ts';

export const collector = listOf({
  id: 'longhorn.engines',
  about: "The engine of each Longhorn volume: it presents the volume's replicas as a block device.",
  group: 'longhorn.io',
  resource: 'engines',
  kind: 'Engine',
  fields: {
    volume: 'str',
    node: 'str',
    state: 'str',
    currentSize: 'int',
    isExpanding: 'bool',
    lastExpansionError: 'str',
    lastExpansionFailed: 'time',
    /** Replica to RW, WO (it is being rebuilt) or ERR. */
    replicaModes: 'map',
    rebuilding: [{ replica: 'str', progress: 'int', error: 'str' }],
    instanceManager: 'str',
    salvageRequested: 'bool',
  },
  row({ spec, status }) {
    return {
      volume: text(spec?.volumeName),
      node: text(spec?.nodeID),
      state: text(status?.currentState),
      currentSize: bytes(status?.currentSize),
      isExpanding: flag(status?.isExpanding),
      lastExpansionError: text(status?.lastExpansionError),
      lastExpansionFailed: text(status?.lastExpansionFailedAt),
      replicaModes: strings(status?.replicaModeMap),
      rebuilding: Object.entries<RawObject>(status?.rebuildStatus ?? {})
        .filter(([, one]) => one?.isRebuilding)
        .map(([replica, one]) => ({ replica, progress: number(one?.progress), error: text(one?.error) })),
      instanceManager: text(status?.instanceManagerName),
      salvageRequested: flag(spec?.salvageRequested),
    };
  },
});
