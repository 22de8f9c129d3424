import { median } from '../../report.ts';
import type { NodeFacts, PodFacts } from '../../../src/core/snapshot/index.ts';
import { Books } from '../books.ts';
import type { Case, Figure } from '../case.ts';
import { cliqueLabel, gpusPerNode, makeNodes, PodMaker } from '../manifests.ts';
import { gangOf } from '../pools.ts';
import { collectGarbage, timed } from '../timing.ts';
import { cycle, devicesOf, fleetOf, institutions, policyOf, start } from '../world.ts';
import { faultsOf, singlePods } from './fill.ts';
import { SteadyState } from './steady.ts';

const sizes = [1000, 10_000, 75_000] as const;
const quotaCount = 1000;
const warmUps = 2;
/** How many times as long a decision may take on 75 times as many nodes. */
const nearlyFlat = 2;

interface Samples {
  readonly samples: readonly number[];
  readonly faults: readonly string[];
}

/** One kind of decision, always the same amount of it. */
interface Decision {
  readonly what: string;
  readonly unit: Figure['unit'];
  readonly measure: (nodes: readonly NodeFacts[], rounds: number) => Samples;
}

const decisions: readonly Decision[] = [
  {
    what: 'a one-GPU pod, 8,000 of them on an idle pool',
    unit: 'µs',
    measure: (nodes, rounds) => placed(nodes, (names, maker) => singlePods(8000, names, maker), rounds),
  },
  {
    what: 'a pod of 100 gangs of 32, each within a clique',
    unit: 'µs',
    measure: (nodes, rounds) => placed(nodes, (names, maker) => gangsOf32(names, maker), rounds),
  },
  { what: 'a cycle of a full pool, 100 whole nodes end and 100 come', unit: 'ms', measure: steadyCycles },
];

/** The same work on 1,000, 10,000 and 75,000 nodes: what a decision costs as the pool grows and the work does not. */
export const growth: Case = {
  name: 'growth',
  measure(rounds) {
    const pools = sizes.map(makeNodes);
    const outcomes = decisions.map(({ what, unit, measure }) => {
      const bySize = pools.map((nodes) => measure(nodes, rounds));
      const figures: Figure[] = bySize.map(({ samples }, i) => ({
        what: i === 0 ? `${what}: 1,000 nodes` : `${sizes[i]!.toLocaleString('en')} nodes`,
        unit,
        samples,
      }));
      const ratio = median(bySize.at(-1)!.samples) / median(bySize[0]!.samples);
      figures.push({ what: 'the last to the first', unit: 'times', samples: [ratio], reach: { under: nearlyFlat } });
      return { figures, faults: bySize.flatMap(({ faults }) => faults) };
    });
    return {
      figures: outcomes.flatMap(({ figures }) => figures),
      faults: outcomes.flatMap(({ faults }) => faults),
    };
  },
};

/** Microseconds a pod. */
function placed(
  nodes: readonly NodeFacts[],
  makePods: (names: readonly string[], maker: PodMaker) => readonly PodFacts[],
  rounds: number,
): Samples {
  const { names, quotas } = institutions(quotaCount, devicesOf(nodes));
  const policy = policyOf(quotas);
  const pods = makePods(names, new PodMaker());
  const samples: number[] = [];
  const faults: string[] = [];
  for (let i = -warmUps; i < rounds; i++) {
    const fleet = fleetOf(policy, nodes);
    for (const pod of pods) fleet.upsertPod(pod);
    collectGarbage();
    const { ms, value: planned } = timed(() => cycle(fleet, start));
    const books = new Books(nodes);
    books.admit(planned);
    faults.push(...faultsOf(books, pods.length));
    if (i >= 0) samples.push((ms * 1000) / pods.length);
  }
  return { samples, faults };
}

function gangsOf32(names: readonly string[], maker: PodMaker): readonly PodFacts[] {
  return Array.from({ length: 100 }, (_, i) =>
    gangOf(maker, {
      quota: names[i % names.length]!,
      name: `gang-${i}`,
      size: 32,
      devices: 1,
      createdAt: start - 100_000 + i * 1000,
      within: cliqueLabel,
    }),
  ).flat();
}

function steadyCycles(nodes: readonly NodeFacts[], rounds: number): Samples {
  const state = new SteadyState(nodes, { quotas: quotaCount, waiting: 20_000, devices: gpusPerNode });
  return { samples: state.run(100, rounds * 20), faults: state.faults() };
}
