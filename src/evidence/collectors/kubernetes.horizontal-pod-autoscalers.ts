import type { RawObject } from '../../model/source.ts';
import { listOf } from '../collector.ts';
import { CONDITIONS, conditionsOf } from '../conditions.ts';
import { list, number, REF, ref, text, textOrNumber } from '../objects.ts';

export const collector = listOf({
  id: 'kubernetes.horizontal-pod-autoscalers',
  about: 'Autoscalers and their conditions.',
  group: 'autoscaling',
  resource: 'horizontalpodautoscalers',
  kind: 'HorizontalPodAutoscaler',
  fields: {
    target: REF,
    min: 'int',
    max: 'int',
    current: 'int',
    desired: 'int',
    metrics: ['str'],
    conditions: CONDITIONS,
  },
  row({ metadata, spec, status }, context) {
    const target = spec?.scaleTargetRef;
    return {
      target: ref(text(target?.kind), text(metadata.namespace), text(target?.name)),
      min: number(spec?.minReplicas, 1),
      max: number(spec?.maxReplicas),
      current: number(status?.currentReplicas),
      desired: number(status?.desiredReplicas),
      metrics: metricsOf(spec, status),
      conditions: conditionsOf(status?.conditions, context),
    };
  },
});

/** Each metric with its value now and the one that is aimed at: `cpu: 97 % of 80 %`. */
function metricsOf(spec: RawObject, status: RawObject): readonly string[] {
  return list(spec?.metrics).map(metric => {
    const now = list(status?.currentMetrics).find(one => one?.type === metric?.type && nameOf(one) === nameOf(metric));
    return `${nameOf(metric)}: ${amountOf(partOf(now)?.current) || 'not known'} of ${amountOf(partOf(metric)?.target)}`;
  });
}

/** `Resource` lies in `resource`, `ContainerResource` in `containerResource`, and so on. */
function partOf(metric: RawObject): RawObject {
  const type = text(metric?.type);
  return metric?.[type.charAt(0).toLowerCase() + type.slice(1)];
}

function nameOf(metric: RawObject): string {
  return text(partOf(metric)?.name) || text(partOf(metric)?.metric?.name);
}

function amountOf(value: RawObject): string {
  const share = value?.averageUtilization;
  return share === undefined ? textOrNumber(value?.averageValue ?? value?.value) : `${number(share)} %`;
}
