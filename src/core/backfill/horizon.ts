import type { PlacedPod } from '../place/index.ts';
import type { Ending, RunningWorkload, Snapshot } from '../snapshot/index.ts';
import type { Booking } from './reservation.ts';

/**
 * When what holds resources gives them back: what runs, what the cycle starts and what it evicts. Pods past their
 * walltime that are not being deleted have no known end and never appear.
 *
 * | operation | cost |
 * |---|---|
 * | leaving, endings | O(1) a pod read, beside O(s log s) for the s pods started or evicted in the cycle |
 */
export class Horizon {
  readonly #snapshot: Snapshot;
  readonly #now: number;
  readonly #started: { readonly placed: readonly PlacedPod[]; readonly endsAt: number }[] = [];
  #evicted: Ending[] = [];
  readonly #evictedUids = new Set<string>();

  constructor(snapshot: Snapshot, now: number) {
    this.#snapshot = snapshot;
    this.#now = now;
  }

  /** Counts pods that the cycle starts as running until `endsAt`. */
  start(placed: readonly PlacedPod[], endsAt: number): void {
    this.#started.push({ placed, endsAt });
  }

  /** Counts workloads that the cycle evicts as gone at `at`. @returns how to undo it */
  evict(victims: readonly RunningWorkload[], at: number): () => void {
    const before = this.#evicted;
    const pods = victims.flatMap((victim) => victim.pods);
    this.#evicted = [...before, ...pods.map((held) => ({ at, held }))];
    for (const { pod } of pods) this.#evictedUids.add(pod.uid);
    return () => {
      this.#evicted = before;
      for (const { pod } of pods) this.#evictedUids.delete(pod.uid);
    };
  }

  /** What is on its way out, the first to go first. Pods that should be gone by now are among them. */
  *leaving(): Iterable<Ending> {
    this.#evicted = this.#evicted.sort(byTime);
    yield* merge([this.#remaining(this.#snapshot.running.endings().leaving()), this.#evicted]);
  }

  /** Everything with a known end, the first to end first, and the ends of what is booked. */
  *endings(bookings: readonly Booking[]): Iterable<Ending> {
    const started = this.#started
      .flatMap(({ placed, endsAt }) => placed.map((pod) => endingOf(pod, this.#now, endsAt)))
      .sort(byTime);
    const booked = bookings
      .flatMap((b) => b.placed.map((placed) => endingOf(placed, b.reservation.at, b.endsAt)))
      .sort(byTime);
    const running = this.#remaining(this.#snapshot.running.endings().byWalltime(this.#now));
    yield* merge([this.leaving(), running, started, booked]);
  }

  /** Without what the cycle evicts: that ends earlier. */
  #remaining(endings: Iterable<Ending>): Iterable<Ending> {
    return this.#evictedUids.size === 0 ? endings : this.#withoutEvicted(endings);
  }

  *#withoutEvicted(endings: Iterable<Ending>): Iterable<Ending> {
    for (const ending of endings) if (!this.#evictedUids.has(ending.held.pod.uid)) yield ending;
  }
}

function endingOf({ pod, node }: PlacedPod, since: number, at: number): Ending {
  return { at, held: { pod, node, since, deletionAt: undefined, borrower: false } };
}

/** Merges sources that are each in order. */
function* merge(sources: readonly Iterable<Ending>[]): Iterable<Ending> {
  const heads = sources.map((source) => new Head(source));
  for (;;) {
    let first: Head | undefined;
    for (const head of heads) if (head.at < (first?.at ?? Infinity)) first = head;
    if (first?.ending === undefined) return;
    yield first.ending;
    first.next();
  }
}

/** The next ending of a source. */
class Head {
  ending: Ending | undefined;
  /** Its time; Infinity at the end of the source. */
  at = Infinity;
  readonly #iterator: Iterator<Ending, unknown>;

  constructor(source: Iterable<Ending>) {
    this.#iterator = source[Symbol.iterator]();
    this.next();
  }

  next(): void {
    const result = this.#iterator.next();
    this.ending = result.done === true ? undefined : result.value;
    this.at = this.ending?.at ?? Infinity;
  }
}

function byTime(a: Ending, b: Ending): number {
  return a.at - b.at;
}
