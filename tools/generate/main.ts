import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import type { Generated } from './generated.ts';
import { outputs } from './outputs.ts';

const usage = `npm run generate [-- --check]

Writes everything that is made from the source: crds/, docs/reference/ and the tables in README.md.
  --check   writes nothing; lists what is out of date and fails if anything is`;

const root = dirname(dirname(import.meta.dirname));

try {
  const { values } = parseArgs({ options: { check: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } });
  if (values.help) console.log(usage);
  else if (values.check) await check();
  else await write();
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  process.exitCode = 2;
}

async function check(): Promise<void> {
  const stale = await staleOutputs();
  for (const { path } of stale) console.error(`${path} is out of date: run \`npm run generate\` and commit the result`);
  if (stale.length > 0) process.exitCode = 1;
  else console.log(`${outputs.length} generated files are up to date`);
}

async function write(): Promise<void> {
  const stale = await staleOutputs();
  for (const output of stale) {
    const path = join(root, output.path);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, output.render());
    console.log(`wrote ${output.path}`);
  }
  console.log(`${outputs.length - stale.length} of ${outputs.length} generated files were up to date`);
}

async function staleOutputs(): Promise<readonly Generated[]> {
  const present = await Promise.all(outputs.map(({ path }) => textOf(join(root, path))));
  return outputs.filter((output, index) => output.render() !== present[index]);
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
