import type { Waiting } from '../../core/plan/index.ts';
import type { PodFacts, Workload } from '../../core/snapshot/index.ts';

/** A workload that waits. */
interface Known {
  workload: Workload;
  /** When it was first seen to wait. */
  readonly since: number;
  /** The turn in which it was last seen to wait. */
  turn: number;
  /** All its pods have been told just this. */
  settled: Waiting | undefined;
}

/** What a pod was last told, and when. */
interface Told {
  readonly text: string;
  readonly reason: string;
  readonly at: number;
}

/** A pod that is to be told something. */
export interface Due {
  readonly pod: PodFacts;
  readonly waiting: Waiting;
  /** The event of the workload is about this pod. */
  readonly first: boolean;
  /** `reason` where it is another than before, `numbers` where only the sentence differs. */
  readonly what: 'reason' | 'numbers';
}

/** Milliseconds. */
export interface Patience {
  /** A workload that starts within this time needs no explanation. */
  readonly unsaid: number;
  /** Numbers in a message may be this old. */
  readonly numbers: number;
  /** A pod that could not be told is left alone for so long. */
  readonly retry: number;
}

/**
 * What waiting pods were told, and what they are to be told next. All times are of one monotonic clock, in milliseconds.
 *
 * A turn costs O(waiting workloads), some tens of nanoseconds for each that was told what it is to be told.
 */
export class ToldPods {
  readonly #patience: Patience;
  /** By key of the workload. */
  readonly #known = new Map<string, Known>();
  /** By uid of the pod. */
  readonly #told = new Map<string, Told>();
  /** When a pod that could not be told is tried again, by uid. */
  readonly #notBefore = new Map<string, number>();
  #turn = 0;

  constructor(patience: Patience) {
    this.#patience = patience;
  }

  /**
   * Who is to be told something by these explanations; whoever no longer waits is forgotten once all are read.
   *
   * @param isWanted asked before a pod is looked at: those of whom nobody could be told now need not be
   */
  *due(waits: readonly Waiting[], now: number, isWanted: (pod: PodFacts) => boolean): Iterable<Due> {
    this.#turn++;
    let seen = 0;
    for (const waiting of waits) {
      for (const workload of waiting.workloads) {
        seen++;
        const known = this.#see(workload, now);
        if (known.settled === waiting || now - known.since < this.#patience.unsaid) continue;
        let settled = true;
        for (const pod of workload.pods) {
          const what = isWanted(pod) ? this.#need(pod, waiting, now) : 'later';
          if (what === 'none') continue;
          settled = false;
          if (what !== 'later') yield { pod, waiting, first: pod === workload.pods[0], what };
        }
        if (settled) known.settled = waiting;
      }
    }
    if (this.#known.size > seen) this.#forgetUnseen();
  }

  /** What the pod was told last, by this process or, as it shows, by an earlier one. */
  reasonOf({ uid, explained }: PodFacts): string | undefined {
    return this.#told.get(uid)?.reason ?? explained?.split(':', 1)[0];
  }

  told({ uid }: PodFacts, waiting: Waiting, now: number): void {
    this.#told.set(uid, { text: textOf(waiting), reason: waiting.reason, at: now });
  }

  /** The pod could not be told. */
  failed({ uid }: PodFacts, now: number): void {
    this.#told.delete(uid);
    this.#notBefore.set(uid, now + this.#patience.retry);
  }

  #see(workload: Workload, now: number): Known {
    let known = this.#known.get(workload.key);
    if (known === undefined) {
      known = { workload, since: now, turn: this.#turn, settled: undefined };
      this.#known.set(workload.key, known);
      return known;
    }
    known.turn = this.#turn;
    if (known.workload === workload) return known;
    this.#forgetPods(known.workload, new Set(workload.pods.map(({ uid }) => uid)));
    known.workload = workload;
    known.settled = undefined;
    return known;
  }

  #need(pod: PodFacts, waiting: Waiting, now: number): Due['what'] | 'later' | 'none' {
    if (now < (this.#notBefore.get(pod.uid) ?? 0)) return 'later';
    const told = this.#told.get(pod.uid);
    if ((told?.text ?? pod.explained) === textOf(waiting)) return 'none';
    if (this.reasonOf(pod) !== waiting.reason) return 'reason';
    return told !== undefined && now - told.at < this.#patience.numbers ? 'later' : 'numbers';
  }

  #forgetUnseen(): void {
    for (const [key, { workload, turn }] of this.#known) {
      if (turn === this.#turn) continue;
      this.#known.delete(key);
      this.#forgetPods(workload, new Set());
    }
  }

  #forgetPods({ pods }: Workload, but: ReadonlySet<string>): void {
    for (const { uid } of pods) {
      if (but.has(uid)) continue;
      this.#told.delete(uid);
      this.#notBefore.delete(uid);
    }
  }
}

/** What the condition says: the reason token, then the sentence. */
export function textOf({ reason, message }: Waiting): string {
  return `${reason}: ${message}`;
}
