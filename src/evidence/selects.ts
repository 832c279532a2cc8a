import { groupedBy } from './gaps.ts';

type Labels = Readonly<Record<string, string>>;

/** Whether a Service's selector takes these labels. An empty selector takes nothing: such a Service has no pods. */
export function selects(selector: Labels, labels: Labels): boolean {
  const pairs = Object.entries(selector);
  return pairs.length > 0 && pairs.every(([name, value]) => labels[name] === value);
}

interface Labelled {
  readonly namespace: string;
  readonly labels: Labels;
}

/**
 * The rows that a Service's selector takes, in their order; rows must be known. Each label that a selector names is an
 * index that is made once: thousands of Services times thousands of pods would be most of the work.
 */
export function selectable<Row extends Labelled>(
  rows: readonly Row[],
): (namespace: string, selector: Labels) => readonly Row[] {
  const byLabel = new Map<string, ReadonlyMap<string, readonly Row[]>>();
  const having = (namespace: string, [name, value]: readonly [string, string]) => {
    let index = byLabel.get(name);
    if (!index) {
      index = groupedBy(rows, row => `${row.namespace}/${row.labels[name] ?? ''}`);
      byLabel.set(name, index);
    }
    return index.get(`${namespace}/${value}`) ?? [];
  };
  return (namespace, selector) => {
    const candidates = Object.entries(selector).map(pair => having(namespace, pair));
    const fewest = candidates.reduce((least, some) => (some.length < least.length ? some : least), candidates[0] ?? []);
    return fewest.filter(row => selects(selector, row.labels));
  };
}
