import { placeAll, placeAt, release, type Feasibility, type PlacedPod, type PlacementRequest } from '../place/index.ts';
import type { Reservation, RunningWorkload, Snapshot } from '../snapshot/index.ts';
import { HeldSpace, type View } from './heldSpace.ts';
import { Horizon } from './horizon.ts';
import { earliestSlot, type Effort, type Slot } from './outlook.ts';
import { admits, charge, type Ask, type Booking } from './reservation.ts';

/**
 * How many blocked workloads are promised a time in one cycle. One is enough that no workload starves: it is the first
 * in order, and the next is first once it has started. More keep the wait of the next few short as well, but each costs
 * a look ahead and leaves less for others to use meanwhile.
 */
const mostReservations = 8;

/**
 * Effort that a cycle may spend on looking ahead (see {@link Effort}): the first reservation may look far, so that the
 * workload ahead of all others gets a time whatever its size; all that follow share a little.
 */
const farLook = 500_000;
const nearLook = 30_000;

/** What a reservation may wait for: what is being deleted already, walltimes, or the first if it will do. */
export type After = 'leaving' | 'walltimes' | 'either';

/** What came of an attempt to start a workload. */
export type Attempt =
  /** The pods are held in the snapshot. */
  | { readonly kind: 'placed'; readonly pods: readonly PlacedPod[] }
  /** It fits, but the workload of this reservation would start later for it. */
  | { readonly kind: 'delays'; readonly reservation: Reservation }
  | { readonly kind: 'no room' };

/**
 * Reservations and backfill of one cycle (DESIGN.md sections 4.3 and 7). A workload that cannot start may get a
 * reservation: the earliest time at which it fits by quota and by nodes, when what runs ends at its walltime. Whoever
 * comes after it starts only where it delays no reservation: it ends by then, or it leaves alone the nodes and the quota
 * that the reservation will need.
 *
 * Later reservations are planned around earlier ones, as if these held their nodes already. What evictions free is
 * reserved for whom they are for, closed to all others. A borrower's open reservation yields to guaranteed demand and is
 * dropped when that takes its space.
 *
 * While a Backfill lives it holds space in the snapshot; {@link release} gives it back. Whatever starts in the cycle
 * must go through {@link place}, so that it is reckoned with.
 *
 * | operation | cost |
 * |---|---|
 * | place | that of `placeAll`, and O(reservations x depth + nodes with held space) |
 * | reserve | O(nodes + pods that end until then + pods reserved so far) |
 */
export class Backfill {
  readonly #context: { readonly snapshot: Snapshot; readonly feasibility: Feasibility; readonly now: number };
  readonly #space: HeldSpace;
  readonly #horizon: Horizon;
  readonly #effort: Effort = { left: farLook };
  #bookings: Booking[] = [];

  /** @param now epoch milliseconds */
  constructor(snapshot: Snapshot, feasibility: Feasibility, now: number) {
    this.#context = { snapshot, feasibility, now };
    this.#space = new HeldSpace(snapshot);
    this.#horizon = new Horizon(snapshot, now);
  }

  /** In the order in which they were made. */
  get reservations(): readonly Reservation[] {
    return this.#bookings.map((booking) => booking.reservation);
  }

  /** The cycle has looked ahead as far as it may: a time that is unknown now may be known in a later cycle. */
  get exhausted(): boolean {
    return this.#effort.left <= 0;
  }

  /** Whether a further workload may still be told a time by walltimes. */
  get canReserve(): boolean {
    return !this.exhausted && this.#bookings.filter(({ reservation }) => !reservation.closed).length < mostReservations;
  }

  /**
   * Starts a workload where it delays no reservation. That the quota admits it now is for the caller to have checked;
   * here it is checked at the times of the reservations.
   */
  place(ask: Ask): Attempt {
    const endsAt = this.#context.now + ask.walltime;
    const keeps: View = ({ reservation, ask: booked }) =>
      reservation.closed || (reservation.at < endsAt && !outranks(ask, booked));
    const late = this.#bookings.find((booking) => keeps(booking) && delays(booking, ask));
    if (late !== undefined)
      return this.#unhindered(ask) === undefined ? noRoom : { kind: 'delays', reservation: late.reservation };
    const placed = this.#placeAll(ask.placement) ?? this.#placeIn(keeps, ask.placement);
    if (placed === undefined) return this.#obstacle(ask);
    this.#note(ask, placed);
    return { kind: 'placed', pods: placed };
  }

