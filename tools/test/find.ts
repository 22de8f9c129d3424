import { globSync } from 'node:fs';

/** Where tests live. What needs a cluster comes first: it takes longest, and the rest then fills the gaps. */
const patterns = ['test/**/*.test.ts', 'tools/**/*.test.ts', 'src/**/*.test.ts', 'bench/**/*.test.ts'];

/**
 * Test files under `root`, relative to it, in the order in which to run them.
 *
 * @param filters keep the files whose path contains one of these; all files when empty
 * @throws Error when a filter matches nothing
 */
export function findTestFiles(root: string, filters: readonly string[]): string[] {
  const all = patterns.flatMap((pattern) => globSync(pattern, { cwd: root }).sort());
  for (const filter of filters) {
    if (!all.some((file) => file.includes(filter))) throw new Error(`no test file's path contains "${filter}"`);
  }
  return filters.length === 0 ? all : all.filter((file) => filters.some((filter) => file.includes(filter)));
}
