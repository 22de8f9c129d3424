import { availableParallelism } from 'node:os';
import process from 'node:process';

import { ensureBinaries, printProgress, type BinaryName } from '../cluster/index.ts';
import { findTestFiles } from './find.ts';
import { runFile, type FileResult } from './run-file.ts';

const usage = `Usage: npm test [-- PART ...]

Runs every test, or those whose file's path contains one of the PARTs. Ends with a line "N passed, N failed".
`;

/** Control planes are heavy: more at a time only make each other slow. */
const lanes = Math.min(2, availableParallelism());
const fileTimeoutSeconds = 600;
const slowSeconds = 10;

/** What tests of a running operator need: Helm renders the roles that it acts with. */
const always = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kwok',
  'kubectl',
  'kube-scheduler',
  'helm',
] as const;

const args = process.argv.slice(2);
const unknown = args.find((arg) => arg.startsWith('-'));
if (args.includes('--help') || args.includes('-h')) {
  process.stdout.write(usage);
} else if (unknown !== undefined) {
  console.error(`npm test has no flag ${unknown}\n${usage}`);
  process.exitCode = 2;
} else {
  try {
    await main(findTestFiles(process.cwd(), args));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
  }
}

async function main(files: readonly string[]): Promise<void> {
  // Before the first test: a build takes minutes, and a test that had to wait for one would be late.
  await ensureBinaries(programsFor(files), printProgress());
  const results: FileResult[] = [];
  const queue = files.values();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const file of queue) {
        const result = await runFile(file, fileTimeoutSeconds);
        results.push(result);
        console.log(summaryOf(result));
      }
    }),
  );
  report(results);
}

function programsFor(files: readonly string[]): BinaryName[] {
  const some = (folder: string): boolean => files.some((file) => file.startsWith(folder));
  return [...(some('test/') ? always : []), ...(some('test/observe/') ? (['promtool', 'prometheus'] as const) : [])];
}

function summaryOf({ file, seconds, passed, failures }: FileResult): string {
  const verdict = failures.length === 0 ? 'ok  ' : 'FAIL';
  return `${verdict} ${seconds.toFixed(1).padStart(6)} s  ${String(passed).padStart(4)} passed  ${file}`;
}

/** Failures in full, then what was skipped and what was slow, then the totals. */
function report(results: readonly FileResult[]): void {
  for (const { file, failures, output } of results) {
    if (failures.length === 0) continue;
    for (const { name, error } of failures) {
      console.log(`\nFAIL ${name === file ? file : `${file} > ${name}`}\n${indent(error)}`);
    }
    if (output.trim() !== '') console.log(`\nOutput of ${file}:\n${indent(output.trimEnd())}`);
  }
  const skipped = results.flatMap((result) => result.skipped.map((test) => ({ file: result.file, ...test })));
  if (skipped.length > 0) console.log('\nSkipped:');
  for (const { file, name, reason } of skipped) console.log(`  ${file} > ${name}: ${reason}`);
  const slow = results.filter(({ seconds }) => seconds >= slowSeconds).sort((a, b) => b.seconds - a.seconds);
  if (slow.length > 0) console.log('\nSlow files:');
  for (const { file, seconds } of slow.slice(0, 5)) console.log(`  ${seconds.toFixed(1)} s  ${file}`);

  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failures.length, 0);
  console.log(`\n${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`);
  if (failed > 0 || passed === 0) process.exitCode = 1;
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}
