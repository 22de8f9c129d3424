import { performance } from 'node:perf_hooks';

import { seededRandom, type OpenbPod } from '../../src/sim/traces/index.ts';
import { arrivalsOf, capacityOf, milliOf } from './arrivals.ts';
import { moaPacker } from './moa.ts';
import { bestFitPacker, fgdPacker, randomPacker, type Packer, type PackingInput } from './policies.ts';
import type { Trace, Variant } from './variants.ts';

interface Policy {
  readonly packer: (input: PackingInput) => Packer;
  /** Percent of the devices allocated in the paper, for the trace as it is. */
  readonly published: number | undefined;
}

/** By name, as the table has them. */
export const policies = {
  random: { packer: randomPacker, published: 87.47 },
  bestfit: { packer: bestFitPacker, published: 93.08 },
  fgd: { packer: fgdPacker, published: 95.39 },
  moa: { packer: moaPacker, published: undefined },
} as const satisfies Readonly<Record<string, Policy>>;

export type PolicyName = keyof typeof policies;

/** One replay. */
export interface Measurement {
  readonly variant: string;
  readonly policy: PolicyName;
  readonly seed: number;
  readonly arrivals: number;
  readonly dropped: number;
  /** Percent of all devices at the end. */
  readonly allocated: number;
  readonly microsecondsPerPod: number;
}

/** Every policy meets the same arrivals under the same seed. */
export function measure(
  trace: Trace,
  variant: Variant,
  { policy, seed }: { readonly policy: PolicyName; readonly seed: number },
): Measurement {
  const { nodes } = trace;
  const random = seededRandom(seed);
  const pods = variant.of(trace, random);
  const capacity = capacityOf(nodes);
  const arrivals = arrivalsOf(pods, capacity, random);
  const packer = policies[policy].packer({ nodes, pods, random });
  const begin = performance.now();
  const placed: OpenbPod[] = arrivals.filter((pod) => packer.place(pod));
  const milliseconds = performance.now() - begin;
  return {
    variant: variant.name,
    policy,
    seed,
    arrivals: arrivals.length,
    dropped: arrivals.length - placed.length,
    allocated: (100 * placed.reduce((sum, pod) => sum + milliOf(pod), 0)) / capacity,
    microsecondsPerPod: (1000 * milliseconds) / arrivals.length,
  };
}
