import { listOf } from '../collector.ts';
import { textOrNumber } from '../objects.ts';

export const collector = listOf({
  id: 'longhorn.settings',
  about: "Longhorn's settings.",
  group: 'longhorn.io',
  resource: 'settings',
  kind: 'Setting',
  fields: { value: 'str' },
  row(object) {
    return { value: textOrNumber(object.value) };
  },
});
