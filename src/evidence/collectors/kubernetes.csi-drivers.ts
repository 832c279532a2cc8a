import { listOf } from '../collector.ts';
import { flag } from '../objects.ts';

export const collector = listOf({
  id: 'kubernetes.csi-drivers',
  about: 'The CSI drivers that the cluster knows.',
  group: 'storage.k8s.io',
  resource: 'csidrivers',
  kind: 'CSIDriver',
  fields: { attachRequired: 'bool', podInfoOnMount: 'bool' },
  row({ spec }) {
    return { attachRequired: flag(spec?.attachRequired, true), podInfoOnMount: flag(spec?.podInfoOnMount) };
  },
});
