import type { Plan } from '../../../src/core/plan/index.ts';
import type { NodeFacts, PodFacts, PolicyInput } from '../../../src/core/snapshot/index.ts';
import { quota } from '../../../src/core/testing/world.ts';
import { Books, devicesOfPod } from '../books.ts';
import { repeated, type Case, type Outcome } from '../case.ts';
import { makeNodes, PodMaker } from '../manifests.ts';
import { gangOf, runningPods } from '../pools.ts';
import { collectGarbage, timed } from '../timing.ts';
import { cycle, fleetOf, hour, policyOf, start } from '../world.ts';

const gpusOfGang = 4096;
const borrowingQuotas = 200;

/** A pool that 20,000 borrowers fill, and the owner of 4,096 GPUs who wants them back for one gang. */
export const reclaim: Case = {
  name: 'reclaim',
  measure(rounds) {
    const nodes = makeNodes(6250);
    const borrowers = Array.from({ length: borrowingQuotas }, (_, i) => `borrower-${i}`);
    const policy = policyOf([quota('owner', gpusOfGang), ...borrowers.map((name) => quota(name, 0))]);
    const maker = new PodMaker();
    const running = runningPods(
      nodes,
      {
        names: borrowers,
        startedAt: (random) => start - hour - (random % 86_400) * 1000,
        walltime: () => '72h',
      },
      maker,
    );
    const outcomes = [8, 1].map((devices) => {
      const size = gpusOfGang / devices;
      const gang = gangOf(maker, { quota: 'owner', name: 'wanted', size, devices, createdAt: start });
      return repeated(() => reclaimOnce(policy, nodes, { running, gang }), rounds, 2);
    });
    return {
      figures: outcomes.flatMap(({ figures }) => figures),
      faults: outcomes.flatMap(({ faults }) => faults),
    };
  },
};

function reclaimOnce(
  policy: PolicyInput,
  nodes: readonly NodeFacts[],
  { running, gang }: { running: readonly PodFacts[]; gang: readonly PodFacts[] },
): Outcome {
  const fleet = fleetOf(policy, nodes);
  for (const pod of running) fleet.upsertPod(pod);
  // An operator has planned before: what runs is known and indexed when the gang comes.
  cycle(fleet, start - 1000);
  fleet.snapshot(start - 1000).running.endings();
  collectGarbage();
  const { ms, value: planned } = timed(() => {
    for (const pod of gang) fleet.upsertPod(pod);
    return cycle(fleet, start);
  });
  const each = devicesOfPod(gang[0]!);
  const victims = planned.evict.length;
  const fewest = fewestVictims(running, { copies: gang.length, each });
  return {
    figures: [
      {
        what: `a gang of ${gang.length} x ${each} GPUs from ${running.length.toLocaleString('en')} borrowers`,
        unit: 'ms',
        samples: [ms],
        reach: { under: 50 },
      },
      { what: `victims (fewest possible: ${fewest})`, unit: 'workloads', samples: [victims] },
    ],
    faults: [
      ...(victims > fewest ? [`${victims} victims for ${gang.length} x ${each} GPUs where ${fewest} would do`] : []),
      ...faultsOf(planned, { nodes, running, gang }),
    ],
  };
}

/** The victims, gone, must make room for the gang, and not without any one of them. */
function faultsOf(
  planned: Plan,
  { nodes, running, gang }: { nodes: readonly NodeFacts[]; running: readonly PodFacts[]; gang: readonly PodFacts[] },
): readonly string[] {
  const books = new Books(nodes);
  for (const pod of running) books.start(pod, pod.nodeName!);
  const victims = planned.evict.flatMap(({ victim }) => victim.pods.map(({ pod }) => pod));
  for (const pod of victims) books.end(pod);
  const each = devicesOfPod(gang[0]!);
  const copiesOn = (free: number) => Math.floor(free / each);
  const copies = nodes.reduce((sum, { name }) => sum + copiesOn(books.free(name)), 0);
  const faults = [...books.faults()];
  if (copies < gang.length) faults.push(`with the victims gone ${copies} of ${gang.length} pods fit`);
  const needless = victims.filter((pod) => {
    const free = books.free(pod.nodeName!);
    return copies - copiesOn(free) + copiesOn(free - devicesOfPod(pod)) >= gang.length;
  });
  if (needless.length > 0) faults.push(`${needless.length} victims could have stayed, any one of them`);
  return faults;
}

/**
 * The fewest single-pod workloads that make room for `copies` pods of `each` devices on full nodes: exact for pods of a
 * whole node, which need all of the node's workloads gone, and for pods of one device, which any device serves.
 */
function fewestVictims(running: readonly PodFacts[], { copies, each }: { copies: number; each: number }): number {
  if (each === 1) {
    const sizes = running.map(devicesOfPod).sort((a, b) => b - a);
    let left = copies;
    return sizes.findIndex((devices) => (left -= devices) <= 0) + 1;
  }
  const onNode = new Map<string, number>();
  for (const { nodeName } of running) onNode.set(nodeName!, (onNode.get(nodeName!) ?? 0) + 1);
  const counts = [...onNode.values()].sort((a, b) => a - b);
  return counts.slice(0, copies).reduce((sum, count) => sum + count, 0);
}
