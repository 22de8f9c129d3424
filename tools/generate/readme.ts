import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { badInputTable } from './badInputTable.ts';
import type { Generated } from './generated.ts';

const root = dirname(dirname(import.meta.dirname));

/** Tables inside README.md, each between `<!-- NAME:begin -->` and `<!-- NAME:end -->`. */
const sections: Readonly<Record<string, () => string>> = { 'bad-input': badInputTable };

/** README.md with its tables up to date; none when it has no place for them. */
export function readmeOutputs(): readonly Generated[] {
  const path = join(root, 'README.md');
  if (!existsSync(path)) return [];
  const text = readFileSync(path, 'utf8');
  return [
    {
      path: 'README.md',
      render: () => Object.entries(sections).reduce((page, [name, render]) => filled(page, name, render()), text),
    },
  ];
}

/** The page with what stands between the markers of a section replaced. A page without the markers is left alone. */
export function filled(page: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 && to < 0) return page;
  if (from < 0 || to < from) throw new Error(`README.md: ${begin} and ${end} must both stand there, in this order`);
  // The formatter would pad every cell of the column to the longest.
  const kept = `<!-- prettier-ignore-start -->\n\n${content}\n\n<!-- prettier-ignore-end -->`;
  return `${page.slice(0, from + begin.length)}\n${kept}\n${page.slice(to)}`;
}
