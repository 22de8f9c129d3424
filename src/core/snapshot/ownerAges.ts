import type { PodFacts } from './facts.ts';

/** Owners that are remembered beside those that are told to be gone: more than are evicted in an hour. */
const remembered = 100_000;

/**
 * Since when the pods of each owner have been wanted. A controller makes a pod anew when it was evicted; without this
 * the work would go to the end of the queue.
 *
 * | operation | cost |
 * |---|---|
 * | all | O(1) |
 */
export class OwnerAges {
  readonly #since = new Map<string, number>();
  /** Owners that were asked for before anything was known of them, as many as are worth remembering. */
  readonly #missed = new Set<string>();

  /** Epoch milliseconds: the pod's creation, or what is known of its owner where that is earlier. */
  of({ owner, createdAt }: PodFacts): number {
    if (owner === undefined) return createdAt;
    const since = this.#since.get(owner);
    if (since === undefined && this.#missed.size < remembered) this.#missed.add(owner);
    return Math.min(createdAt, since ?? createdAt);
  }

  /** @returns whether an answer that was given before is different now */
  learn(owner: string, since: number): boolean {
    const known = this.#since.get(owner);
    if (known !== undefined && known <= since) return false;
    this.#since.set(owner, since);
    if (this.#since.size > remembered) this.forget(this.#since.keys().next().value ?? '');
    return this.#missed.delete(owner) || known !== undefined;
  }

  forget(owner: string): void {
    this.#since.delete(owner);
    this.#missed.delete(owner);
  }
}
