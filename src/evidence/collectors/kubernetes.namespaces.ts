import { listOf } from '../collector.ts';
import { CONDITIONS, conditionsOf } from '../conditions.ts';
import { list, text } from '../objects.ts';

export const collector = listOf({
  id: 'kubernetes.namespaces',
  about: 'Namespaces, and what keeps one from ending.',
  group: '',
  resource: 'namespaces',
  kind: 'Namespace',
  fields: {
    phase: 'str',
    conditions: CONDITIONS,
    finalizers: ['str'],
    podSecurity: { enforce: 'str', warn: 'str' },
  },
  row({ metadata, spec, status }, context) {
    return {
      phase: text(status?.phase),
      conditions: conditionsOf(status?.conditions, context),
      finalizers: [...list(spec?.finalizers), ...list(metadata.finalizers)].map(text),
      podSecurity: {
        enforce: text(metadata.labels?.['pod-security.kubernetes.io/enforce']),
        warn: text(metadata.labels?.['pod-security.kubernetes.io/warn']),
      },
    };
  },
});
