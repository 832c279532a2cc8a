import { listOf } from '../collector.ts';
import { flag, number, text } from '../objects.ts';

export const collector = listOf({
  id: 'kubernetes.priority-classes',
  about: 'Priority classes.',
  group: 'scheduling.k8s.io',
  resource: 'priorityclasses',
  kind: 'PriorityClass',
  fields: { value: 'int', globalDefault: 'bool', preemption: 'str' },
  row: ({ value, globalDefault, preemptionPolicy }) => ({
    value: number(value),
    globalDefault: flag(globalDefault),
    preemption: text(preemptionPolicy) || 'PreemptLowerPriority',
  }),
});
