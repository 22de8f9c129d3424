/** Columns do not jump while figures grow and shrink. */
const narrowest = 8;

/** A table in plain text: the first column to the left, the others to the right. Rows may have fewer cells. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, column) =>
    Math.max(narrowest, title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]) =>
    widths
      .map((width, column) => (column === 0 ? (cells[0] ?? '').padEnd(width) : (cells[column] ?? '').padStart(width)))
      .join('  ');
  return [line(head), ...rows.map(line)];
}
