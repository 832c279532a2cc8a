import { derived } from '../collector.ts';
import { gapElement, gapOf, orGap } from '../gaps.ts';
import { REF } from '../objects.ts';
import { collector as nodeUsageCollector } from './storage.node-disk-usage.ts';

export const collector = derived({
  id: 'storage.pod-disk-usage',
  about: 'What the largest pods of each node hold of its disk in logs, writable layers and emptyDirs.',
  shape: [{ node: 'str', pod: REF, workload: REF, bytes: 'int', percent: 'float' }],
  async collect(context) {
    const nodes = await context.get(nodeUsageCollector);
    return nodes.flatMap(node => {
      const rows = gapOf(node) ? node : orGap(() => node.pods.map(pod => ({ node: node.node, ...pod })));
      const gap = gapOf(rows);
      return gap ? [gapElement(gap)] : (rows as never[]);
    });
  },
});
