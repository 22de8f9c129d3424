import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { freePort, spawnGuarded, type ControlPlane } from '../cluster/index.ts';

/** Moa as a child process. */
export interface Operator {
  readonly metricsUrl: string;
  readonly log: string;
  /** Resolves with the reason when it ends by itself; the last lines of its log are in the message. */
  readonly failed: Promise<Error>;
  stop(): Promise<void>;
}

const ownMain = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const readySeconds = 30;
const stopMilliseconds = 10_000;
const pollMilliseconds = 50;

/**
 * Starts the operator of this checkout against a control plane, and waits until it says that it is ready.
 *
 * @param main the script to run
 * @throws Error when it ends before that, or is not ready after half a minute
 */
export async function startOperator(plane: ControlPlane, signal: AbortSignal, main = ownMain): Promise<Operator> {
  const metrics = `127.0.0.1:${await freePort()}`;
  const health = `127.0.0.1:${await freePort()}`;
  const log = join(plane.logs, 'moa.log');
  const descriptor = openSync(log, 'a');
  const child = spawnGuarded(
    process.execPath,
    [
      main,
      ...['--kubeconfig', plane.kubeconfig, '--leader-elect=false', '--log-level', 'info'],
      ...['--metrics-address', metrics, '--health-address', health],
      ...['--ledger', `sqlite:${join(plane.logs, 'ledger.sqlite')}`],
    ],
    { output: { stdout: descriptor, stderr: descriptor } },
  );
  closeSync(descriptor);
  const { promise: failed, resolve } = Promise.withResolvers<Error>();
  let stopping = false;
  void child.exited.then(({ code, signal: by }) => {
    if (stopping) return;
    const how = code === undefined ? `by ${by ?? 'a signal'}` : `with code ${code}`;
    resolve(new Error(`Moa ended ${how}. The last lines of its log:\n${tailOf(log)}`));
  });
  const stop = async () => {
    stopping = true;
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), stopMilliseconds);
    await child.exited;
    clearTimeout(late);
  };
  try {
    await Promise.race([failed.then(rethrow), untilReady(`http://${health}/readyz`, log, signal)]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { metricsUrl: `http://${metrics}/metrics`, log, failed, stop };
}

/** The data directory may be removed with the log in it, so errors carry its end. */
function tailOf(log: string): string {
  return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-10).join('\n');
}

function rethrow(error: Error): never {
  throw error;
}

async function untilReady(url: string, log: string, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + readySeconds * 1000;
  while (Date.now() < deadline) {
    signal.throwIfAborted();
    const ready = await fetch(url, { signal }).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) return;
    await sleep(pollMilliseconds);
  }
  throw new Error(`Moa is not ready after ${readySeconds} s. The last lines of its log:\n${tailOf(log)}`);
}
