import type { WaitReason } from '../../../src/api/v1alpha1/constants/index.ts';
import type { Fleet, NodeFacts, PodFacts } from '../../../src/core/snapshot/index.ts';
import { quota } from '../../../src/core/testing/world.ts';
import { together, type Case, type Outcome } from '../case.ts';
import { blockLabel, makeNodes, PodMaker } from '../manifests.ts';
import { gangOf, runningPods, type GangWish } from '../pools.ts';
import { collectGarbage, timed } from '../timing.ts';
import { cycle, devicesOf, fleetOf, minute, policyOf, start } from '../world.ts';

const warmUps = 5;
/** A refusal takes so little that a round is many of them. */
const gangsOfRound = 4;
const cyclesAfter = 10;

/** A pool and a gang that it cannot hold. */
interface Situation {
  readonly what: string;
  readonly running: (maker: PodMaker) => readonly PodFacts[];
  readonly gang: Omit<GangWish, 'name' | 'createdAt' | 'quota'>;
  /** What those who run are guaranteed: nothing is taken from whoever stays within that. */
  readonly guaranteed: number;
  readonly reasons: readonly WaitReason[];
}

/**
 * Gangs that cannot start on 50,000 GPUs: the first answer is a proof over nodes, domains and victims, the second is
 * remembered. Nothing is reserved: when it could start is another question.
 */
export const refusal: Case = {
  name: 'refusal',
  measure(rounds) {
    const nodes = makeNodes(6250);
    const outcomes = situationsOn(nodes).map((situation) => refuse(nodes, situation, rounds));
    return {
      figures: outcomes.flatMap(({ figures }) => figures),
      faults: outcomes.flatMap(({ faults }) => faults),
    };
  },
};

function situationsOn(nodes: readonly NodeFacts[]): readonly Situation[] {
  const oneEach = (every: number) => (maker: PodMaker) =>
    nodes.flatMap(({ name }, i) =>
      i % every === 0
        ? [maker.make({ quota: 'others', devices: 1, createdAt: start - 60 * minute, nodeName: name })]
        : [],
    );
  const most = devicesOf(nodes) / 2;
  return [
    {
      what: '4,096 GPUs by eights, one GPU of each node taken',
      running: oneEach(1),
      gang: { size: 512, devices: 8 },
      guaranteed: most,
      reasons: ['Fragmented'],
    },
    {
      what: '2,000 GPUs by eights in one block, one node in twenty touched',
      running: oneEach(20),
      gang: { size: 250, devices: 8, within: blockLabel },
      guaranteed: most,
      reasons: ['TopologyUnsatisfiable'],
    },
    {
      what: '4,096 GPUs of a guarantee, 20,000 borrowers still protected',
      running: (maker) =>
        runningPods(nodes, { names: ['others'], startedAt: () => start - minute, walltime: () => '24h' }, maker),
      gang: { size: 512, devices: 8 },
      guaranteed: 0,
      reasons: ['WaitingForReclaim', 'NoCapacity'],
    },
  ];
}

function refuse(nodes: readonly NodeFacts[], situation: Situation, rounds: number): Outcome {
  const quotas = [quota('asking', devicesOf(nodes) / 4), quota('others', situation.guaranteed)];
  const maker = new PodMaker();
  const fleet = fleetOf(policyOf(quotas, { backfill: false }), nodes);
  for (const pod of situation.running(maker)) fleet.upsertPod(pod);
  let gangs = 0;
  const next = () =>
    askOnce(
      fleet,
      gangOf(maker, { ...situation.gang, quota: 'asking', name: `gang-${gangs++}`, createdAt: start }),
      situation,
    );
  for (let i = 0; i < warmUps; i++) next();
  return together(Array.from({ length: rounds * gangsOfRound }, next));
}

function askOnce(fleet: Fleet, gang: readonly PodFacts[], { what, reasons, guaranteed }: Situation): Outcome {
  // Where others borrow, the proof has to look at what each of them runs.
  const promised = guaranteed > 0;
  for (const pod of gang) fleet.upsertPod(pod);
  // The gang is put together before the clock runs: that is the price of its pods' arrival.
  fleet.snapshot(start);
  collectGarbage();
  const first = timed(() => cycle(fleet, start));
  const again = Array.from({ length: cyclesAfter }, () => timed(() => cycle(fleet, start)));
  for (const pod of gang) fleet.removePod(pod.uid);
  const faults = [first, ...again].flatMap(({ value: { waiting, admit, evict } }) => {
    const [only] = waiting;
    const refused = waiting.length === 1 && only?.workloads.length === 1 && reasons.includes(only.reason);
    if (refused && admit.length === 0 && evict.length === 0) return [];
    return [`${what}: ${only === undefined ? 'no answer' : `${only.reason}, ${only.message}`}`];
  });
  return {
    figures: [
      { what, unit: 'ms', samples: [first.ms], reach: promised ? { under: 1 } : undefined },
      {
        what: 'again',
        unit: 'µs',
        samples: again.map(({ ms }) => ms * 1000),
        reach: promised ? { under: 100 } : undefined,
      },
    ],
    faults: faults.slice(0, 1),
  };
}
