import { derived } from '../collector.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { CONTAINER } from '../container-rows.ts';
import { gapOf } from '../gaps.ts';

export const collector = derived({
  id: 'kubernetes.containers',
  about: 'One row per container of each pod, init and sidecar containers too, with what the kubelet says of it.',
  core: true,
  shape: [CONTAINER],
  async collect(context) {
    const pods = await context.get(podsCollector);
    return pods.flatMap(pod => (gapOf(pod) ? [pod as never] : pod.containers));
  },
});
