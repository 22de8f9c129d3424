import type { PlanOptions } from '../../../src/core/plan/index.ts';
import type { Fleet, NodeFacts, PodFacts } from '../../../src/core/snapshot/index.ts';
import { gpus, quota } from '../../../src/core/testing/world.ts';
import type { Case, Outcome } from '../case.ts';
import { gpusPerNode, makeNodes, PodMaker, type PodWish } from '../manifests.ts';
import { collectGarbage, timed } from '../timing.ts';
import { cycle, fleetOf, hour, policyOf, start } from '../world.ts';

const waiting = 10_000;
const cyclesOfRound = 20;
/** More than it takes until each has had its turn: what is measured is how it goes on. */
const warmUps = 350;
/** What the operator tries of one quota in a cycle. */
const maxClasses = 64;

/** How the pods of one quota differ, each from each. */
interface Kind {
  readonly what: string;
  /** Of the quota, in normalized GPUs: 4,000 are in use. */
  readonly guaranteed: number;
  readonly wishOf: (i: number) => Partial<PodWish>;
}

const kinds: readonly Kind[] = [
  { what: 'walltimes, quota used up', guaranteed: 4000, wishOf: (i) => ({ walltime: `${3600 + i}s` }) },
  { what: 'users, quota used up', guaranteed: 4000, wishOf: (i) => ({ user: `user-${i}` }) },
  { what: 'more cpu than any node has', guaranteed: 8000, wishOf: (i) => ({ cpu: 200 + i / 1000 }) },
  {
    what: 'labels that no node has',
    guaranteed: 8000,
    wishOf: (i) => ({ spec: { nodeSelector: { [`made-up-${i}`]: 'x' } } }),
  },
  {
    what: 'affinity to pods that are nowhere',
    guaranteed: 8000,
    wishOf: (i) => ({ spec: { affinity: affinityTo(`group-${i}`) } }),
  },
  { what: 'more devices than there are', guaranteed: 8000, wishOf: (i) => ({ devices: 9000 + i }) },
];

/**
 * What somebody else waits for while one quota has 10,000 pods that cannot start and that nothing makes alike: one
 * cycle on 1,000 nodes, in which a pod of the other one starts. As the operator does it, and with all tried each time.
 */
export const unlike: Case = {
  name: 'unlike',
  measure(rounds) {
    const nodes = makeNodes(1000);
    const outcomes = kinds.map((kind) => waitBeside(nodes, kind, rounds));
    return {
      figures: outcomes.flatMap(({ figures }) => figures),
      faults: outcomes.flatMap(({ faults }) => faults),
    };
  },
};

function waitBeside(nodes: readonly NodeFacts[], { what, guaranteed, wishOf }: Kind, rounds: number): Outcome {
  const maker = new PodMaker();
  const quotas = [quota('many', guaranteed, { borrowingLimit: gpus(0) }), quota('other', 0)];
  const fleet = fleetOf(policyOf(quotas), nodes);
  const runs = { quota: 'many', devices: gpusPerNode, createdAt: start - hour };
  nodes.forEach(({ name }, i) => {
    if (i % 2 === 0) fleet.upsertPod(maker.make({ ...runs, nodeName: name }));
  });
  const pods = Array.from({ length: waiting }, (_, i) =>
    maker.make({ quota: 'many', devices: 1, createdAt: start + i, ...wishOf(i) }),
  );
  const arrival = timed(() => {
    for (const pod of pods) fleet.upsertPod(pod);
    return fleet.snapshot(start);
  });
  let now = start + waiting;
  const turn = (options: Partial<PlanOptions>) =>
    oneStarts(fleet, maker.make({ ...asks, createdAt: now++ }), { now, options });
  for (let i = 0; i < warmUps; i++) turn({ maxClasses });
  // Once: cycles follow each other without a pause, and what they leave behind is part of their price.
  collectGarbage();
  const own = Array.from({ length: rounds * cyclesOfRound }, () => turn({ maxClasses }));
  const all = Array.from({ length: rounds }, () => turn({}));
  const wrong = [...own, ...all].filter(({ isRight }) => !isRight).length;
  return {
    figures: [
      { what, unit: 'ms', samples: own.map(({ ms }) => ms), reach: { under: 10 } },
      { what: 'all tried in each cycle', unit: 'ms', samples: all.map(({ ms }) => ms) },
      { what: 'their arrival', unit: 'ms', samples: [arrival.ms] },
    ],
    faults: wrong === 0 ? [] : [`${what}: ${wrong} cycles did not start just the pod of the other quota`],
  };
}

const asks = { quota: 'other', devices: 1 };

/** A cycle in which the pod starts; afterwards it is gone. */
function oneStarts(fleet: Fleet, pod: PodFacts, { now, options }: { now: number; options: Partial<PlanOptions> }) {
  fleet.upsertPod(pod);
  const { ms, value } = timed(() => cycle(fleet, now, options));
  fleet.removePod(pod.uid);
  const [only] = value.admit;
  return { ms, isRight: value.admit.length === 1 && only?.workload.key === pod.uid };
}

function affinityTo(group: string) {
  const term = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { [group]: 'x' } } };
  return { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
}
