import { repository } from './components/identify.ts';

/** A workload, as far as it says what it runs. */
export interface Template {
  readonly namespace: string;
  readonly name: string;
  readonly template: {
    readonly labels: Readonly<Record<string, string>>;
    readonly containers: readonly {
      readonly image: string;
      readonly command: readonly string[];
      readonly args: readonly string[];
    }[];
  };
}

export interface SystemComponent {
  readonly id: string;
  /** What it belongs to; its API group is `<product>.io`. '' for a part of Kubernetes itself. */
  readonly product: '' | 'cilium' | 'longhorn';
  readonly kind: 'DaemonSet' | 'Deployment';
  /** Where and as what the product itself installs it; used where it is absent, or its image says nothing. */
  readonly namespace: string;
  readonly name: string;
  /** The product does not work without it: that it is absent is a fault. */
  readonly needed: boolean;
  /** It counts as down on a node that is not ready as well. */
  readonly despiteNode: boolean;
  /** Lease of its leader; '' where it has none. */
  readonly lease: string;
  readonly isIt: (one: Template) => boolean;
}

type Container = Template['template']['containers'][number];

function program(container: Container): string {
  return (container.command[0] ?? '').split('/').at(-1)!;
}

function hasImage(one: Template, ...names: readonly string[]): boolean {
  return one.template.containers.some(container => names.includes(repository(container.image)));
}

function hasProgram(one: Template, pattern: RegExp): boolean {
  return one.template.containers.some(container => pattern.test(program(container)));
}

/** Longhorn's manager and its CSI plugin are one image; the plugin stands beside a node-driver-registrar. */
export function isLonghornPlugin(one: Template): boolean {
  return (
    hasImage(one, 'csi-node-driver-registrar') &&
    one.template.containers.some(container => repository(container.image).startsWith('longhorn-manager'))
  );
}

export function isCiliumAgent(one: Template): boolean {
  return hasImage(one, 'cilium', 'cilium-ci') || hasProgram(one, /^cilium-agent$/);
}

const daemon = { kind: 'DaemonSet', lease: '', needed: false, despiteNode: false } as const;
const controller = { kind: 'Deployment', needed: true, despiteNode: true } as const;

/** What storage and network hang on, told by what the containers run. */
export const SYSTEM_COMPONENTS: readonly SystemComponent[] = [
  {
    ...daemon,
    id: 'cilium-agent',
    product: 'cilium',
    namespace: 'kube-system',
    name: 'cilium',
    despiteNode: true,
    isIt: isCiliumAgent,
  },
  {
    ...daemon,
    id: 'cilium-envoy',
    product: 'cilium',
    namespace: 'kube-system',
    name: 'cilium-envoy',
    isIt: one => hasImage(one, 'cilium-envoy') || hasProgram(one, /^cilium-envoy/),
  },
  {
    ...daemon,
    id: 'kube-proxy',
    product: '',
    namespace: 'kube-system',
    name: 'kube-proxy',
    isIt: one => hasImage(one, 'kube-proxy') || hasProgram(one, /^kube-proxy$/),
  },
  {
    ...daemon,
    id: 'longhorn-manager',
    product: 'longhorn',
    namespace: 'longhorn-system',
    name: 'longhorn-manager',
    needed: true,
    isIt: one => hasImage(one, 'longhorn-manager') && !hasImage(one, 'csi-node-driver-registrar'),
  },
  {
    ...daemon,
    id: 'longhorn-csi-plugin',
    product: 'longhorn',
    namespace: 'longhorn-system',
    name: 'longhorn-csi-plugin',
    isIt: isLonghornPlugin,
  },
  {
    ...controller,
    id: 'cilium-operator',
    product: 'cilium',
    namespace: 'kube-system',
    name: 'cilium-operator',
    lease: 'cilium-operator-resource-lock',
    isIt: one =>
      hasProgram(one, /^cilium-operator/) ||
      one.template.containers.some(({ image }) =>
        /(?:^|\/)(?:cilium\/|mirrored-cilium-)operator(?:-[a-z]+)?(?:[:@]|$)/.test(image),
      ),
  },
  {
    ...controller,
    id: 'coredns',
    product: '',
    namespace: 'kube-system',
    name: 'coredns',
    lease: '',
    isIt: one => hasImage(one, 'coredns') || hasProgram(one, /^coredns$/),
  },
  sidecar('csi-provisioner', 'driver-longhorn-io'),
  sidecar('csi-attacher', 'external-attacher-leader-driver-longhorn-io'),
  sidecar('csi-resizer', 'external-resizer-driver-longhorn-io'),
];

/** Longhorn's driver deployer gives its sidecars these names, and they take these leases. */
function sidecar(name: string, lease: string): SystemComponent {
  return {
    ...controller,
    id: name,
    product: 'longhorn',
    namespace: 'longhorn-system',
    name,
    lease,
    isIt: one => hasImage(one, name),
  };
}

/** By what it runs; by the name that the product gives it where the image is another. */
export function runs(component: SystemComponent, one: Template): boolean {
  return component.isIt(one) || (one.name === component.name && one.namespace === component.namespace);
}

/** The Service that every pod asks for names: the label is Kubernetes' own, whatever server stands behind it. */
export function isClusterDns(service: {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}): boolean {
  return (
    service.namespace === 'kube-system' &&
    (service.name === 'kube-dns' || service.labels['kubernetes.io/cluster-service'] === 'true') &&
    (service.name === 'kube-dns' || service.labels['k8s-app'] === 'kube-dns')
  );
}
