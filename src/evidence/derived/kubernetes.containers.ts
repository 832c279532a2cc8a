import { derived } from '../collector.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
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
        return toRow(container, ofPod, { containerKey });
      });
    });
  },
});
