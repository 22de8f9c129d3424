import type { Fleet, NodeFacts, PodFacts } from '../../../src/core/snapshot/index.ts';
import { Books } from '../books.ts';
import { repeated, type Case, type Outcome } from '../case.ts';
import { makeNodes, PodMaker } from '../manifests.ts';
import { collectGarbage, timed } from '../timing.ts';
import { cycle, devicesOf, fleetOf, institutions, policyOf, start } from '../world.ts';

const usersOfQuota = 4;
/** What the operator plans ahead of the API server. */
const podsOfCycle = 1000;

/** An empty pool of 50,000 GPUs and as many one-GPU pods, which came within an hour. */
export const fill: Case = {
  name: 'fill',
  measure(rounds) {
    const nodes = makeNodes(6250);
    const { names, quotas } = institutions(1000, devicesOf(nodes));
    const policy = policyOf(quotas);
    const pods = singlePods(devicesOf(nodes), names, new PodMaker());
    return repeated(() => fillOnce(() => fleetOf(policy, nodes), nodes, pods), rounds, 2);
  },
};

/** Pods of one GPU unless told otherwise, taking turns among quotas and their users; sixteen come each second. */
export function singlePods(count: number, names: readonly string[], maker: PodMaker, devices = 1): readonly PodFacts[] {
  return Array.from({ length: count }, (_, i) => {
    const user = `user-${Math.floor(i / names.length) % usersOfQuota}`;
    const createdAt = start - Math.ceil((count - i) / 16) * 1000;
    return maker.make({ quota: names[i % names.length]!, devices, user, createdAt, walltime: '24h' });
  });
}

function fillOnce(makeFleet: () => Fleet, nodes: readonly NodeFacts[], pods: readonly PodFacts[]): Outcome {
  const fleet = makeFleet();
  const arrival = timed(() => pods.forEach((pod) => fleet.upsertPod(pod)));
  collectGarbage();
  const filling = timed(() => cycle(fleet, start));
  const books = new Books(nodes);
  books.admit(filling.value);

  const other = makeFleet();
  pods.forEach((pod) => other.upsertPod(pod));
  const otherBooks = new Books(nodes);
  collectGarbage();
  let inCycles = 0;
  for (let more = true; more;) {
    const { ms, value } = timed(() => cycle(other, start, { maxPods: podsOfCycle }));
    inCycles += ms;
    otherBooks.admit(value);
    more = value.more;
  }
  return {
    figures: [
      {
        what: `${pods.length.toLocaleString('en')} one-GPU pods from empty`,
        unit: 'pods/s',
        samples: [(pods.length / filling.ms) * 1000],
        reach: { atLeast: 200_000 },
      },
      { what: `in cycles of ${podsOfCycle}`, unit: 'pods/s', samples: [(pods.length / inCycles) * 1000] },
      { what: 'arrival of a pod', unit: 'µs', samples: [(arrival.ms * 1000) / pods.length] },
    ],
    faults: [...faultsOf(books, pods.length), ...faultsOf(otherBooks, pods.length)],
  };
}

/** All must have started. */
export function faultsOf(books: Books, expected: number): readonly string[] {
  const { started } = books;
  return started === expected ? books.faults() : [...books.faults(), `${started} of ${expected} pods started`];
}
