import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

import { parseCommand, usage, UsageError } from './arguments.ts';
import { startControlPlane } from './control-plane.ts';
import { liveTemporaryDirs, ownerOf } from './data-dir.ts';
import { stopRequest } from './stop-request.ts';

const script = process.argv[1] ?? '';
const stopSeconds = 30;

try {
  const command = parseCommand(process.argv.slice(2));
  if (command.kind === 'help') process.stdout.write(usage);
  else if (command.kind === 'up') await up(command.nodes, command.dataDir);
  else await down(command.dataDir);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  if (error instanceof UsageError) console.error('Help: npm run cluster -- --help');
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

async function up(nodes: number, dataDir: string | undefined): Promise<void> {
  const stop = stopRequest();
  const started = Date.now();
  try {
    const plane = await startControlPlane({
      nodes,
      signal: stop.signal,
      ...(dataDir === undefined ? {} : { dataDir }),
    });
    const lines = [
      `Control plane ready after ${((Date.now() - started) / 1000).toFixed(1)} s: ${plane.server}, ${nodes} nodes asked for`,
      `  data  ${plane.dataDir}${dataDir === undefined ? ' (removed when this stops)' : ''}`,
      `  logs  ${plane.logs}`,
      `  look  KUBECONFIG=${plane.kubeconfig} ${plane.binaries.kubectl ?? 'kubectl'} get nodes`,
      `  stop  Ctrl-C, or: npm run cluster -- down${dataDir === undefined ? '' : ` --data ${dataDir}`}`,
      plane.kubeconfig,
    ];
    process.stdout.write(lines.join('\n') + '\n');
    const failure = await Promise.race([plane.failed, stop.asked]);
    await plane.stop();
    if (failure !== undefined) throw failure;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    stop.forget();
  }
}

async function down(dataDir: string | undefined): Promise<void> {
  const directory = dataDir ?? theOnly(liveTemporaryDirs(script));
  const owner = directory === undefined ? undefined : ownerOf(directory);
  if (directory === undefined || owner === undefined) {
    console.log(
      dataDir === undefined ? 'No control plane without --data is running.' : `No control plane runs on ${dataDir}.`,
    );
    return;
  }
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    process.kill(owner.pid, signal);
    const deadline = Date.now() + stopSeconds * 1000;
    while (Date.now() < deadline) {
      if (ownerOf(directory)?.pid !== owner.pid) {
        console.log(`Stopped the control plane on ${directory} (process ${owner.pid}).`);
        return;
      }
      await sleep(50);
    }
  }
  throw new Error(`process ${owner.pid} still runs a control plane on ${directory}, even after SIGKILL`);
}

function theOnly(directories: readonly string[]): string | undefined {
  if (directories.length > 1) {
    const commands = directories.map((directory) => `  npm run cluster -- down --data ${directory}`);
    throw new UsageError(`Several control planes are running. Stop one of them with:\n${commands.join('\n')}`);
  }
  return directories[0];
}
