import type { PodFacts } from './facts.ts';
import type { HeldPod } from './heldPod.ts';

/** A binding that is under way. */
export interface Assumption {
  readonly nodeName: string;
  /** When the binding was decided, epoch milliseconds. */
  readonly since: number;
  /** Its budget admits it as a borrower only. */
  readonly borrower?: boolean;
}

/**
 * Bindings and deletions that are under way: decided, and not shown by the API server yet. It says how pods stand when
 * these count as done.
 *
 * | operation | cost |
 * |---|---|
 * | all | O(1) |
 */
export class UnderWay {
  /** By uid of the pod. */
  readonly #bindings = new Map<string, Assumption>();
  /** By uid of the pod, the time of the kill. */
  readonly #endings = new Map<string, number>();
  readonly #borrowers = new Set<string>();

  /** Uids of pods that hold resources and were admitted as borrowers by their budget. */
  get borrowers(): ReadonlySet<string> {
    return this.#borrowers;
  }

  /** Uids of pods whose binding is under way. */
  get bindings(): Iterable<string> {
    return this.#bindings.keys();
  }

  /** Uids of pods whose deletion is under way. */
  get endings(): Iterable<string> {
    return this.#endings.keys();
  }

  /** The node whose resources the pod holds: where it is bound or about to be, until it has ended. */
  nodeOf(pod: PodFacts): string | undefined {
    if (pod.phase === 'Succeeded' || pod.phase === 'Failed') return undefined;
    return pod.nodeName ?? this.#bindings.get(pod.uid)?.nodeName;
  }

  /** The pod on the node of this id. One whose binding is under way started when that was decided. */
  held(pod: PodFacts, node: number): HeldPod {
    const since = pod.boundAt ?? this.#bindings.get(pod.uid)?.since ?? pod.createdAt;
    const deletionAt = pod.deletionAt ?? this.#endings.get(pod.uid);
    return { pod, node, since, deletionAt, borrower: this.#borrowers.has(pod.uid) };
  }

  isBinding(uid: string): boolean {
    return this.#bindings.has(uid);
  }

  bind(uid: string, assumption: Assumption): void {
    this.#bindings.set(uid, assumption);
    this.#noteBorrower(uid, assumption.borrower === true);
  }

  /** The binding failed: the pod stands as it is shown. */
  unbind({ uid, borrower }: PodFacts): void {
    this.#bindings.delete(uid);
    this.#noteBorrower(uid, borrower);
  }

  /** @param at when it is killed, epoch milliseconds */
  end(uid: string, at: number): void {
    this.#endings.set(uid, at);
  }

  /** The deletion failed: the pod goes on. @returns whether it was under way */
  goOn(uid: string): boolean {
    return this.#endings.delete(uid);
  }

  /**
   * What the API server shows of a pod is no longer under way. Not to be called for a pod that is shown as before: that
   * its binding is to make it a borrower would be lost.
   */
  shown({ uid, nodeName, deletionAt, borrower }: PodFacts): void {
    this.#noteBorrower(uid, borrower);
    if (nodeName !== undefined) this.#bindings.delete(uid);
    if (deletionAt !== undefined) this.#endings.delete(uid);
  }

  /** The pod does not exist any more. */
  gone(uid: string): void {
    this.#bindings.delete(uid);
    this.#endings.delete(uid);
    this.#borrowers.delete(uid);
  }

  #noteBorrower(uid: string, is: boolean): void {
    if (is) this.#borrowers.add(uid);
    else this.#borrowers.delete(uid);
  }
}
