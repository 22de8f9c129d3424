import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join, relative } from 'node:path';

/** A quoted path that ends in `.ts`: what an import names, and what a worker thread is started from. */
const quotedSource = /(['"])((?:[\w.-]+\/)*[\w.-]+)\.ts\1/g;

/** What to compile. */
export interface Program {
  /** The files that it can be started with, relative to `root`. */
  readonly mains: readonly string[];
  /** The folder of all its sources. */
  readonly root: string;
  /** The folder for the JavaScript, which gets the same layout. */
  readonly out: string;
}

/**
 * Turns a program's TypeScript into JavaScript, file by file: its mains and all that they reach, nothing else, so tests
 * stay behind. Types become blanks and `.ts` becomes `.js`, so each line and column of a stack trace is that of the source.
 *
 * It is Node's own stripping, the one that the tests run the sources with. Done beforehand it saves a quarter of a second
 * of processor time at each start.
 *
 * @returns the sources that were compiled, relative to `root`, in order
 * @throws Error when a source lies outside `root`
 */
export function compile({ mains, root, out }: Program): string[] {
  const reached = new Set(mains.map((main) => join(root, main)));
  for (const source of reached) {
    const place = relative(root, source);
    if (place.startsWith('..')) throw new Error(`${source} lies outside ${root}`);
    const script = stripTypeScriptTypes(readFileSync(source, 'utf8')).replaceAll(
      quotedSource,
      (literal, quote: string, path: string) => {
        const named = join(dirname(source), `${path}.ts`);
        if (!existsSync(named)) return literal;
        reached.add(named);
        return `${quote}${path}.js${quote}`;
      },
    );
    const target = join(out, place.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, script);
  }
  return [...reached].map((source) => relative(root, source)).sort();
}
