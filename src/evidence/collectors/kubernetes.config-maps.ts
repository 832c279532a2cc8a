import type { ShapeOf } from '../../model/shape.ts';
import { type Context, listOf } from '../collector.ts';
import { mapKnown, withUnknownFields } from '../gaps.ts';
import { strings } from '../objects.ts';

const listed = listOf({
  id: 'kubernetes.config-maps',
  about:
    'ConfigMaps: the keys of all, the content of those whose values were kept. Reading `data` of another is a gap.',
  group: '',
  resource: 'configmaps',
  kind: 'ConfigMap',
  fields: { keys: ['str'], data: 'map', contentKnown: 'bool' },
  row({ data, binaryData }) {
    const values = strings(data);
    const keys = [...Object.keys(values), ...Object.keys(strings(binaryData))];
    // A bundle empties the values that it does not keep, so content is known where one of them is not empty.
    return { keys, data: values, contentKnown: keys.length === 0 || Object.values(values).some(value => value !== '') };
  },
});

type ConfigMap = ShapeOf<typeof listed.shape>[number];

export const collector = {
  ...listed,
  async collect(context: Context): Promise<readonly ConfigMap[]> {
    return mapKnown(await listed.collect(context), row => (row.contentKnown ? row : withoutData(row, context)));
  },
};

function withoutData(row: ConfigMap, context: Context): ConfigMap {
  const { data: _, ...rest } = row;
  const gap = {
    evidence: 'kubernetes.config-maps',
    reason: 'not-in-bundle',
    detail: `the values of ConfigMap ${row.namespace}/${row.name} of ${context.cluster} were not kept`,
    path: `/api/v1/namespaces/${row.namespace}/configmaps/${row.name}`,
    notLookedAt: true,
  } as const;
  return withUnknownFields<ConfigMap>(rest, gap, ['data']);
}
