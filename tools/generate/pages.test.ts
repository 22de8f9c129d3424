import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, it } from 'node:test';

const root = dirname(dirname(import.meta.dirname));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const pages = ['README.md', 'README.ko.md', ...globSync('docs/**/*.md', { cwd: root })];

/** The text without what a reader copies: code, in blocks and in lines. */
function prose(page: string): string {
  return page.replaceAll(/^```[^]*?^```$/gm, '').replaceAll(/`[^`\n]*`/g, '');
}

function linksOf(page: string): readonly string[] {
  return Array.from(prose(page).matchAll(/\]\(([^)\s]+)\)/g), ([, target = '']) => target);
}

/** As GitHub names the places of headings. */
function anchorsOf(page: string): ReadonlySet<string> {
  const headings = page.replaceAll(/^```[^]*?^```$/gm, '').matchAll(/^#+ (.+)$/gm);
  return new Set(
    Array.from(headings, ([, text = '']) =>
      text
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(/\s/g, '-'),
    ),
  );
}

describe('the pages', () => {
  it('lead only to files, and places in them, that exist', () => {
    const dead = pages.flatMap((page) =>
      linksOf(read(page))
        .filter((target) => !/^[a-z]+:/.test(target))
        .filter((target) => {
          const [path = '', anchor] = target.split('#');
          const file = path === '' ? page : relative(root, join(root, dirname(page), path));
          if (!existsSync(join(root, file))) return true;
          return anchor !== undefined && file.endsWith('.md') && !anchorsOf(read(file)).has(anchor);
        })
        .map((target) => `${page}: ${target}`),
    );
    assert.deepEqual(dead, []);
  });

  it('are all found from docs/index.md', () => {
    const named = linksOf(read('docs/index.md')).map((target) => join('docs', target));
    const lost = pages.filter(
      (page) =>
        page.startsWith('docs/') &&
        page !== 'docs/index.md' &&
        !named.some((target) => page === target || (target.endsWith('/') && page.startsWith(target))),
    );
    assert.deepEqual(lost, []);
  });
});

describe('the Korean README', () => {
  const [english, korean] = [read('README.md'), read('README.ko.md')];
  const facts: Readonly<Record<string, (page: string) => readonly string[]>> = {
    'the same commands and outputs': (page) => page.match(/^```[^]*?^```$/gm) ?? [],
    'headings of the same ranks in the same order': (page) =>
      Array.from(page.replaceAll(/^```[^]*?^```$/gm, '').matchAll(/^(#+) /gm), ([, rank = '']) => rank),
    'the same links': (page) => [...new Set(linksOf(page).filter((target) => !target.startsWith('README')))].sort(),
    'the same figures': (page) => [...new Set(prose(page).match(/\d+(,\d{3})+|\d+\.\d+/g) ?? [])].sort(),
  };
  for (const [what, of] of Object.entries(facts)) it(`has ${what}`, () => assert.deepEqual(of(korean), of(english)));
});
