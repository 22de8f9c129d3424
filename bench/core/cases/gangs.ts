import type { NodeFacts, PodFacts, PolicyInput } from '../../../src/core/snapshot/index.ts';
import { Books, devicesOfPod } from '../books.ts';
import { repeated, type Case, type Outcome } from '../case.ts';
import { blockLabel, cliqueLabel, makeNodes, PodMaker, zoneLabel } from '../manifests.ts';
import { collectGarbage, timed } from '../timing.ts';
import { cycle, devicesOf, fleetOf, institutions, policyOf, start } from '../world.ts';

/** For each size the level that some gangs must stay within: one that holds them, were it idle. */
const levels = new Map([
  [8, cliqueLabel],
  [64, cliqueLabel],
  [512, blockLabel],
]);

/** Every third gang must stay within its level, every third within a zone; the others may go anywhere. */
const wishes = 3;

/** The pool of `fill`, and the same number of one-GPU pods in gangs: of each size, and of all sizes at once. */
export const gangs: Case = {
  name: 'gangs',
  measure(rounds) {
    const nodes = makeNodes(6250);
    const { names, quotas } = institutions(1000, devicesOf(nodes));
    const policy = policyOf(quotas);
    const all = [...levels.keys()];
    const mixes = [...all.map((size) => [size]), all];
    const outcomes = mixes.map((sizes) => {
      const pods = podsInGangs(devicesOf(nodes), sizes, names);
      const what = `gangs of ${sizes.join(', ')}`;
      return repeated(() => fillOnce(policy, nodes, pods, what), rounds, 1);
    });
    return {
      figures: outcomes.flatMap(({ figures }) => figures),
      faults: outcomes.flatMap(({ faults }) => faults),
    };
  },
};

/** As many whole gangs as the devices allow, sizes taking turns so that each has about as many pods as the others. */
function podsInGangs(devices: number, sizes: readonly number[], names: readonly string[]): readonly PodFacts[] {
  const maker = new PodMaker();
  const made = new Map(sizes.map((size) => [size, 0]));
  const pods: PodFacts[] = [];
  for (let gang = 0; ; gang++) {
    const [size] = sizes.toSorted((a, b) => made.get(a)! - made.get(b)!) as [number];
    if (pods.length + size > devices) return pods;
    made.set(size, made.get(size)! + size);
    const within = [levels.get(size)!, zoneLabel, undefined][gang % wishes];
    for (let i = 0; i < size; i++) {
      pods.push(
        maker.make({
          quota: names[gang % names.length]!,
          devices: 1,
          createdAt: start - 7_200_000 + gang * 1000,
          walltime: '24h',
          gang: { name: `gang-${gang}`, size },
          ...(within === undefined ? {} : { within }),
        }),
      );
    }
  }
}

function fillOnce(policy: PolicyInput, nodes: readonly NodeFacts[], pods: readonly PodFacts[], what: string): Outcome {
  const fleet = fleetOf(policy, nodes);
  for (const pod of pods) fleet.upsertPod(pod);
  collectGarbage();
  const { ms, value: planned } = timed(() => cycle(fleet, start));
  const books = new Books(nodes);
  books.admit(planned);
  const faults = [...books.faults()];
  for (const { workloads, message } of planned.waiting) {
    // An empty pool holds most of them; what waits must have found every domain of its level taken.
    for (const { pods: members } of workloads) {
      const asked = members.reduce((sum, pod) => sum + devicesOfPod(pod), 0);
      const level = members[0]?.topology?.level;
      if (books.mostFree(level) >= asked)
        faults.push(`a gang of ${asked} waits (${message}) while ${level ?? 'the pool'} has room`);
    }
  }
  const share = `${((books.started / pods.length) * 100).toFixed(1)} % of ${pods.length} pods started`;
  return {
    figures: [
      {
        what: `${what} (${share})`,
        unit: 'pods/s',
        samples: [(books.started / ms) * 1000],
        reach: { atLeast: 100_000 },
      },
    ],
    faults: faults.slice(0, 5),
  };
}
