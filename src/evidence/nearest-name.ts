/** The name that differs least from another, by letters added, left out or changed; '' where none is near. */
export function nearestName(wanted: string, names: readonly string[]): string {
  const near = names
    .map(name => ({ name, distance: distance(wanted.toLowerCase(), name.toLowerCase()) }))
    .filter(
      ({ name, distance }) =>
        distance <= Math.max(2, wanted.length / 3) || name.startsWith(wanted) || wanted.startsWith(name),
    )
    .sort((first, second) => first.distance - second.distance || (first.name < second.name ? -1 : 1));
  return near[0]?.name ?? '';
}

function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const change = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
