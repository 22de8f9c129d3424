import type { Fleet, NodeFacts, PodFacts } from '../../../src/core/snapshot/index.ts';
import type { Plan } from '../../../src/core/plan/index.ts';
import { Books } from '../books.ts';
import type { Case, Outcome } from '../case.ts';
import { boundTo, makeNodes, PodMaker } from '../manifests.ts';
import { randomFrom } from '../random.ts';
import { collectGarbage, timed } from '../timing.ts';
import { cycle, devicesOf, fleetOf, hour, institutions, policyOf, start } from '../world.ts';
import { singlePods } from './fill.ts';

const cyclesOfRound = 100;
const warmUps = 50;

/** A full pool of 50,000 GPUs with 100,000 pods waiting; in each cycle 100 end and 100 come. */
export const steady: Case = {
  name: 'steady',
  measure(rounds) {
    const state = new SteadyState(makeNodes(6250), { quotas: 1000, waiting: 100_000, devices: 1 });
    const hundred = state.run(100, cyclesOfRound * rounds);
    const ten = state.run(10, cyclesOfRound);
    return {
      figures: [
        {
          what: '100 end, 100 come, 100,000 wait: a cycle',
          unit: 'ms',
          samples: hundred,
          as: 'p99',
          reach: { under: 10 },
        },
        { what: 'the same, median', unit: 'ms', samples: hundred },
        { what: '10 end, 10 come: a cycle, median', unit: 'ms', samples: ten },
      ],
      faults: state.faults(),
    } satisfies Outcome;
  },
};

/** A pool that is full, with more work than it can hold, at some point of a long day. */
export class SteadyState {
  readonly #fleet: Fleet;
  readonly #books: Books;
  readonly #names: readonly string[];
  readonly #devices: number;
  readonly #maker = new PodMaker();
  readonly #random = randomFrom(7);
  readonly #running: PodFacts[] = [];
  readonly #faults: string[] = [];
  #now = start;
  #come = 0;
  /** Started in the last cycle: the watch shows them bound in the next. */
  #bound: Plan['admit'] = [];

  /** @param work how many quotas share the pool, how many pods wait, and the devices that each pod asks for */
  constructor(nodes: readonly NodeFacts[], work: { quotas: number; waiting: number; devices: number }) {
    const { names, quotas } = institutions(work.quotas, devicesOf(nodes));
    const running = devicesOf(nodes) / work.devices;
    this.#devices = work.devices;
    this.#names = names;
    this.#fleet = fleetOf(policyOf(quotas), nodes);
    this.#books = new Books(nodes);
    for (const pod of singlePods(running + work.waiting, names, this.#maker, work.devices)) this.#fleet.upsertPod(pod);
    this.#book(cycle(this.#fleet, this.#now));
    this.#spreadStarts();
    if (this.#books.started !== running) this.#faults.push(`the pool is not full: ${this.#books.started}`);
  }

  /** Milliseconds of each of `cycles` cycles, events included, after as many as it takes to get warm. */
  run(changes: number, cycles: number): readonly number[] {
    const samples: number[] = [];
    for (let i = -warmUps; i < cycles; i++) {
      // What the real process lets its collector do between cycles, so that no cycle pays for the books kept here.
      if (i % 100 === 0) collectGarbage();
      const ms = this.#turn(changes);
      if (i >= 0) samples.push(ms);
    }
    return samples;
  }

  faults(): readonly string[] {
    return [...new Set([...this.#faults, ...this.#books.faults()])].slice(0, 5);
  }

  #turn(changes: number): number {
    this.#now += 1000;
    const ended = Array.from({ length: changes }, () => this.#takeRunning());
    const come = Array.from({ length: changes }, () => this.#newPod());
    const bound = this.#bound.flatMap(({ pods }) => pods.map(({ pod, nodeName }) => boundTo(pod, nodeName, this.#now)));
    for (const pod of ended) this.#books.end(pod);
    const { ms, value: planned } = timed(() => {
      for (const pod of bound) this.#fleet.upsertPod(pod);
      for (const pod of ended) this.#fleet.removePod(pod.uid);
      for (const pod of come) this.#fleet.upsertPod(pod);
      return cycle(this.#fleet, this.#now);
    });
    this.#book(planned);
    if (this.#bound.length !== changes)
      this.#faults.push(`${this.#bound.length} pods started in a cycle in which ${changes} ended`);
    return ms;
  }

  /** What runs in a pool that has been in use for long started at one time or another. */
  #spreadStarts(): void {
    for (const { pods } of this.#bound) {
      for (const { pod, nodeName } of pods) {
        const boundAt = start - (this.#random() % (20 * hour));
        this.#fleet.upsertPod(boundTo(pod, nodeName, boundAt));
      }
    }
    this.#bound = [];
  }

  #book(planned: Plan): void {
    this.#books.admit(planned);
    this.#bound = planned.admit;
    for (const { workload } of planned.admit) this.#running.push(...workload.pods);
    if (planned.evict.length > 0) this.#faults.push(`${planned.evict.length} evictions where everyone waits alike`);
  }

  #takeRunning(): PodFacts {
    const index = this.#random() % this.#running.length;
    const pod = this.#running[index]!;
    const last = this.#running.pop()!;
    if (index < this.#running.length) this.#running[index] = last;
    return pod;
  }

  #newPod(): PodFacts {
    const i = this.#come++;
    const quota = this.#names[i % this.#names.length]!;
    const user = `user-${Math.floor(i / this.#names.length) % 4}`;
    return this.#maker.make({ quota, devices: this.#devices, user, createdAt: this.#now, walltime: '24h' });
  }
}
