import { listOf } from '../collector.ts';
import {
  RESOURCES,
  resourcesOf,
  SELECTION,
  STATUS,
  STORAGE,
  selectionOf,
  statusOf,
  storageOf,
} from '../components/operator.ts';
import { flag, list, number, REF, ref, strings, text } from '../objects.ts';

export const collector = listOf({
  id: 'prometheus-operator.thanos-rulers',
  about: 'ThanosRuler resources, and what the operator says of them.',
  group: 'monitoring.coreos.com',
  resource: 'thanosrulers',
  kind: 'ThanosRuler',
  fields: {
    replicas: 'int',
    paused: 'bool',
    queryEndpoints: ['str'],
    /** `secret/key` of the query configuration. */
    queryConfig: 'str',
    alertmanagers: ['str'],
    alertmanagersConfig: 'str',
    objstore: { secret: 'str', key: 'str', file: 'str' },
    ruleSelector: SELECTION,
    /** Labels that end up on what it writes and sends. */
    externalLabels: 'map',
    labels: 'map',
    retention: 'str',
    storage: STORAGE,
    resources: RESOURCES,
    ...STATUS,
    statefulSet: REF,
  },
  row(object) {
    const spec = object.spec;
    const key = (selector: { name?: unknown; key?: unknown } | undefined) =>
      selector?.name ? `${text(selector.name)}/${text(selector.key)}` : '';
    return {
      replicas: number(spec?.replicas, 1),
      paused: flag(spec?.paused),
      queryEndpoints: list(spec?.queryEndpoints).map(text),
      queryConfig: key(spec?.queryConfig),
      alertmanagers: list(spec?.alertmanagersUrl).map(text),
      alertmanagersConfig: key(spec?.alertmanagersConfig),
      objstore: {
        secret: text(spec?.objectStorageConfig?.name),
        key: text(spec?.objectStorageConfig?.key),
        file: text(spec?.objectStorageConfigFile),
      },
      ruleSelector: selectionOf(spec, 'rule'),
      externalLabels: strings(spec?.labels),
      labels: strings(spec?.labels),
      retention: text(spec?.retention) || '24h',
      storage: storageOf(spec?.storage),
      resources: resourcesOf(spec?.resources),
      ...statusOf(object),
      statefulSet: ref('StatefulSet', text(object.metadata?.namespace), `thanos-ruler-${text(object.metadata?.name)}`),
    };
  },
});
