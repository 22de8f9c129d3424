import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { after, afterEach, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { freePort, spawnGuarded, type ControlPlane } from '../../tools/cluster/index.ts';
import type { TestCluster } from './cluster.ts';
import { missingRules, operatorIdentity } from './identity.ts';
import { uniqueName } from './manifests.ts';

/** The operator of this checkout, as a child process. */
export interface Operator {
  /** Where it serves /metrics: `127.0.0.1:PORT`. */
  readonly metricsAddress: string;
  /** The last lines that it has logged. */
  tail(): string;
  /** The sum of a metric over its series, or over those whose labels match. */
  metric(name: string, labels?: RegExp): Promise<number>;
  /**
   * SIGTERM, and waits for the end.
   *
   * @throws Error when it does not end well within 15 seconds, or had been refused what the chart's roles do not grant
   */
  stop(): Promise<void>;
  /** SIGKILL: it has no chance to finish anything. */
  kill(): Promise<void>;
}

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const readyMs = 30_000;
const stopMs = 15_000;

/**
 * Starts the operator against a control plane, and resolves once it is ready. It acts as the chart's service account,
 * with the chart's roles and no more, and alone, unless the flags say otherwise.
 *
 * @param flags further flags; they win over the usual ones
 * @throws Error with the end of its log when it ends, or is not ready after half a minute
 */
export async function startOperator(plane: ControlPlane, flags: readonly string[] = []): Promise<Operator> {
  const identity = await operatorIdentity(plane);
  const metrics = `127.0.0.1:${await freePort()}`;
  const health = `127.0.0.1:${await freePort()}`;
  const ownKubeconfig = flags.includes('--kubeconfig');
  const log = join(plane.logs, `${uniqueName('operator')}.log`);
  const output = openSync(log, 'a');
  const child = spawnGuarded(
    process.execPath,
    [
      main,
      ...['--kubeconfig', identity.kubeconfig, '--leader-elect=false', '--log-format=text'],
      ...['--metrics-address', metrics, '--health-address', health],
      ...['--ledger', ledgerOf(plane), '--ledger-journal', `${log}.journal`],
      ...flags,
    ],
    { output: { stdout: output, stderr: output } },
  );
  closeSync(output);
  const tail = () => readFileSync(log, 'utf8').trimEnd().split('\n').slice(-25).join('\n');
  const failure = (what: string) => new Error(`the operator ${what}; its log ends with:\n${tail()}`);
  const life = { ended: false };
  void child.exited.then(() => {
    life.ended = true;
  });
  const kill = async () => {
    child.kill('SIGKILL');
    await child.exited;
  };

  const deadline = performance.now() + readyMs;
  const ready = () =>
    fetch(`http://${health}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await ready())) {
    if (life.ended) throw failure('ended before it was ready');
    if (performance.now() > deadline) {
      await kill();
      throw failure(`was not ready after ${readyMs / 1000} s`);
    }
    await sleep(20);
  }

  const metricsPage = async () => (await fetch(`http://${metrics}/metrics`)).text();

  return {
    metricsAddress: metrics,
    tail,
    kill,
    metric: async (name, labels = /^/) => {
      const page = await metricsPage();
      const series = page.split('\n').filter((line) => new RegExp(`^${name}[ {]`).test(line) && labels.test(line));
      return series.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
    },
    stop: async () => {
      if (life.ended) throw failure('had ended before it was told to');
      const missing = ownKubeconfig ? [] : missingRules(await metricsPage(), identity.rules);
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), stopMs);
      const { code, signal } = await child.exited;
      clearTimeout(late);
      if (code !== 0) throw failure(`did not stop in good order (${signal ?? `exit code ${code ?? 'unknown'}`})`);
      if (missing.length > 0) throw failure(`lacks rules in charts/moa/templates/rbac: ${missing.join(', ')}`);
    },
  };
}

/** The ledger that the operators of a control plane share, if the flags name no other. */
export function ledgerOf(plane: ControlPlane): string {
  return `sqlite:${join(plane.logs, 'ledger.sqlite')}`;
}

/** One operator for the tests of the enclosing file or suite. What it logged is shown after each test that fails. */
export function withOperator(cluster: TestCluster): Pick<Operator, 'metric'> {
  let operator: Operator | undefined;
  before(
    async () => {
      operator = await startOperator(cluster.plane);
    },
    { timeout: 60_000 },
  );
  afterEach((context) => {
    if ('passed' in context && !context.passed) process.stderr.write(`${operator?.tail() ?? 'no operator'}\n`);
  });
  after(() => operator?.stop());
  return { metric: async (...query) => (await operator?.metric(...query)) ?? NaN };
}
