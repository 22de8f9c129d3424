import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { badInputTable } from './badInputTable.ts';
import type { Generated } from './generated.ts';

const root = dirname(dirname(import.meta.dirname));

/** Tables inside the READMEs, each between `<!-- NAME:begin -->` and `<!-- NAME:end -->`. */
const sections: Readonly<Record<string, () => string>> = { 'bad-input': badInputTable };

/** The READMEs with their tables up to date. */
export function readmeOutputs(): readonly Generated[] {
  return ['README.md', 'README.ko.md'].flatMap((path) => {
    if (!existsSync(join(root, path))) return [];
    const text = readFileSync(join(root, path), 'utf8');
    const render = () =>
      Object.entries(sections).reduce((page, [name, section]) => filled(page, name, section()), text);
    return [{ path, render }];
  });
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
