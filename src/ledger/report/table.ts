/** Columns as wide as their widest cell; those behind the first `texts` are numbers and stand to the right. */
export function table(columns: readonly string[], rows: readonly (readonly string[])[], texts: number): string {
  const all = [columns, ...rows];
  const widths = columns.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  const pad = (cell: string, i: number) => (i < texts ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0));
  return all.map((row) => `${row.map(pad).join('  ').trimEnd()}\n`).join('');
}
