import { availableParallelism } from 'node:os';

import type { Benchmark } from '../benchmark.ts';
import { UsageError, type FlagSet } from '../flags.ts';
import { contenderNames, contenders, type ContenderName } from './contenders.ts';
import { gpusPerNode } from './load.ts';
import { measure } from './measure.ts';
import { disturbance, rateFromFirst, summarize, type RoundMeasurement } from './summary.ts';

const flags = {
  nodes: { type: 'number', default: 1000, least: 1, most: 5000, meaning: `nodes of ${gpusPerNode} GPUs` },
  pods: { type: 'number', default: 8000, least: 8, most: 40_000, meaning: 'one-GPU pods, all of which fit' },
  rounds: { type: 'number', default: 3, least: 1, most: 50, meaning: 'times that each contender runs, taking turns' },
  contenders: { type: 'names', names: contenderNames, meaning: 'who runs' },
} as const satisfies FlagSet;

/** Pods bound per second end to end, beside kube-scheduler and beside a client that only posts bindings. */
export const bind: Benchmark<typeof flags> = {
  name: 'bind',
  summary: 'pods bound per second, beside kube-scheduler and beside a bare client that only posts bindings',
  flags,
  async run({ nodes, pods, rounds, contenders: names }, signal) {
    const chosen = contenderNames.filter((name) => names.includes(name));
    checkFit(nodes, pods, chosen);
    const measurements: RoundMeasurement[] = [];
    const failures: string[] = [];
    for (const [round, name] of turns(chosen, rounds)) {
      try {
        const measurement = await measure(name, { nodes, pods }, signal);
        measurements.push({ round, ...measurement });
        failures.push(...measurement.faults.slice(0, 3).map((fault) => `${name}, round ${round}: ${fault}`));
        const rate = Math.round(rateFromFirst(measurement));
        process.stderr.write(`round ${round} of ${rounds}: ${name} ${rate} pods/s\n`);
      } catch (error) {
        signal.throwIfAborted();
        failures.push(`${name}, round ${round}: ${explain(error)}`);
      }
    }
    return {
      table: summarize(measurements),
      notes: [
        `${pods} one-GPU pods, created before the contender starts, on ${nodes} nodes; median of ${rounds} rounds, range in brackets.`,
        'pods/s: from the first bind seen to the last. from start: from the start of the process to the last bind.',
        'CPU: processor seconds from the start of the process to the last bind. of bare: against the same round.',
        ...disturbance(measurements, availableParallelism()),
      ],
      details: { measurements },
      failures,
    };
  },
};

/** Round by round, so that a machine that slows down for a while meets all of them. */
function turns(names: readonly ContenderName[], rounds: number): [number, ContenderName][] {
  return Array.from({ length: rounds }, (_, i) => names.map((name): [number, ContenderName] => [i + 1, name])).flat();
}

/** The error and what it was caused by. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${explain(error.cause)}`;
}

function checkFit(nodes: number, pods: number, chosen: readonly ContenderName[]): void {
  const most = nodes * gpusPerNode;
  if (pods > most) throw new UsageError(`--pods ${pods}: ${nodes} nodes have ${most} GPUs; give ${most} or less`);
  for (const name of chosen) {
    const { gangSize } = contenders[name];
    if (pods % gangSize !== 0)
      throw new UsageError(`--pods ${pods}: ${name} takes gangs of ${gangSize}; give a multiple of ${gangSize}`);
  }
}
