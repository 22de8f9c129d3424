import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

import type { Transport } from '../../src/kube/index.ts';
import { applyCrds, spawnGuarded, type ControlPlane } from '../../tools/cluster/index.ts';
import { createPolicy, moaScheduler, type Load } from './load.ts';

/** One way to get pods onto nodes. */
export interface Contender {
  readonly schedulerName: string;
  /** Pods of a gang; 1 = pods alone. */
  readonly gangSize: number;
  readonly kubeScheduler: boolean;
  /** Makes what the contender needs besides nodes and pods. */
  prepare(transport: Transport, load: Load): Promise<void>;
  /** Starts its process. */
  start(plane: ControlPlane): Promise<Contestant>;
}

/** A contender's running process. */
export interface Contestant {
  readonly pid: number;
  /** Rejects when the process ends on its own; the message holds the end of its log. */
  readonly ended: Promise<never>;
  stop(): Promise<void>;
}

const nothing = (): Promise<void> => Promise.resolve();

function moa(gangSize: number): Contender {
  return {
    schedulerName: moaScheduler,
    gangSize,
    kubeScheduler: false,
    prepare: async (transport, { nodes }) => {
      await applyCrds(transport);
      await createPolicy(transport, nodes);
    },
    start: (plane) =>
      startNode(plane, '../../src/main.ts', [
        `--kubeconfig=${plane.kubeconfig}`,
        '--leader-elect=false',
        '--metrics-address=0',
        '--health-address=0',
        '--log-level=warn',
        `--ledger=sqlite:${join(plane.logs, 'ledger.sqlite')}`,
      ]),
  };
}

/** In the order in which a round runs them. */
export const contenders = {
  bare: {
    schedulerName: moaScheduler,
    gangSize: 1,
    kubeScheduler: false,
    prepare: nothing,
    start: (plane) => startNode(plane, './bare-client.ts', [plane.kubeconfig]),
  },
  'kube-scheduler': {
    schedulerName: 'default-scheduler',
    gangSize: 1,
    kubeScheduler: true,
    prepare: nothing,
    start: startKubeScheduler,
  },
  moa: moa(1),
  'moa-gangs': moa(8),
} as const satisfies Readonly<Record<string, Contender>>;

export type ContenderName = keyof typeof contenders;

export const contenderNames = Object.keys(contenders) as ContenderName[];

/** Starts a script of this checkout under the Node that runs this benchmark. */
function startNode(plane: ControlPlane, script: string, args: readonly string[]): Promise<Contestant> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const log = join(plane.logs, 'contender.log');
  const output = openSync(log, 'a');
  const child = spawnGuarded(process.execPath, [path, ...args], { output: { stdout: output, stderr: output } });
  closeSync(output);
  let stopped = false;
  const ended = child.exited.then(({ code, signal }) => {
    if (stopped) return new Promise<never>(() => undefined);
    const tail = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-15).join('\n');
    throw new Error(`${path} ended by itself (${signal ?? `code ${code ?? 'unknown'}`}). Its log ends with:\n${tail}`);
  });
  return Promise.resolve({
    pid: child.pid,
    ended,
    stop: async () => {
      stopped = true;
      child.kill('SIGKILL');
      await child.exited;
    },
  });
}

async function startKubeScheduler(plane: ControlPlane): Promise<Contestant> {
  await plane.start('kube-scheduler');
  const pid = plane.pids()['kube-scheduler'];
  if (pid === undefined) throw new Error('kube-scheduler ended at once');
  const ended = plane.failed.then((reason) => Promise.reject(reason));
  return { pid, ended, stop: () => plane.kill('kube-scheduler') };
}
