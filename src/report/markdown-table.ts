/** A table of cells that are escaped already (`cell`, `cellCode`). */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return [row(header), row(header.map(() => '---')), ...rows.map(row)];
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
