import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

import { createTransport, loadKubeConfig, type Transport } from '../../src/kube/index.ts';
import { startControlPlane, type ControlPlane } from '../../tools/cluster/index.ts';
import { contenders, type Contender, type ContenderName } from './contenders.ts';
import { createLoad, type Load } from './load.ts';
import { findFaults, listPods, watchBinds } from './pods.ts';
import { cpuSeconds, machineCpuSeconds, peakMemoryMiB } from './usage.ts';

/** One contender's figures in one round. */
export interface Measurement {
  readonly contender: ContenderName;
  /** Of the API server. */
  readonly kubernetes: string;
  readonly pods: number;
  /** From the start of the contender's process to the last bind seen. */
  readonly secondsFromStart: number;
  /** From the first bind seen to the last. */
  readonly secondsFromFirst: number;
  /** Processor seconds from the start of the process to the last bind. */
  readonly cpu: {
    readonly contender: number;
    readonly apiServer: number;
    readonly etcd: number;
    /** The watch of this benchmark. */
    readonly bench: number;
    /** All other processes of the machine: what disturbed the measurement. */
    readonly elsewhere: number;
  };
  readonly peakMemoryMiB: number;
  /** Empty when every pod is bound, no node holds too much, and every gang is whole. */
  readonly faults: readonly string[];
}

const patienceMs = 120_000;
const settleMs = 1000;

/**
 * Measures one contender on a control plane of its own: etcd and kube-apiserver, no kubelets and no controllers. Nodes
 * and pods exist before the contender starts.
 *
 * @throws Error when it ends, or binds nothing for two minutes
 */
export async function measure(
  name: ContenderName,
  size: { readonly nodes: number; readonly pods: number },
  signal: AbortSignal,
): Promise<Measurement> {
  const contender: Contender = contenders[name];
  const { schedulerName, gangSize, kubeScheduler } = contender;
  const load: Load = { ...size, schedulerName, gangSize };
  const plane = await startControlPlane({ kwok: false, controllerManager: false, kubeScheduler, signal });
  const transport = createTransport({ kubeConfig: loadKubeConfig(plane.kubeconfig), userAgent: 'moa-bench' });
  try {
    if (kubeScheduler) await plane.kill('kube-scheduler');
    await createLoad(transport, load);
    await contender.prepare(transport, load);
    const { gitVersion } = await transport.request<{ gitVersion: string }>({ method: 'GET', path: '/version' });
    return {
      contender: name,
      kubernetes: gitVersion,
      pods: load.pods,
      ...(await race(contender, { plane, transport, load, signal })),
    };
  } finally {
    await plane.stop();
    await transport.close();
  }
}

async function race(
  contender: Contender,
  on: { plane: ControlPlane; transport: Transport; load: Load; signal: AbortSignal },
): Promise<Omit<Measurement, 'contender' | 'kubernetes' | 'pods'>> {
  const { plane, transport, load, signal } = on;
  const { resourceVersion } = await listPods(transport);
  const watching = new AbortController();
  const binds = watchBinds(transport, {
    resourceVersion,
    count: load.pods,
    patienceMs,
    signal: AbortSignal.any([signal, watching.signal]),
  });
  const before = cpuOf(plane);
  const started = performance.now();
  const contestant = await contender.start(plane);
  try {
    const { first, last } = await Promise.race([binds, contestant.ended]);
    const own = cpuSeconds(contestant.pid);
    const used = difference(cpuOf(plane), before);
    const figures = {
      secondsFromStart: (last - started) / 1000,
      secondsFromFirst: (last - first) / 1000,
      cpu: {
        contender: own,
        apiServer: used.apiServer,
        etcd: used.etcd,
        bench: used.bench,
        elsewhere: Math.max(0, used.machine - own - used.apiServer - used.etcd - used.bench),
      },
      peakMemoryMiB: peakMemoryMiB(contestant.pid),
    };
    // Whatever a contender does after its last bind must leave the pods as they are.
    await sleep(settleMs, undefined, { signal });
    const { pods } = await listPods(transport);
    return { ...figures, faults: findFaults(pods, load.gangSize) };
  } finally {
    watching.abort();
    await binds.catch(() => undefined);
    await contestant.stop();
  }
}

/** Processor seconds so far. */
interface Cpu {
  readonly apiServer: number;
  readonly etcd: number;
  readonly bench: number;
  readonly machine: number;
}

function cpuOf(plane: ControlPlane): Cpu {
  const pids = plane.pids();
  const of = (pid: number | undefined) => (pid === undefined ? NaN : cpuSeconds(pid));
  return {
    apiServer: of(pids['kube-apiserver']),
    etcd: of(pids.etcd),
    bench: cpuSeconds(process.pid),
    machine: machineCpuSeconds(),
  };
}

function difference(a: Cpu, b: Cpu): Cpu {
  return {
    apiServer: a.apiServer - b.apiServer,
    etcd: a.etcd - b.etcd,
    bench: a.bench - b.bench,
    machine: a.machine - b.machine,
  };
}
