import { derived } from '../collector.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { identify, type Running, repository } from '../components/identify.ts';
import { gapOf } from '../gaps.ts';
import { objectKey, REF, ref } from '../objects.ts';
import { CONTAINER_SPEC, CONTAINER_STATUS } from '../pod-containers.ts';
import { rowsOf } from '../rows.ts';

const ROW = {
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
const toRow = rowsOf(ROW);

export const collector = derived({
  id: 'kubernetes.containers',
  about: 'One row per container of each pod, init and sidecar containers too, with what the kubelet says of it.',
  core: true,
  shape: [ROW],
  async collect(context) {
    const pods = await context.get(podsCollector);
    return pods.flatMap(pod => {
      if (gapOf(pod)) return [pod as never];
      const reference = ref('Pod', pod.namespace, pod.name, pod.uid);
      const ofPod = {
        pod: reference,
        workload: pod.workload,
        node: pod.node,
        podReady: pod.ready,
        podDeleting: pod.deleting,
        podAge: pod.age,
        history: pod.history,
        superseded: pod.superseded,
        current: pod.current,
      };
      return pod.containers.map(container => {
        const containerKey = objectKey('Container', pod.namespace, `${pod.name}/${container.container}`);
        return toRow(container, ofPod, { containerKey, needed: neededPart(container) });
      });
    });
  },
});

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
