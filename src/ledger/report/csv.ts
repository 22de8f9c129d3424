/** A cell: `undefined` is an empty one. */
export type Cell = string | number | undefined;

/** CSV as RFC 4180 has it, with a line of column names. */
export function csv(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [columns, ...rows].map(csvLine).join('');
}

/** One line of it. */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(cellText).join(',')}\r\n`;
}

/** Text that a spreadsheet would run as a formula is made harmless with an apostrophe: labels are other people's words. */
function cellText(cell: Cell): string {
  if (cell === undefined) return '';
  const text = typeof cell === 'string' ? cell.replace(/^(?=[=+\-@\t\r])/, "'") : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
