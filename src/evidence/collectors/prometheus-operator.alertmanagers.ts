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
import { flag, number, REF, ref, text } from '../objects.ts';

export const collector = listOf({
  id: 'prometheus-operator.alertmanagers',
  about: 'Alertmanager resources, and what the operator says of them.',
  group: 'monitoring.coreos.com',
  resource: 'alertmanagers',
  kind: 'Alertmanager',
  fields: {
    replicas: 'int',
    paused: 'bool',
    version: 'str',
    storage: STORAGE,
    configSecret: 'str',
    resources: RESOURCES,
    /** Which AlertmanagerConfigs it takes. */
    selector: SELECTION,
    ...STATUS,
    statefulSet: REF,
  },
  row(object) {
    const spec = object.spec;
    const name = text(object.metadata?.name);
    return {
      replicas: number(spec?.replicas, 1),
      paused: flag(spec?.paused),
      version: text(spec?.version),
      storage: storageOf(spec?.storage),
      configSecret: text(spec?.configSecret) || `alertmanager-${name}`,
      resources: resourcesOf(spec?.resources),
      selector: selectionOf(spec, 'alertmanagerConfig'),
      ...statusOf(object),
      statefulSet: ref('StatefulSet', text(object.metadata?.namespace), `alertmanager-${name}`),
    };
  },
});
