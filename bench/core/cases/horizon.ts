import type { Plan } from '../../../src/core/plan/index.ts';
import type { Fleet, NodeFacts, PodFacts } from '../../../src/core/snapshot/index.ts';
import { quota } from '../../../src/core/testing/world.ts';
import { Books } from '../books.ts';
import type { Case } from '../case.ts';
import { gpusPerNode, makeNodes, PodMaker } from '../manifests.ts';
import { gangOf, runningPods } from '../pools.ts';
import { randomFrom } from '../random.ts';
import { collectGarbage, timed } from '../timing.ts';
import { cycle, fleetOf, hour, policyOf, start } from '../world.ts';

const cyclesOfRound = 20;
const warmUps = 20;
const changes = 20;
const gangSize = 512;
const shortHours = 1;
const longHours = 60;

/**
 * 20,000 running pods with walltimes fill the pool; a gang of 4,096 GPUs waits in front and gets a reservation; behind
 * it one-GPU pods of an hour may use what falls free until then, and those of sixty hours may not delay it.
 */
export const horizon: Case = {
  name: 'horizon',
  measure(rounds) {
    const pool = new RunningPool(makeNodes(6250));
    const samples: number[] = [];
    for (let i = -warmUps; i < rounds * cyclesOfRound; i++) {
      if (i % cyclesOfRound === 0) collectGarbage();
      const ms = pool.turn();
      if (i >= 0) samples.push(ms);
    }
    return {
      figures: [
        {
          what: `20,000 walltimes, ${changes} end and ${changes} come: a cycle`,
          unit: 'ms',
          samples,
          reach: { under: 20 },
        },
        { what: 'the slowest in a hundred', unit: 'ms', samples, as: 'p99' },
      ],
      faults: pool.faults(),
    };
  },
};

/** The pool, and when each of its pods ends at the latest, by which the reservation is checked. */
class RunningPool {
  readonly #nodes: readonly NodeFacts[];
  readonly #fleet: Fleet;
  readonly #books: Books;
  readonly #maker = new PodMaker();
  readonly #random = randomFrom(11);
  readonly #running: { readonly pod: PodFacts; readonly node: string; readonly endsAt: number }[] = [];
  readonly #faults = new Set<string>();
  #now = start;
  #promised = Infinity;

  constructor(nodes: readonly NodeFacts[]) {
    this.#nodes = nodes;
    const names = Array.from({ length: 200 }, (_, i) => `institute-${i}`);
    this.#fleet = fleetOf(policyOf(['waiting', 'behind', ...names].map((name) => quota(name, 0))), nodes);
    this.#books = new Books(nodes);
    const running = runningPods(
      nodes,
      {
        names,
        startedAt: (random) => start - (random % 86_400) * 1000,
        walltime: (random) => `${25 + (random % 48)}h${random % 60}m`,
      },
      this.#maker,
    );
    for (const pod of running) {
      this.#fleet.upsertPod(pod);
      this.#books.start(pod, pod.nodeName!);
      this.#running.push({ pod, node: pod.nodeName!, endsAt: pod.boundAt! + pod.walltime! });
    }
    const wish = { quota: 'waiting', name: 'large', size: gangSize, devices: gpusPerNode, createdAt: start - hour };
    for (const pod of gangOf(this.#maker, wish)) this.#fleet.upsertPod(pod);
  }

  /** One cycle, events included. Milliseconds. */
  turn(): number {
    this.#now += 1000;
    const ended = Array.from({ length: changes }, () => this.#takeRunning());
    const come = Array.from({ length: changes }, (_, i) =>
      this.#maker.make({
        quota: 'behind',
        devices: 1,
        createdAt: this.#now,
        walltime: `${i % 2 === 0 ? shortHours : longHours}h`,
      }),
    );
    for (const { pod } of ended) this.#books.end(pod);
    const { ms, value: planned } = timed(() => {
      for (const { pod } of ended) this.#fleet.removePod(pod.uid);
      for (const pod of come) this.#fleet.upsertPod(pod);
      return cycle(this.#fleet, this.#now);
    });
    this.#check(planned);
    return ms;
  }

  faults(): readonly string[] {
    return [...this.#faults, ...this.#books.faults()].slice(0, 5);
  }

  /** The gang must be promised the earliest time that walltimes allow, and no admission may move it. */
  #check(planned: Plan): void {
    this.#books.admit(planned);
    const before = this.#earliest();
    for (const { pods } of planned.admit) {
      for (const { pod, nodeName } of pods)
        this.#running.push({ pod, node: nodeName, endsAt: this.#now + pod.walltime! });
    }
    const after = this.#earliest();
    const reservation = planned.reserve.find(({ workload }) => workload.namespace === 'waiting');
    if (reservation === undefined) this.#faults.add('the gang in front got no reservation');
    else if (reservation.at !== before)
      this.#faults.add(`reserved ${(reservation.at - before) / 1000} s after the earliest time`);
    if (after > before) this.#faults.add('a later workload was started that delays the gang');
    if (after > this.#promised) this.#faults.add('the gang is promised a later time than before');
    if (planned.evict.length > 0) this.#faults.add('evictions among borrowers');
    this.#promised = after;
  }

  /** When as many whole nodes as the gang needs will have ended all that runs on them. */
  #earliest(): number {
    const idleAt = new Map(this.#nodes.map(({ name }) => [name, this.#now]));
    for (const { node, endsAt } of this.#running) idleAt.set(node, Math.max(endsAt, idleAt.get(node) ?? 0));
    return [...idleAt.values()].sort((a, b) => a - b)[gangSize - 1]!;
  }

  #takeRunning() {
    const index = this.#random() % this.#running.length;
    const taken = this.#running[index]!;
    const last = this.#running.pop()!;
    if (index < this.#running.length) this.#running[index] = last;
    return taken;
  }
}
