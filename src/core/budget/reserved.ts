import { SortedList } from '../ds/index.ts';
import { noCharge, type Charge, type ChargeRate } from './charge.ts';

/** Something that runs and is expected to end. */
export interface RunningTime {
  /** Names it among all that runs, the uid of a pod for one. */
  readonly id: string;
  /** Names of the quotas that pay, its own first, the topmost last. */
  readonly quotas: readonly string[];
  /** Not negative. At full weight, without `borrowedChargeFactor` (DESIGN.md section 7, Budget). */
  readonly rate: ChargeRate;
  /** When its walltime is over, whole epoch milliseconds. */
  readonly endsAt: number;
}

/** Sums over what is not overdue. */
interface Sum {
  rate: bigint;
  /** Sum of rate x endsAt: less rate x now it is what is reserved at `now`. */
  due: bigint;
}

/**
 * The remaining walltime of what runs, by quota, children included; what is overdue counts 0, never less. Exact at every
 * moment, and moments may be asked for in any order, as clocks may go back.
 *
 * It keeps the sums of all that ends after some moment, the one last asked for, and moves that moment: whatever ends
 * between the two comes in or goes out, so that each end is passed once as time goes on.
 *
 * | operation | cost |
 * |---|---|
 * | begin, finish | O(depth + log n), see {@link SortedList} |
 * | at | O(1), and O(depth) for each walltime that ended since the moment last asked for |
 */
export class ReservedTime {
  readonly #running = new Map<string, RunningTime>();
  readonly #byEnd = new SortedList<RunningTime>([], compare);
  readonly #sums = new Map<string, Sum>();
  #moment = -Infinity;

  /** Counts something that runs; in place of what had the same id, if anything. */
  begin(running: RunningTime): void {
    this.finish(running.id);
    this.#running.set(running.id, running);
    this.#byEnd.add(running);
    if (running.endsAt > this.#moment) this.#turn(running, 1n);
  }

  /** Counts it no longer; nothing happens when it was not counted. */
  finish(id: string): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    this.#running.delete(id);
    this.#byEnd.delete(running);
    if (running.endsAt > this.#moment) this.#turn(running, -1n);
  }

  /**
   * What a quota has reserved.
   *
   * @param now whole epoch milliseconds
   */
  at(quota: string, now: number): Charge {
    this.#moveTo(now);
    const sum = this.#sums.get(quota);
    return sum === undefined ? noCharge : ((sum.due - sum.rate * BigInt(now)) as Charge);
  }

  #moveTo(now: number): void {
    if (now === this.#moment) return;
    const [from, to] = [Math.min(now, this.#moment), Math.max(now, this.#moment)];
    const sign = now > this.#moment ? -1n : 1n;
    this.#moment = now;
    for (const running of this.#byEnd.from(({ endsAt }) => endsAt <= from)) {
      if (running.endsAt > to) return;
      this.#turn(running, sign);
    }
  }

  /** Adds what runs to the sums of its quotas, or takes it off. */
  #turn({ quotas, rate, endsAt }: RunningTime, sign: 1n | -1n): void {
    const signed = sign * rate;
    for (const quota of quotas) {
      const { rate: before, due } = this.#sums.get(quota) ?? { rate: 0n, due: 0n };
      // No rate is negative: where they come to 0 nothing is due either, and the quota need not be remembered.
      if (before + signed === 0n) this.#sums.delete(quota);
      else this.#sums.set(quota, { rate: before + signed, due: due + signed * BigInt(endsAt) });
    }
  }
}

function compare(a: RunningTime, b: RunningTime): number {
  if (a.endsAt !== b.endsAt) return a.endsAt - b.endsAt;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
