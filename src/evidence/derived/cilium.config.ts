import { GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as configMapsCollector } from '../collectors/kubernetes.config-maps.ts';
import { collector as daemonSetsCollector } from '../collectors/kubernetes.daemon-sets.ts';
import { imageVersion, repository } from '../components/identify.ts';
import { findKnown, gapped, known, listOrGap, withUnknownFields } from '../gaps.ts';
import { objectKey } from '../objects.ts';
import { isCiliumAgent } from '../system-components.ts';
import { collector as systemCollector } from './kubernetes.system-workloads.ts';

const SHAPE = {
  installed: 'bool',
  version: 'str',
  namespace: 'str',
  /** Key of the ConfigMap with what follows. */
  key: 'str',
  kubeProxyReplacement: 'bool',
  l2Announcements: 'bool',
  lbIpam: 'bool',
  /** lbipam, nodeipam or none */
  defaultLbServiceIpam: 'str',
  externalEnvoy: 'bool',
  ingressController: 'bool',
  /** dedicated or shared */
  ingressMode: 'str',
  /** Name of the shared entry Service. */
  ingressService: 'str',
  policyCidrMatchMode: 'str',
  agentsReady: 'int',
  agentsDesired: 'int',
  operatorReady: 'bool',
  operatorLeaseStale: 'bool',
} as const;

export type CiliumConfig = ShapeOf<typeof SHAPE>;

const FROM_CONFIG_MAP = [
  'kubeProxyReplacement',
  'l2Announcements',
  'lbIpam',
  'defaultLbServiceIpam',
  'externalEnvoy',
  'ingressController',
  'ingressMode',
  'ingressService',
  'policyCidrMatchMode',
] as const;

const ABSENT: CiliumConfig = {
  installed: false,
  version: '',
  namespace: '',
  key: '',
  kubeProxyReplacement: false,
  l2Announcements: false,
  lbIpam: false,
  defaultLbServiceIpam: '',
  externalEnvoy: false,
  ingressController: false,
  ingressMode: '',
  ingressService: '',
  policyCidrMatchMode: '',
  agentsReady: 0,
  agentsDesired: 0,
  operatorReady: false,
  operatorLeaseStale: false,
};

export const collector = derived({
  id: 'cilium.config',
  about: 'What Cilium is set up to do, and whether its agents and its operator run.',
  shape: SHAPE,
  async collect(context): Promise<CiliumConfig> {
    const agents = findKnown(await context.get(daemonSetsCollector), isCiliumAgent);
    if (!agents) return ABSENT;
    const [configMaps, system] = await Promise.all([
      listOrGap(context.get(configMapsCollector)),
      gapped(context.get(systemCollector)),
    ]);
    const operator = known(system).find(one => one.component === 'cilium-operator');
    const image = agents.template.containers.find(one => repository(one.image) === 'cilium')?.image ?? '';
    const row = {
      ...ABSENT,
      installed: true,
      version: imageVersion(image),
      namespace: agents.namespace,
      key: objectKey('ConfigMap', agents.namespace, 'cilium-config'),
      agentsReady: agents.ready,
      agentsDesired: agents.desired,
      operatorReady: (operator?.ready ?? 0) > 0,
      operatorLeaseStale: operator?.lease.stale ?? false,
    };
    try {
      const map = findKnown(configMaps, one => one.namespace === agents.namespace && one.name === 'cilium-config');
      const data = map?.data ?? {};
      return {
        ...row,
        kubeProxyReplacement: data['kube-proxy-replacement'] === 'true' || data['kube-proxy-replacement'] === 'strict',
        l2Announcements: data['enable-l2-announcements'] === 'true',
        lbIpam: data['enable-lb-ipam'] !== 'false',
        defaultLbServiceIpam: data['default-lb-service-ipam'] ?? 'lbipam',
        externalEnvoy: data['external-envoy-proxy'] === 'true',
        ingressController: data['enable-ingress-controller'] === 'true',
        ingressMode: data['ingress-default-lb-mode'] ?? 'dedicated',
        ingressService: data['ingress-shared-lb-service-name'] ?? 'cilium-ingress',
        policyCidrMatchMode: data['policy-cidr-match-mode'] ?? '',
      };
    } catch (error) {
      if (!(error instanceof GapSignal)) throw error;
      const rest = Object.fromEntries(
        Object.entries(row).filter(([field]) => !(FROM_CONFIG_MAP as readonly string[]).includes(field)),
      );
      return withUnknownFields<CiliumConfig>(rest as Partial<CiliumConfig>, error.gap, FROM_CONFIG_MAP);
    }
  },
});
