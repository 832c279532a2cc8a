import { listOf } from '../collector.ts';
import { number, strings, text, textOrNumber } from '../objects.ts';

export const collector = listOf({
  id: 'kubernetes.pod-disruption-budgets',
  about: 'Disruption budgets, and what they allow now.',
  group: 'policy',
  resource: 'poddisruptionbudgets',
  kind: 'PodDisruptionBudget',
  fields: {
    selector: 'map',
    minAvailable: 'str',
    maxUnavailable: 'str',
    healthy: 'int',
    desired: 'int',
    allowed: 'int',
    expected: 'int',
    /** Longhorn guards its instance managers with budgets that allow nothing while volumes are attached. */
    byDesign: 'bool',
  },
  row({ metadata, spec, status }) {
    return {
      selector: strings(spec?.selector?.matchLabels),
      minAvailable: textOrNumber(spec?.minAvailable),
      maxUnavailable: textOrNumber(spec?.maxUnavailable),
      healthy: number(status?.currentHealthy),
      desired: number(status?.desiredHealthy),
      allowed: number(status?.disruptionsAllowed),
      expected: number(status?.expectedPods),
      byDesign:
        text(spec?.selector?.matchLabels?.['longhorn.io/component']) === 'instance-manager' ||
        text(metadata.labels?.['longhorn.io/component']) === 'instance-manager' ||
        text(metadata.name).startsWith('instance-manager-'),
    };
  },
});
