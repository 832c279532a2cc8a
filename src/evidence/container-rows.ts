import type { Ref, ShapeOf } from '../model/shape.ts';
import { identify, type Running, repository } from './components/identify.ts';
import { NOBODY, objectKey, REF } from './objects.ts';
import { CONTAINER_SPEC, CONTAINER_STATUS, type ContainerSpec, type ContainerStatus } from './pod-containers.ts';
import { rowsOf } from './rows.ts';

/** A container of a pod, with what is said of its pod. Of tens of thousands there is one row each: the pod's is this one. */
export const CONTAINER = {
  /** `Container namespace/pod/container` */
  containerKey: 'str',
  pod: REF,
  workload: REF,
  node: 'str',
  podReady: 'bool',
  podDeleting: 'bool',
  podAge: 'int',
  history: 'bool',
  superseded: 'bool',
  current: 'bool',
  /** What of the stack, or of what it stands on, it runs; '' for anything else and for its helpers. */
  needed: 'str',
  ...CONTAINER_SPEC,
  ...CONTAINER_STATUS,
} as const;

export type Container = ShapeOf<typeof CONTAINER>;

interface OfPod {
  readonly pod: Ref;
  readonly node: string;
  readonly podReady: boolean;
  readonly podDeleting: boolean;
  readonly podAge: number;
}

const toRow = rowsOf(CONTAINER);

/** The workload, and whether the pod counts, are not known yet. */
export function containerRow(spec: ContainerSpec, status: ContainerStatus, ofPod: OfPod): Container {
  const { namespace, name } = ofPod.pod;
  return toRow(spec, status, ofPod, {
    containerKey: objectKey('Container', namespace, `${name}/${spec.container}`),
    needed: neededPart(spec),
    workload: NOBODY,
    history: false,
    superseded: false,
    current: true,
  });
}

/** Parts that serve another container, or run once. */
const HELPERS: ReadonlySet<string> = new Set(['config-reloader', 'tools', 'longhorn-instance-manager']);
/** Of a CSI driver these make and attach volumes; others only register it. */
const CSI_PARTS: ReadonlySet<string> = new Set(['csi-provisioner', 'csi-attacher']);

function neededPart(container: Running & { readonly kind: string }): string {
  if (container.kind === 'init') return '';
  // It makes what Longhorn needs and then has nothing to do.
  if ([...container.command, ...container.args].includes('deploy-driver')) return '';
  const part = identify(container);
  const image = repository(container.image);
  if (image.startsWith('longhorn-manager') && part !== 'longhorn-manager') return 'longhorn-csi-plugin';
  if (part === 'csi') return CSI_PARTS.has(image) ? image : '';
  return HELPERS.has(part) ? '' : part;
}
