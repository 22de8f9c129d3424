import { Heap } from '../ds/index.ts';
import type { Kin } from './kin.ts';
import { refuse, sentenceOf, type Refusal } from './refusal.ts';
import { compareHeads, payerOf, type Payer, type SetAside } from './setAside.ts';

/** What is remembered of a class between two cycles, in {@link PendingClass.turn}. */
class Turn {
  /** Cycles in which the class was tried. */
  count = 0;
  /** What the workloads were told when it was tried last. */
  told: Refusal | undefined;
}

interface TurnsOptions {
  /** Classes of one payer in one cycle, at least 2. */
  readonly most: number;
  readonly aside: SetAside;
  /** As how many classes one counts: 1, or more where trying it costs more. */
  readonly effortOf: (kin: Kin) => number;
}

/**
 * Keeps the work of one cycle in bounds whatever one payer puts up: of its equivalence classes only so many are tried.
 * Half of them are the first in order, so that nobody who is next waits for this; the other half are those that had the
 * fewest turns, so that all of them come round. Classes that are promised a place, or were begun, are always among them.
 *
 * The others are set aside with what they were told last; before its first turn a class is told nothing.
 */
export class Turns {
  readonly #most: number;
  readonly #aside: SetAside;
  readonly #effortOf: (kin: Kin) => number;
  readonly #tried: Kin[] = [];

  constructor({ most, aside, effortOf }: TurnsOptions) {
    this.#most = most;
    this.#aside = aside;
    this.#effortOf = effortOf;
  }

  /** Wakes those whose turn it is. To be called before the classes of the cycle are gone through. */
  begin(): void {
    this.#aside.begin(Math.ceil(this.#most / 2));
  }

  /** Those to be tried; the others are set aside. O(classes), with a factor of log `most` where there are more. */
  choose(kins: readonly Kin[]): readonly Kin[] {
    const byPayer = new Map<Payer, Kin[]>();
    for (const kin of kins) {
      const payer = payerOf(kin);
      const own = byPayer.get(payer);
      if (own === undefined) byPayer.set(payer, [kin]);
      else own.push(kin);
    }
    const chosen: Kin[] = [];
    for (const [payer, own] of byPayer) {
      const few = this.#isTooMuch(own) || this.#aside.someWaitTheirTurn(payer) ? this.#fewOf(own) : own;
      for (const kin of few) chosen.push(kin);
    }
    return chosen;
  }

  /**
   * Notes what those were told who had a turn at the cost of others. To be called when the cycle is over.
   *
   * @returns whether some of them started something, so that others should have a turn soon
   */
  close(): boolean {
    for (const kin of this.#tried) {
      const turn = turnOf(kin);
      turn.count++;
      // The sentence now: what it is made of belongs to a snapshot that need not be kept.
      if (kin.refusal !== undefined) turn.told = spoken(kin.refusal);
    }
    return this.#tried.some((kin) => kin.started > 0);
  }

  #fewOf(kins: readonly Kin[]): readonly Kin[] {
    const ahead = kins.filter((kin) => kin.rankAhead !== Infinity);
    const chosen = new Set([...ahead, ...this.#within(firstOf(kins, Math.ceil(this.#most / 2), compareHeads))]);
    const others = kins.filter((kin) => !chosen.has(kin));
    const fewestTurns = (a: Kin, b: Kin) => turnOf(a).count - turnOf(b).count || compareHeads(a, b);
    for (const kin of this.#within(firstOf(others, Math.floor(this.#most / 2), fewestTurns))) chosen.add(kin);
    for (const kin of kins) if (!chosen.has(kin)) this.#aside.waitsItsTurn(kin, turnOf(kin).told);
    this.#tried.push(...chosen);
    return [...chosen];
  }

  #isTooMuch(kins: readonly Kin[]): boolean {
    let effort = 0;
    return kins.some((kin) => (effort += this.#effortOf(kin)) > this.#most);
  }

  /** As many of them, from the first on, as half of a cycle's effort allows; the first in any case. */
  #within(kins: readonly Kin[]): readonly Kin[] {
    let left = this.#most / 2;
    const affordable = kins.findIndex((kin) => {
      const isSpent = left <= 0;
      left -= this.#effortOf(kin);
      return isSpent;
    });
    return affordable < 0 ? kins : kins.slice(0, affordable);
  }
}

/** The first `count`, in order. O(items x log count). */
function firstOf<T>(items: readonly T[], count: number, compare: (a: T, b: T) => number): readonly T[] {
  const last = new Heap<T>((a, b) => compare(b, a));
  for (const item of items) {
    if (last.size < count) last.push(item);
    else if (last.top !== undefined && compare(item, last.top) < 0) {
      last.pop();
      last.push(item);
    }
  }
  return Array.from({ length: last.size }, () => last.pop() as T).reverse();
}

function turnOf({ pending }: Kin): Turn {
  const { turn } = pending;
  if (turn instanceof Turn) return turn;
  const first = new Turn();
  pending.turn = first;
  return first;
}

function spoken(refusal: Refusal): Refusal {
  const text = sentenceOf(refusal);
  return refuse(refusal.reason, () => text);
}
