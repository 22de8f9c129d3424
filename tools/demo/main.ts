import process from 'node:process';

import { stopRequest, UsageError } from '../cluster/index.ts';
import { parseOptions, usage } from './arguments.ts';
import { runDemo } from './run.ts';

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) process.stdout.write(usage);
  else {
    const stop = stopRequest();
    try {
      const right = await runDemo({ options, signal: stop.signal, output: process.stdout });
      process.exitCode = right ? 0 : 1;
    } catch (error) {
      if (!stop.signal.aborted) throw error;
      process.exitCode = 130;
    } finally {
      stop.forget();
    }
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  if (error instanceof UsageError) console.error('Help: npm run demo -- --help');
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
