import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { freePort, spawnGuarded } from '../../tools/cluster/index.ts';
import { startFaultProxy, type FaultProxy, type Rules } from './proxy.ts';

/** Moa as a process of its own, which reaches the API server through a proxy of its own. */
export interface OperatorProcess {
  readonly proxy: FaultProxy;
  /** Ends the process at once; resolves when it is gone. The proxy stays, with what it has seen. */
  kill(): Promise<void>;
  /** SIGTERM. @returns milliseconds until it had ended. @throws Error when it does not end well within 15 seconds */
  stop(): Promise<number>;
  /** Nothing of it moves until `thaw`. */
  freeze(): void;
  thaw(): void;
  /** Whether it says that it leads. */
  leads(): Promise<boolean>;
  /** The last lines that it has logged. */
  tail(): string;
  /** Kills what still runs and closes the proxy. */
  close(): Promise<void>;
}

/** One that may not be ready yet. */
export interface LaunchedOperator extends OperatorProcess {
  /** Where it says whether it is. */
  readonly readyz: string;
}

/** What to start. */
export interface OperatorSettings {
  /** Of the API server. */
  readonly kubeconfig: string;
  /** Where its log, its kubeconfig and its working folder go. */
  readonly folder: string;
  /** Names its files. One that takes the place of another which has ended has its name, and so its journal. */
  readonly name: string;
  readonly flags?: readonly string[];
  /** What the proxy does from the first request on. */
  readonly rules?: Rules;
}

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const readyMs = 60_000;
const stopMs = 15_000;

/** Starts an operator of this checkout. It may not be ready yet: see {@link untilReady}. */
export async function launchOperator(settings: OperatorSettings): Promise<LaunchedOperator> {
  const { folder, name, flags = [], rules = {} } = settings;
  const workingFolder = join(folder, name);
  mkdirSync(workingFolder, { recursive: true });
  const proxy = await startFaultProxy(settings.kubeconfig, join(workingFolder, 'kubeconfig'));
  proxy.use(rules);
  const metrics = `127.0.0.1:${await freePort()}`;
  const health = `127.0.0.1:${await freePort()}`;
  const log = join(workingFolder, 'log');
  const output = openSync(log, 'a');
  const child = spawnGuarded(
    process.execPath,
    [
      main,
      ...['--kubeconfig', proxy.kubeconfig, '--log-format=text'],
      ...['--metrics-address', metrics, '--health-address', health],
      // All write one ledger, as replicas do.
      ...['--ledger', `sqlite:${join(folder, 'ledger.sqlite')}`, '--ledger-journal', join(workingFolder, 'journal')],
      ...flags,
    ],
    { cwd: workingFolder, output: { stdout: output, stderr: output } },
  );
  closeSync(output);
  const tail = () => readFileSync(log, 'utf8').trimEnd().split('\n').slice(-40).join('\n');
  const kill = async () => {
    child.kill('SIGKILL');
    await child.exited;
  };
  return {
    proxy,
    kill,
    tail,
    readyz: `http://${health}/readyz`,
    stop: async () => {
      const began = performance.now();
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), stopMs);
      const { code, signal } = await child.exited;
      clearTimeout(late);
      const how = signal ?? `exit code ${code ?? 'unknown'}`;
      if (code !== 0) throw new Error(`${name} did not stop in good order (${how}); its log ends with:\n${tail()}`);
      return performance.now() - began;
    },
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
    leads: async () => /^moa_leader 1$/m.test(await (await fetch(`http://${metrics}/metrics`)).text()),
    close: async () => {
      await kill();
      await proxy.close();
    },
  };
}

/** Resolves when the operator says that it is ready. @throws Error with the end of its log when it never is */
export async function untilReady(operator: LaunchedOperator): Promise<OperatorProcess> {
  const deadline = performance.now() + readyMs;
  for (;;) {
    const ready = await fetch(operator.readyz).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) return operator;
    if (performance.now() > deadline)
      throw new Error(`an operator was not ready after ${readyMs / 1000} s; its log ends with:\n${operator.tail()}`);
    await sleep(20);
  }
}
