import { SortedList } from '../ds/index.ts';
import type { HeldPod } from './heldPod.ts';

/** When a running pod gives its resources back at the latest, as far as that is known. */
export interface Ending {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly held: HeldPod;
}

/**
 * Running pods by the time they end. A pod that is being deleted ends at its `deletionAt`. Any other ends at its
 * walltime; of pods that are not Moa's only a declared one counts, as the quota's default binds no one else. Pods
 * without a known end are left out.
 *
 * | operation | cost |
 * |---|---|
 * | build | O(n log n), O(n) when nearly in order |
 * | replace | O(log n), see {@link SortedList} |
 */
export class Endings {
  readonly #leaving: SortedList<Ending>;
  readonly #byWalltime: SortedList<Ending>;
  readonly #defaultWalltime: (namespace: string) => number;

  /** @param defaultWalltime of a namespace, milliseconds */
  constructor(pods: Iterable<HeldPod>, defaultWalltime: (namespace: string) => number) {
    this.#defaultWalltime = defaultWalltime;
    const leaving: Ending[] = [];
    const byWalltime: Ending[] = [];
    for (const held of pods) {
      const ending = this.#endingOf(held);
      if (ending !== undefined) (held.deletionAt === undefined ? byWalltime : leaving).push(ending);
    }
    this.#leaving = new SortedList(leaving, compare);
    this.#byWalltime = new SortedList(byWalltime, compare);
  }

  /** Takes a pod that ended, began or changed into account; undefined = it does not run before, or after. */
  replace(before: HeldPod | undefined, after: HeldPod | undefined): void {
    const [was, is] = [this.#endingOf(before), this.#endingOf(after)];
    if (was !== undefined) this.#listOf(was).delete(was);
    if (is !== undefined) this.#listOf(is).add(is);
  }

  /** Pods that are being deleted, the first to go first; those that should have gone are among them. */
  leaving(): Iterable<Ending> {
    return this.#leaving.from(() => false);
  }

  /** Pods that reach their walltime after `now` (epoch milliseconds), the first first. Overdue ones are left out. */
  byWalltime(now: number): Iterable<Ending> {
    return this.#byWalltime.from((ending) => ending.at <= now);
  }

  /** Pods that go on past their walltime, the longest first. */
  *overdue(now: number): Iterable<Ending> {
    for (const ending of this.#byWalltime.from(() => false)) {
      if (ending.at > now) return;
      yield ending;
    }
  }

  #listOf({ held }: Ending): SortedList<Ending> {
    return held.deletionAt === undefined ? this.#byWalltime : this.#leaving;
  }

  #endingOf(held: HeldPod | undefined): Ending | undefined {
    if (held === undefined) return undefined;
    const { pod, since, deletionAt } = held;
    if (deletionAt !== undefined) return { at: deletionAt, held };
    const walltime = pod.walltime ?? (pod.ours ? this.#defaultWalltime(pod.namespace) : undefined);
    return walltime === undefined ? undefined : { at: since + walltime, held };
  }
}

function compare(a: Ending, b: Ending): number {
  if (a.at !== b.at) return a.at - b.at;
  const [x, y] = [a.held.pod.uid, b.held.pod.uid];
  return x < y ? -1 : x > y ? 1 : 0;
}
