import { globSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** What packages carry for compilers and debuggers. Node.js refuses to run TypeScript of a package. */
const unread = ['**/*.ts', '**/*.mts', '**/*.cts', '**/*.map'];

/**
 * Removes TypeScript, which is mostly declarations, and source maps from a folder of installed packages: half of its size.
 *
 * @returns the paths that were removed, relative to the folder
 */
export function trim(directory: string): string[] {
  const files = globSync(unread, { cwd: directory });
  for (const file of files) rmSync(join(directory, file));
  return files;
}
