import { fetched } from '../collector.ts';
import { list, REF, ref, text } from '../objects.ts';
import { bytes, millicores } from '../quantities.ts';

export const collector = fetched({
  id: 'kubernetes.usage',
  about: 'CPU and memory in use now, where the metrics API is installed.',
  needs: [
    { verbs: ['list'], group: 'metrics.k8s.io', resource: 'pods' },
    { verbs: ['list'], group: 'metrics.k8s.io', resource: 'nodes' },
  ],
  shape: {
    installed: 'bool',
    pods: [{ pod: REF, container: 'str', cpu: 'int', memory: 'int' }],
    nodes: [{ node: 'str', cpu: 'int', memory: 'int' }],
  },
  async collect(context) {
    const pods = await context.source.list('metrics.k8s.io', 'pods');
    const nodes = await context.source.list('metrics.k8s.io', 'nodes');
    return {
      installed: pods.installed,
      pods: pods.items.flatMap(item =>
        list(item?.containers).map(container => ({
          pod: ref('Pod', text(item.metadata?.namespace), text(item.metadata?.name)),
          container: text(container?.name),
          cpu: millicores(container?.usage?.cpu),
          memory: bytes(container?.usage?.memory),
        })),
      ),
      nodes: nodes.items.map(item => ({
        node: text(item?.metadata?.name),
        cpu: millicores(item?.usage?.cpu),
        memory: bytes(item?.usage?.memory),
      })),
    };
  },
});
