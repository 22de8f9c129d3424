import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** One thing to check: a command that fails when it is not so. */
export interface Check {
  readonly name: string;
  readonly command: readonly string[];
}

const sources = ['src', 'tools', 'test', 'bench'];

/** The checks of a checkout, in order. With `fix`, what can be mended is mended first. */
export function checks(root: string, { fix }: { readonly fix: boolean }): Check[] {
  const present = sources.filter((directory) => existsSync(join(root, directory)));
  const generator = join('tools', 'generate', 'main.ts');
  return [
    { name: 'format', command: ['prettier', fix ? '--write' : '--check', '--log-level', 'warn', '.'] },
    { name: 'lint', command: ['eslint', ...(fix ? ['--fix'] : []), '--max-warnings', '0', '.'] },
    { name: 'types', command: ['tsc', '--noEmit', '--project', '.'] },
    { name: 'module boundaries', command: ['depcruise', '--output-type', 'err-long', ...present] },
    { name: 'dead code', command: ['knip'] },
    ...(existsSync(join(root, generator))
      ? [{ name: 'generated files', command: [process.execPath, generator, '--check'] }]
      : []),
  ];
}

/**
 * Runs all checks, one after the other, and prints a line for each with its time; below it everything that a failed one
 * said. Whether all of them passed.
 */
export async function runChecks(
  list: readonly Check[],
  run: (check: Check) => Promise<{ code: number; output: string }>,
  print: (line: string) => void,
): Promise<boolean> {
  const failed: string[] = [];
  for (const check of list) {
    const started = Date.now();
    const { code, output } = await run(check);
    const seconds = ((Date.now() - started) / 1000).toFixed(1).padStart(5);
    print(`${code === 0 ? 'ok  ' : 'FAIL'} ${seconds} s  ${check.name}`);
    if (code === 0) continue;
    failed.push(check.name);
    print(output.trimEnd().replaceAll(/^(?=.)/gm, '  '));
  }
  print(
    failed.length === 0
      ? `${list.length} checks passed`
      : `${failed.length} of ${list.length} checks failed: ${failed.join(', ')}`,
  );
  return failed.length === 0;
}
