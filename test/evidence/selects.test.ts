import fc from 'fast-check';
import { expect, test } from 'vitest';
import { selectable, selects } from '../../src/evidence/selects.ts';

const label = fc.constantFrom('a', 'b', 'c');
const labels = fc.dictionary(label, fc.constantFrom('1', '2', ''), { maxKeys: 3 });
const row = fc.record({ namespace: fc.constantFrom('one', 'two'), labels });

test('an index takes what a look at every row takes, in its order', () => {
  fc.assert(
    fc.property(fc.array(row), fc.constantFrom('one', 'two'), labels, (rows, namespace, selector) => {
      const taken = rows.filter(one => one.namespace === namespace && selects(selector, one.labels));
      const selected = selectable(rows);
      expect(selected(namespace, selector)).toEqual(taken);
      expect(selected(namespace, selector)).toEqual(taken);
    }),
  );
});
