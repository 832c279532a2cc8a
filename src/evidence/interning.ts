/** Distinct values that are remembered; past them, values are no longer shared. */
const LIMIT = 20_000;

/**
 * Makes each distinct value once: the pods of a workload have the same containers, volumes and labels, and thousands of
 * pods are kept in the room of a few hundred. The key is the text of what the value is made of.
 */
export function interner(): <Value>(key: string, make: () => Value) => Value {
  const made = new Map<string, unknown>();
  return <Value>(key: string, make: () => Value): Value => {
    const known = made.get(key);
    if (known !== undefined) return known as Value;
    const value = make();
    if (made.size < LIMIT) made.set(key, value);
    return value;
  };
}
