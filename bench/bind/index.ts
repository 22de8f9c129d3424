import { availableParallelism } from 'node:os';

import type { Benchmark } from '../benchmark.ts';
import { UsageError, type FlagSet } from '../flags.ts';
import { contenderNames, contenders, type ContenderName } from './contenders.ts';
import { gpusPerNode } from './load.ts';
import { measure, type Measurement } from './measure.ts';
import { disturbance, rateFromFirst, summarize } from './summary.ts';

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
    const measurements: Measurement[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      for (const name of chosen) {
        const measurement = await measure(name, { nodes, pods }, signal);
        measurements.push(measurement);
        const rate = Math.round(rateFromFirst(measurement));
        process.stderr.write(`round ${round} of ${rounds}: ${name} ${rate} pods/s\n`);
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
      failures: measurements.flatMap(({ contender, faults }) =>
        faults.slice(0, 3).map((fault) => `${contender}: ${fault}`),
      ),
    };
  },
};

function checkFit(nodes: number, pods: number, chosen: readonly ContenderName[]): void {
  const most = nodes * gpusPerNode;
  if (pods > most) throw new UsageError(`--pods ${pods}: ${nodes} nodes have ${most} GPUs; give ${most} or less`);
  for (const name of chosen) {
    const { gangSize } = contenders[name];
    if (pods % gangSize !== 0)
      throw new UsageError(`--pods ${pods}: ${name} takes gangs of ${gangSize}; give a multiple of ${gangSize}`);
  }
}
