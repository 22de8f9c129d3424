import { SortedList } from '../ds/index.ts';
import { compareAge, type PendingClass, type QuotaState, type RestingPlace, type Snapshot } from '../snapshot/index.ts';
import { needsQuota } from './checks.ts';
import type { Kin } from './kin.ts';
import type { Refusal } from './refusal.ts';
import { WaitingWorkloads, type Waiting } from './waiting.ts';

/** Who puts up workloads: the quota that pays, or the namespace where none does. */
export type Payer = QuotaState | string;

export function payerOf(kin: Pick<Kin, 'quota' | 'pending' | 'roles'>): Payer {
  const { quota, pending } = kin;
  if (quota === undefined) return pending.namespace;
  return needsQuota(kin) ? quota : `quota ${quota.spec.name}`;
}

/** The order inside one payer, of classes that nothing puts ahead of everyone: by their oldest workloads. */
export function compareHeads(a: Pick<Kin, 'head'>, b: Pick<Kin, 'head'>): number {
  if (a.head === undefined || b.head === undefined) return Number(a.head === undefined) - Number(b.head === undefined);
  return b.head.priority - a.head.priority || compareAge(a.head, b.head);
}

/** Classes of one payer that wait for their turn. They do not change while they are here. */
class Line {
  /** In the order in which they would be tried. */
  readonly byOrder = new SortedList<Kin>([], compareHeads);
  /** By how long they have waited for a turn, longest first. */
  readonly byTurn = new Set<Kin>();
}

/** Where a class that is set aside stands. */
interface Entry {
  readonly kin: Kin;
  /** In the list of what waits; undefined for a class that was told nothing yet. */
  index: number | undefined;
}

/**
 * Classes that a cycle need not look at, with what they were told: those that nothing can start before somebody edits
 * something or they change themselves, and those that have to wait for their turn. What one institution puts up then
 * costs a cycle next to nothing, however much it is.
 *
 * Kept from cycle to cycle for as long as the snapshot is the same. A class leaves by itself when it changes.
 *
 * | operation | cost |
 * |---|---|
 * | begin | O(payers whose classes wait for turns, and the classes that are woken) |
 * | standsStill | O(workloads of the class) |
 * | waitsItsTurn, leave | the same, and O(log classes of the payer) |
 * | waiting | O(classes here), a copy of pointers |
 */
export class SetAside implements RestingPlace {
  readonly #snapshot: Snapshot;
  readonly #lines = new Map<Payer, Line>();
  readonly #entries = new Map<PendingClass, Entry>();
  readonly #waits: Waiting[] = [];
  /** Whose each of {@link #waits} is. */
  readonly #owners: Entry[] = [];

  private constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  static of(snapshot: Snapshot): SetAside {
    let aside = kept.get(snapshot);
    if (aside === undefined) kept.set(snapshot, (aside = new SetAside(snapshot)));
    return aside;
  }

  /** What the classes that are set aside were told last. */
  get waiting(): readonly Waiting[] {
    return this.#waits;
  }

  /** Wakes those whose turn it is: of each payer the first in order and those that have waited longest, so many of each. */
  begin(turns: number): void {
    for (const { byOrder, byTurn } of this.#lines.values()) {
      const next = [
        ...firstOf(
          byOrder.from(() => false),
          turns,
        ),
        ...firstOf(byTurn, turns),
      ];
      for (const { pending } of next) this.#snapshot.pending.wake(pending);
    }
  }

  /** Whether classes of the payer are here because they wait for their turn. */
  someWaitTheirTurn(payer: Payer): boolean {
    return this.#lines.has(payer);
  }

  /** Nothing can start of this class as long as it and the snapshot are the same. Periods of budgets are part of that. */
  standsStill(kin: Kin): void {
    this.#add(kin, kin.refusal);
  }

  /** The class is not tried in this cycle. @param told what it was told when it was tried last, if ever */
  waitsItsTurn(kin: Kin, told: Refusal | undefined): void {
    this.#add(kin, told);
    const payer = payerOf(kin);
    let line = this.#lines.get(payer);
    if (line === undefined) this.#lines.set(payer, (line = new Line()));
    line.byOrder.add(kin);
    line.byTurn.add(kin);
  }

  leave(pending: PendingClass): void {
    const entry = this.#entries.get(pending);
    if (entry === undefined) return;
    this.#entries.delete(pending);
    this.#forget(entry);
    const { kin } = entry;
    const payer = payerOf(kin);
    const line = this.#lines.get(payer);
    if (line?.byTurn.delete(kin) !== true) return;
    line.byOrder.delete(kin);
    if (line.byTurn.size === 0) this.#lines.delete(payer);
  }

  #add(kin: Kin, told: Refusal | undefined): void {
    const entry: Entry = { kin, index: undefined };
    this.#entries.set(kin.pending, entry);
    if (told !== undefined) {
      entry.index = this.#waits.length;
      this.#waits.push(new WaitingWorkloads(told, kin.pending.from(0), false));
      this.#owners.push(entry);
    }
    this.#snapshot.pending.rest(kin.pending, this);
  }

  /** The last of the list takes the place of the one that goes. */
  #forget({ index }: Entry): void {
    if (index === undefined) return;
    const [wait, owner] = [this.#waits.pop(), this.#owners.pop()];
    if (wait === undefined || owner === undefined || owner.index === index) return;
    this.#waits[index] = wait;
    this.#owners[index] = owner;
    owner.index = index;
  }
}

const kept = new WeakMap<Snapshot, SetAside>();

function firstOf<T>(items: Iterable<T>, count: number): readonly T[] {
  const first: T[] = [];
  if (count <= 0) return first;
  for (const item of items) {
    first.push(item);
    if (first.length >= count) break;
  }
  return first;
}
