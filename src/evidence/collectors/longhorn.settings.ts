import { listOf } from '../collector.ts';
import { textOrNumber } from '../objects.ts';

export const collector = listOf({
  id: 'longhorn.settings',
  about: "Longhorn's settings.",
  group: 'longhorn.io',
  resource: 'settings',
  kind: 'Setting',
  fields: {
    value: 'str',
    /** The largest number in it, which may be one for each engine; 0 where there is none. */
    number: 'int',
  },
  row(object) {
    const value = textOrNumber(object.value);
    // `v1` and `v2` name engines.
    const numbers = [...value.matchAll(/(?<![a-z\d])\d+/g)].map(Number);
    return { value, number: Math.max(0, ...numbers) };
  },
});
