import { listOf } from '../collector.ts';
import { CONDITIONS, conditionsOf } from '../conditions.ts';
import { number, REF, ref, text } from '../objects.ts';

export const collector = listOf({
  id: 'kubernetes.horizontal-pod-autoscalers',
  about: 'Autoscalers and their conditions.',
  group: 'autoscaling',
  resource: 'horizontalpodautoscalers',
  kind: 'HorizontalPodAutoscaler',
  fields: { target: REF, min: 'int', max: 'int', current: 'int', desired: 'int', conditions: CONDITIONS },
  row({ metadata, spec, status }, context) {
    const target = spec?.scaleTargetRef;
    return {
      target: ref(text(target?.kind), text(metadata.namespace), text(target?.name)),
      min: number(spec?.minReplicas, 1),
      max: number(spec?.maxReplicas),
      current: number(status?.currentReplicas),
      desired: number(status?.desiredReplicas),
      conditions: conditionsOf(status?.conditions, context),
    };
  },
});
