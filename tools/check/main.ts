import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

import { checks, runChecks, type Check } from './checks.ts';

const usage = `Usage: npm run check [-- --fix]

Checks format, lint, types, module boundaries, dead code, and that generated files are up to date.
--fix   formats, and mends what the linter can mend, before the checks
`;

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const args = process.argv.slice(2);
const unknown = args.find((arg) => arg !== '--fix' && arg !== '--help');
if (unknown !== undefined) {
  console.error(`npm run check has no flag or argument ${unknown}\n${usage}`);
  process.exitCode = 2;
} else if (args.includes('--help')) {
  process.stdout.write(usage);
} else {
  const passed = await runChecks(checks(root, { fix: args.includes('--fix') }), (check) => run(check), console.log);
  if (!passed) process.exitCode = 1;
}

/** Runs one check in the checkout, with the tools of its node_modules. */
function run({ command }: Check): Promise<{ code: number; output: string }> {
  const [program = '', ...rest] = command;
  const local = join(root, 'node_modules', '.bin', program);
  const child = spawn(existsSync(local) ? local : program, rest, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, [process.stdout.isTTY ? 'FORCE_COLOR' : 'NO_COLOR']: '1' },
  });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: 1, output: error.message }));
    child.once('close', (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString() }));
  });
}
