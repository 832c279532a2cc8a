import { listOf } from '../collector.ts';
import { list, number, text } from '../objects.ts';

export const collector = listOf({
  id: 'kubernetes.csi-nodes',
  about: 'The CSI drivers that are registered on each node.',
  group: 'storage.k8s.io',
  resource: 'csinodes',
  kind: 'CSINode',
  fields: {
    /** `limit` is the most volumes that the driver attaches there; 0 where it says none. */
    drivers: [{ name: 'str', limit: 'int' }],
  },
  row({ spec }) {
    return {
      drivers: list(spec?.drivers).map(driver => ({
        name: text(driver?.name),
        limit: number(driver?.allocatable?.count),
      })),
    };
  },
});
