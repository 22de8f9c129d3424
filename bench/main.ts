import process from 'node:process';

import { endWithParent } from '../tools/cluster/index.ts';
import type { Benchmark } from './benchmark.ts';
import { abuse } from './abuse/index.ts';
import { bind } from './bind/index.ts';
import { core } from './core/index.ts';
import { describeFlags, parseFlags, UsageError } from './flags.ts';
import { ledger } from './ledger/index.ts';
import { metrics } from './metrics/index.ts';
import { packing } from './packing/index.ts';
import { formatTable, writeReport } from './report.ts';

const benchmarks: readonly Benchmark[] = [bind, core, packing, ledger, metrics, abuse];
const stop = new AbortController();

try {
  const [name, ...rest] = process.argv.slice(2);
  if (name === undefined || name === '--help' || name === '-h' || rest.includes('--help')) process.stdout.write(help());
  else await run(benchmarkOf(name), rest);
} catch (error) {
  if (stop.signal.aborted) {
    // Whatever broke while all was being taken down broke because of that.
    console.error('Interrupted: nothing was written.');
    process.exitCode = 130;
  } else if (error instanceof UsageError) {
    console.error(`${error.message}\nHelp: npm run bench -- --help`);
    process.exitCode = 2;
  } else {
    console.error(error);
    process.exitCode = 1;
  }
}

async function run(benchmark: Benchmark, args: readonly string[]): Promise<void> {
  const settings = parseFlags(benchmark.flags, args);
  const interrupt = () => stop.abort(new Error('interrupted'));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, interrupt);
  const forgetParent = endWithParent(interrupt);
  const report = await benchmark.run(settings, stop.signal).finally(forgetParent);
  const path = writeReport(benchmark.name, settings, report);
  process.stdout.write([formatTable(report.table), '', ...report.notes, `Written to ${path}`].join('\n') + '\n');
  for (const failure of report.failures) console.error(`FAILED: ${failure}`);
  if (report.failures.length > 0) process.exitCode = 1;
}

function benchmarkOf(name: string): Benchmark {
  const found = benchmarks.find((benchmark) => benchmark.name === name);
  if (found !== undefined) return found;
  const known = benchmarks.map((benchmark) => benchmark.name).join(', ');
  throw new UsageError(`there is no benchmark ${name}: use one of ${known}`);
}

function help(): string {
  const lines = benchmarks.flatMap(({ name, summary, flags }) => [
    `${name}: ${summary}`,
    ...describeFlags(flags).map((line) => `  ${line}`),
  ]);
  return ['Usage: npm run bench -- NAME [flags]', '', ...lines].join('\n') + '\n';
}