  /** {@link place} on nodes that were chosen before. Only for who goes before all reservations. */
  placeAt(ask: Ask, chosen: readonly PlacedPod[]): boolean {
    if (!placeAt(this.#context.snapshot, this.#context.feasibility, chosen)) return false;
    this.#note(ask, chosen);
    return true;
  }

  /** Keeps a place that was found in an earlier cycle, in what is being deleted. O(pods being deleted + pods booked). */
  keep(ask: Ask, placed: readonly PlacedPod[]): Reservation {
    const nodes = new Set(placed.map(({ node }) => node));
    const released = Array.from(this.#horizon.leaving()).filter(({ held }) => nodes.has(held.node));
    const at = released.reduce((latest, ending) => Math.max(latest, ending.at), this.#context.now);
    const forecast = this.prospect(() => ask.quota?.pool?.tree.fork());
    return this.#book(ask, { at, placed, released, forecast, closed: true });
  }

  /** Counts workloads that the cycle evicts as gone at `at`, epoch milliseconds: their space can be reserved. @returns how to undo it */
  evict(victims: readonly RunningWorkload[], at: number): () => void {
    return this.#horizon.evict(victims, at);
  }

  /**
   * Keeps space for a workload that cannot start now. Once what is being deleted is gone, and what the cycle evicts, if
   * that is enough; else, in a pool with backfill and for the first few workloads only, when enough walltimes have run
   * out. Undefined: no such time is known.
   */
  reserve(ask: Ask, after: After = 'either'): Reservation | undefined {
    const slot = this.#asBooked(() => {
      const soon = after === 'walltimes' ? undefined : this.#afterEvictions(ask);
      return soon ?? (after === 'leaving' ? undefined : this.#afterWalltimes(ask));
    });
    return slot === undefined ? undefined : this.#book(ask, slot);
  }

  #book(ask: Ask, slot: PlannedSlot): Reservation {
    const booking = this.#bookingOf(ask, slot);
    for (const other of this.#bookings) if (overlaps(booking, other)) charge(other.forecast, ask, 1);
    this.#bookings.push(booking);
    this.#space.add(booking, slot.released);
    return booking.reservation;
  }

  /**
   * Looks at the snapshot as it will be once everything that is on its way out has gone, and whoever waits for that
   * alone has started. The snapshot is as before on return.
   */
  prospect<T>(look: () => T): T {
    const leaving = Array.from(this.#horizon.leaving(), ({ held }) => held);
    return this.#asBooked(() => {
      this.#hold(leaving, -1);
      const seen = look();
      this.#hold(leaving, 1);
      return seen;
    });
  }

  /** Gives all held space back. What {@link place} placed stays. */
  release(): void {
    this.#space.clear();
    this.#bookings = [];
  }

  /** Runs with everything that is booked in its place, and no space held beside. */
  #asBooked<T>(look: () => T): T {
    this.#space.clear();
    for (const { placed } of this.#bookings) this.#hold(placed, 1);
    const seen = look();
    for (const { placed } of this.#bookings) this.#hold(placed, -1);
    this.#space.restore();
    return seen;
  }

  #afterEvictions(ask: Ask): PlannedSlot | undefined {
    const slot = earliestSlot(this.#context, ask, { endings: this.#horizon.leaving(), effort: this.#effort });
    return slot === undefined ? undefined : { ...slot, closed: true };
  }

  #afterWalltimes(ask: Ask): PlannedSlot | undefined {
    if (ask.quota?.pool?.spec.backfill !== true) return undefined;
    const open = this.#bookings.filter((booking) => !booking.reservation.closed);
    if (open.length >= mostReservations) return undefined;
    const endings = this.#horizon.endings(this.#bookings);
    const slot = earliestSlot(this.#context, ask, { endings, effort: this.#effort });
    this.#effort.left = Math.min(this.#effort.left, nearLook);
    return slot === undefined ? undefined : { ...slot, closed: false };
  }

  #bookingOf(ask: Ask, { at, placed, closed, forecast }: PlannedSlot): Booking {
    // It was planned as if reservations of a later time held their nodes and quota already.
    for (const { ask: other, reservation, endsAt } of this.#bookings)
      if (reservation.at > at && endsAt > at && samePool(other, ask)) charge(forecast, other, -1);
    const { names } = this.#context.snapshot.nodes;
    const pods = placed.map(({ pod, node }) => ({ pod, nodeName: names[node] ?? '' }));
    const reservation = { workload: ask.workload, at, pods, closed };
    return { reservation, ask, placed, endsAt: at + ask.walltime, forecast };
  }

  #placeAll(placement: PlacementRequest): readonly PlacedPod[] | undefined {
    return placeAll(this.#context.snapshot, this.#context.feasibility, placement);
  }

  /** Places with no more space held than the view asks for. */
  #placeIn(view: View, placement: PlacementRequest): readonly PlacedPod[] | undefined {
    if (this.#bookings.every(view)) return undefined;
    const lowered = this.#space.lower(view, placement);
    if (lowered.length === 0) return undefined;
    const placed = this.#placeAll(placement);
    this.#space.restore(lowered);
    return placed;
  }

  /** Where the workload would go were nothing reserved. */
  #unhindered({ placement }: Ask): readonly PlacedPod[] | undefined {
    const placed = this.#placeAll(placement) ?? this.#placeIn(() => false, placement);
    if (placed !== undefined) release(this.#context.snapshot, placed);
    return placed;
  }

  /** What keeps a workload out that found no room: a reservation, if it would fit without. */
  #obstacle(ask: Ask): Attempt {
    if (this.#bookings.length === 0) return noRoom;
    const nodes = new Set(this.#unhindered(ask)?.map(({ node }) => node));
    const ahead = this.#bookings.find((booking) => booking.placed.some(({ node }) => nodes.has(node)));
    return ahead === undefined ? noRoom : { kind: 'delays', reservation: ahead.reservation };
  }

  /** Reckons with a workload that starts now. Reservations that it could not be held back by may have to go. */
  #note(ask: Ask, placed: readonly PlacedPod[]): void {
    const endsAt = this.#context.now + ask.walltime;
    this.#horizon.start(placed, endsAt);
    if (this.#bookings.length === 0) return;
    for (const { pod, node } of placed) this.#space.start(pod, node, endsAt);
    for (const booking of this.#bookings) {
      if (booking.reservation.at >= endsAt || !samePool(booking.ask, ask)) continue;
      charge(booking.forecast, ask, 1);
    }
    if (!ask.guaranteed) return;
    for (const booking of this.#bookings) {
      const { closed, at } = booking.reservation;
      if (closed || !outranks(ask, booking.ask) || at >= endsAt) continue;
      const short = placed.some(({ node }) => this.#space.isShort(node) && this.#space.claims(booking, node));
      if (short || !admits(booking.forecast, booking.ask)) this.#drop(booking);
    }
  }

  #drop(booking: Booking): void {
    this.#bookings = this.#bookings.filter((other) => other !== booking);
    this.#space.remove(booking);
    for (const other of this.#bookings) if (overlaps(booking, other)) charge(other.forecast, booking.ask, -1);
  }

  #hold(placed: readonly PlacedPod[], count: 1 | -1): void {
    for (const { pod, node } of placed) this.#context.snapshot.hold(pod, node, count);
  }
}

/** A slot, and whether nothing but what is being deleted has to go first. */
interface PlannedSlot extends Slot {
  readonly closed: boolean;
}

const noRoom: Attempt = { kind: 'no room' };

/** Guaranteed demand goes before another quota's borrowers; inside one quota who comes first has the better right. */
function outranks(ask: Ask, booked: Ask): boolean {
  return ask.guaranteed && !booked.guaranteed && ask.quota !== booked.quota;
}

/** Whether the quota would not admit what is booked any more, were this workload running at that time. */
function delays({ forecast, ask: booked }: Booking, ask: Ask): boolean {
  if (!samePool(booked, ask)) return false;
  charge(forecast, ask, 1);
  const admitted = admits(forecast, booked);
  charge(forecast, ask, -1);
  return !admitted;
}

/** Whether the first runs at the time of the second, and draws on the same quotas. */
function overlaps(first: Booking, { reservation: { at }, ask }: Booking): boolean {
  return samePool(first.ask, ask) && first.reservation.at <= at && at < first.endsAt;
}

function samePool(a: Ask, b: Ask): boolean {
  return a.quota?.pool === b.quota?.pool;
}
