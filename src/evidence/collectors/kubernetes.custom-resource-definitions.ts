import { listOf } from '../collector.ts';
import { flag, list, text } from '../objects.ts';

export const collector = listOf({
  id: 'kubernetes.custom-resource-definitions',
  about: 'Custom resource definitions, and whether they are served.',
  group: 'apiextensions.k8s.io',
  resource: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  fields: {
    group: 'str',
    kind: 'str',
    plural: 'str',
    versions: [{ name: 'str', served: 'bool', storage: 'bool' }],
    storedVersions: ['str'],
    established: 'bool',
    /** As the Prometheus Operator annotates its own. */
    operatorVersion: 'str',
  },
  row({ metadata, spec, status }) {
    return {
      group: text(spec?.group),
      kind: text(spec?.names?.kind),
      plural: text(spec?.names?.plural),
      versions: list(spec?.versions).map(version => ({
        name: text(version?.name),
        served: flag(version?.served),
        storage: flag(version?.storage),
      })),
      storedVersions: list(status?.storedVersions).map(text),
      established: list(status?.conditions).some(
        one => text(one?.type) === 'Established' && text(one.status) === 'True',
      ),
      operatorVersion: text(metadata.annotations?.['operator.prometheus.io/version']),
    };
  },
});
