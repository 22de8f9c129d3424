import { readFileSync } from 'node:fs';
import process from 'node:process';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { readOpenbNodes, readOpenbPods } from '../../src/sim/traces/index.ts';
import type { Benchmark, Table } from '../benchmark.ts';
import { UsageError, type FlagSet } from '../flags.ts';
import { median } from '../report.ts';
import { measure, policies, type Measurement, type PolicyName } from './run.ts';
import { variants, type Trace } from './variants.ts';

const policyNames = Object.keys(policies) as PolicyName[];

const flags = {
  nodes: {
    type: 'path',
    default: '/work/shared/data/openb_node_list_gpu_node.csv',
    meaning: 'nodes, in the format of the Alibaba 2023 GPU trace',
  },
  pods: { type: 'path', default: '/work/shared/data/openb_pod_list_default.csv', meaning: 'pods of that trace' },
  seeds: { type: 'number', default: 10, least: 1, most: 1000, meaning: 'replays of the trace as it is, from seed 1' },
  variantseeds: { type: 'number', default: 1, least: 1, most: 1000, meaning: 'replays of each other variant' },
  policies: { type: 'names', names: policyNames, meaning: 'who places' },
  variants: { type: 'names', names: variants.map(({ name }) => name), meaning: 'what is replayed' },
} as const satisfies FlagSet;

/** How full the devices are once more has arrived than fits: the protocol of FGD, on its trace and on variants of it. */
export const packing: Benchmark<typeof flags> = {
  name: 'packing',
  summary: 'share of the GPUs allocated when 130 % of them have been asked for, beside published policies',
  flags,
  async run(settings, signal) {
    const trace: Trace = {
      nodes: readOpenbNodes(textOf('nodes', settings.nodes)),
      pods: readOpenbPods(textOf('pods', settings.pods)),
    };
    const chosen = variants.filter(({ name }) => settings.variants.includes(name));
    const measurements: Measurement[] = [];
    for (const variant of chosen) {
      const seeds = variant.name === 'trace' ? settings.seeds : settings.variantseeds;
      for (let seed = 1; seed <= seeds; seed++) {
        for (const policy of policyNames.filter((name) => settings.policies.includes(name))) {
          measurements.push(measure(trace, variant, { policy, seed }));
          // Replays never wait: an interrupt is heard here.
          await nextTurn(undefined, { signal });
        }
        process.stderr.write(`${variant.name}: seed ${seed} of ${seeds}\n`);
      }
    }
    return {
      table: summarize(measurements),
      notes: [
        'Percent of GPU milli allocated at the end; random order, no departures, what does not fit is dropped (FGD, USENIX ATC 2023).',
        'published: the mean in that paper, for its own trace. Best of its table: FGD, which is told the mix beforehand; Moa learns it from the arrivals.',
        ...chosen.map(({ name, meaning }) => `${name}: ${meaning}.`),
      ],
      details: { measurements },
      failures: [],
    };
  },
};

function summarize(measurements: readonly Measurement[]): Table {
  const rows = variants.flatMap((variant) =>
    policyNames.flatMap((policy) => {
      const runs = measurements.filter((one) => one.variant === variant.name && one.policy === policy);
      if (runs.length === 0) return [];
      const shares = runs.map(({ allocated }) => allocated);
      const published = variant.name === 'trace' ? policies[policy].published : undefined;
      return [
        [
          variant.name,
          policy,
          (shares.reduce((sum, share) => sum + share, 0) / runs.length).toFixed(2),
          Math.min(...shares).toFixed(2),
          Math.max(...shares).toFixed(2),
          published?.toFixed(2) ?? '-',
          runs.length,
          Math.round(median(runs.map(({ microsecondsPerPod }) => microsecondsPerPod))),
        ],
      ];
    }),
  );
  return { columns: ['variant', 'policy', 'mean %', 'min', 'max', 'published', 'seeds', 'us/pod'], rows };
}

function textOf(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`--${flag} ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
