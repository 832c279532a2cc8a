import { listOf } from '../collector.ts';
import { text } from '../objects.ts';

export const collector = listOf({
  id: 'longhorn.orphans',
  about: 'Directories on Longhorn disks that belong to no replica.',
  group: 'longhorn.io',
  resource: 'orphans',
  kind: 'Orphan',
  fields: { node: 'str', disk: 'str', path: 'str', type: 'str' },
  row({ spec }) {
    return {
      node: text(spec?.nodeID),
      disk: text(spec?.parameters?.DiskName),
      path: text(spec?.parameters?.DiskPath),
      type: text(spec?.orphanType) || text(spec?.type),
    };
  },
});
