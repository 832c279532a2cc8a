import { derived } from '../collector.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { gapOf } from '../gaps.ts';
import { objectKey, REF, ref } from '../objects.ts';
import { CONTAINER_SPEC, CONTAINER_STATUS } from '../pod-containers.ts';

export const collector = derived({
  id: 'kubernetes.containers',
  about: 'One row per container of each pod, init and sidecar containers too, with what the kubelet says of it.',
  core: true,
  shape: [
    {
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
    },
  ],
  async collect(context) {
    const pods = await context.get(podsCollector);
    return pods.flatMap(pod => {
      if (gapOf(pod)) return [pod as never];
      return pod.containers.map(container => ({
        containerKey: objectKey('Container', pod.namespace, `${pod.name}/${container.container}`),
        pod: ref('Pod', pod.namespace, pod.name, pod.uid),
        workload: pod.workload,
        node: pod.node,
        podReady: pod.ready,
        podDeleting: pod.deleting,
        podAge: pod.age,
        history: pod.history,
        superseded: pod.superseded,
        current: pod.current,
        ...container,
      }));
    });
  },
});
