import type { Plan } from '../../../src/core/plan/index.ts';
import type { Fleet, NodeFacts } from '../../../src/core/snapshot/index.ts';
import { Books } from '../books.ts';
import type { Case } from '../case.ts';
import { boundTo, makeNodes, PodMaker } from '../manifests.ts';
import { liveBytes, timed } from '../timing.ts';
import { cycle, devicesOf, fleetOf, institutions, policyOf, start } from '../world.ts';
import { faultsOf, singlePods } from './fill.ts';

/**
 * 75,000 nodes and 600,000 GPUs, filled with one-GPU pods once, and what all of it weighs when every pod is bound:
 * the facts as they were read, and everything that is kept beside them.
 */
export const large: Case = {
  name: 'large',
  measure() {
    const { names, quotas } = institutions(5000, 600_000);
    const empty = liveBytes();
    const nodes = makeNodes(75_000);
    const fleet = fleetOf(policyOf(quotas), nodes);
    const withNodes = liveBytes();
    const count = devicesOf(nodes);
    singlePods(count, names, new PodMaker()).forEach((pod) => fleet.upsertPod(pod));
    const waiting = liveBytes();
    const { ms, faults } = fillAndBind(fleet, nodes);
    return {
      figures: [
        {
          what: `${count.toLocaleString('en')} one-GPU pods on ${nodes.length.toLocaleString('en')} nodes from empty`,
          unit: 'pods/s',
          samples: [(count / ms) * 1000],
          reach: { atLeast: 100_000 },
        },
        {
          what: 'memory of a node',
          unit: 'bytes',
          samples: [(withNodes - empty) / nodes.length],
          reach: { under: 2048 },
        },
        { what: 'memory of a waiting pod', unit: 'bytes', samples: [(waiting - withNodes) / count] },
        {
          what: 'memory of a bound pod',
          unit: 'bytes',
          samples: [boundBytes(fleet, withNodes) / count],
          reach: { under: 400 },
        },
      ],
      faults,
    };
  },
};

/** What is needed for checking is gone when it returns. */
function fillAndBind(fleet: Fleet, nodes: readonly NodeFacts[]) {
  const { ms, value: planned } = timed(() => cycle(fleet, start));
  const books = new Books(nodes);
  books.admit(planned);
  bind(fleet, planned);
  return { ms, faults: faultsOf(books, devicesOf(nodes)) };
}

/** Shows the fleet every pod as the watch does once it is bound. The plan is emptied: nobody keeps it. */
function bind(fleet: Fleet, planned: Plan): void {
  const admitted = planned.admit as Plan['admit'][number][];
  for (let last = admitted.pop(); last !== undefined; last = admitted.pop()) {
    for (const { pod, nodeName } of last.pods) fleet.upsertPod(boundTo(pod, nodeName, start + 1000));
  }
}

/** The fleet must still be alive when its bytes are counted. */
function boundBytes(fleet: Fleet, before: number): number {
  const bytes = liveBytes() - before;
  fleet.snapshot(start);
  return bytes;
}
