import type { PlacementRequest } from '../place/index.ts';
import type { AcceleratorRequest, Ending, PodFacts, Snapshot } from '../snapshot/index.ts';
import type { Booking } from './reservation.ts';

/** Amounts of resources, by slot; a gap is 0. */
type Amounts = number[];

/** What one booking needs of one node. */
interface Claim {
  readonly booking: Booking;
  readonly needed: Amounts;
  /** What the node's pods give back by the time of the booking. */
  readonly freed: Amounts;
}

interface NodeClaims {
  readonly claims: Claim[];
  /** Accelerators among what is claimed, by resource name: they draw power. */
  readonly accelerators: Map<string, AcceleratorRequest>;
  /** What is taken from the node table now. */
  held: Amounts;
}

/** Which bookings are to be kept. */
export type View = (booking: Booking) => boolean;

/**
 * The part of the nodes that must stay free now so that every booking finds its space at its time: on a node, for every
 * booking there, what all bookings hold at that time less what pods give back by then; the largest of these. It is
 * taken from the node table (and from the power of the node's sites), so that whoever looks for space sees it as used.
 *
 * A booking counts from its time to the end of its walltime. Power is kept node by node, which is safe and may keep more than is needed, as what other nodes of the
 * site give back is not counted.
 *
 * | operation | cost |
 * |---|---|
 * | add, remove, clear, restore | O(nodes claimed x bookings of a node squared x resources) |
 * | lower | the same; nodes where nothing is held cost nothing |
 */
export class HeldSpace {
  readonly #snapshot: Snapshot;
  readonly #nodes = new Map<number, NodeClaims>();

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  /** Takes a booking in. `released`: what ends by its time, on any node. */
  add(booking: Booking, released: readonly Ending[]): void {
    const added = new Map<number, Claim>();
    for (const { pod, node } of booking.placed) {
      let claim = added.get(node);
      if (claim === undefined) added.set(node, (claim = { booking, needed: [], freed: [] }));
      this.#addTo(claim.needed, pod);
      const nodeClaims = this.#claimsOf(node);
      for (const accelerator of this.#snapshot.acceleratorsOf(pod.shape))
        nodeClaims.accelerators.set(accelerator.resourceName, accelerator);
    }
    for (const { held } of released) {
      const claim = added.get(held.node);
      if (claim !== undefined) this.#addTo(claim.freed, held.pod);
    }
    for (const [node, claim] of added) this.#claimsOf(node).claims.push(claim);
    this.restore(added.keys());
  }

  /** Gives up a booking. */
  remove(booking: Booking): void {
    for (const [node, { claims }] of this.#nodes) {
      const i = claims.findIndex((claim) => claim.booking === booking);
      if (i < 0) continue;
      claims.splice(i, 1);
      this.restore([node]);
    }
  }

  /** Counts a pod that the cycle lets start here: it gives its resources back to bookings from `endsAt` on. */
  start(pod: PodFacts, node: number, endsAt: number): void {
    const nodeClaims = this.#nodes.get(node);
    if (nodeClaims === undefined) return;
    for (const { booking, freed } of nodeClaims.claims) {
      if (booking.reservation.at >= endsAt) this.#addTo(freed, pod);
    }
    this.restore([node]);
  }

  /** Whether a booking needs a part of the node. */
  claims(booking: Booking, node: number): boolean {
    return this.#nodes.get(node)?.claims.some((claim) => claim.booking === booking) ?? false;
  }

  /** Whether less is free on a node than must be held there. */
  isShort(node: number): boolean {
    const { nodes } = this.#snapshot;
    return this.#nodes.get(node)?.held.some((amount, slot) => amount > 0 && nodes.free(node, slot) < 0) ?? false;
  }

  /**
   * Holds no more than the view asks for, on nodes where this makes room for pods of the request: on as many as are
   * needed where nodes are all that counts, on all where the request is of several parts or must lie in one domain.
   *
   * @returns those nodes, for {@link restore}
   */
  lower(view: View, request: PlacementRequest): readonly number[] {
    const lowered: number[] = [];
    const [only] = request.roles;
    let missing = request.roles.length > 1 || request.within !== undefined ? Infinity : (only?.pods.length ?? 0);
    for (const [node, nodeClaims] of this.#nodes) {
      if (!this.#mayGain(node, nodeClaims.held, request)) continue;
      const before = nodeClaims.held;
      const roomBefore = this.#room(node, request);
      this.#hold(node, nodeClaims, wanted(nodeClaims.claims, view));
      const gained = this.#room(node, request) - roomBefore;
      if (gained <= 0) {
        this.#hold(node, nodeClaims, before);
        continue;
      }
      lowered.push(node);
      missing -= gained;
      if (missing <= 0) break;
    }
    return lowered;
  }

  /** Holds again on these nodes what all bookings need. Absent: on all nodes. */
  restore(nodes: Iterable<number> = this.#nodes.keys()): void {
    for (const node of nodes) {
      const nodeClaims = this.#claimsOf(node);
      this.#hold(
        node,
        nodeClaims,
        wanted(nodeClaims.claims, () => true),
      );
    }
  }

  /** Holds nothing until the next {@link restore}. */
  clear(): void {
    for (const [node, nodeClaims] of this.#nodes) this.#hold(node, nodeClaims, []);
  }

  #claimsOf(node: number): NodeClaims {
    let nodeClaims = this.#nodes.get(node);
    if (nodeClaims === undefined)
      this.#nodes.set(node, (nodeClaims = { claims: [], accelerators: new Map(), held: [] }));
    return nodeClaims;
  }

  /** Whether a pod of the request would fit were nothing held on the node, and what is held is in its way. */
  #mayGain(node: number, held: Amounts, { roles }: PlacementRequest): boolean {
    const { nodes } = this.#snapshot;
    return roles.some(({ pods: [pod] }) => {
      if (pod === undefined) return false;
      const { slots, amounts } = this.#snapshot.requestOf(pod.shape);
      if (!slots.some((slot) => (held[slot] ?? 0) > 0)) return false;
      return slots.every((slot, i) => nodes.free(node, slot) + (held[slot] ?? 0) >= (amounts[i] ?? 0));
    });
  }

  /** Pods of the request that the node has room for, whatever role they are of. */
  #room(node: number, { roles }: PlacementRequest): number {
    const { nodes } = this.#snapshot;
    let room = 0;
    for (const { pods, profiles } of roles) {
      const [pod] = pods;
      if (pod === undefined || !profiles.includes(nodes.profileOf(node))) continue;
      room += Math.min(pods.length, nodes.copiesThatFit(node, this.#snapshot.requestOf(pod.shape)));
    }
    return room;
  }

  /** Changes what is taken from the table to `amounts`. */
  #hold(node: number, nodeClaims: NodeClaims, amounts: Amounts): void {
    const before = nodeClaims.held;
    nodeClaims.held = amounts;
    const slots: number[] = [];
    const changes: number[] = [];
    for (let slot = 0; slot < Math.max(before.length, amounts.length); slot++) {
      const change = (amounts[slot] ?? 0) - (before[slot] ?? 0);
      if (change === 0) continue;
      slots.push(slot);
      changes.push(change);
    }
    if (slots.length === 0) return;
    const { nodes, power } = this.#snapshot;
    nodes.take(node, { slots, amounts: changes }, 1);
    for (const { resourceName, slot } of nodeClaims.accelerators.values()) {
      const devices = (amounts[slot] ?? 0) - (before[slot] ?? 0);
      if (devices !== 0) power.hold(nodes.profileOf(node).id, [{ resourceName, devices }], 1);
    }
  }

  #addTo(sum: Amounts, pod: PodFacts): void {
    const { slots, amounts } = this.#snapshot.requestOf(pod.shape);
    slots.forEach((slot, i) => (sum[slot] = (sum[slot] ?? 0) + (amounts[i] ?? 0)));
  }
}

/** What must be kept free now on a node for the bookings of the view. */
function wanted(claims: readonly Claim[], view: View): Amounts {
  const most: Amounts = [];
  const kept = claims.filter((claim) => view(claim.booking));
  for (const { booking, freed } of kept) {
    const time = booking.reservation.at;
    const active = kept.filter((c) => c.booking.reservation.at <= time && time < c.booking.endsAt);
    const slots = Math.max(...active.map((claim) => claim.needed.length));
    for (let slot = 0; slot < slots; slot++) {
      let amount = -(freed[slot] ?? 0);
      for (const { needed } of active) amount += needed[slot] ?? 0;
      most[slot] = Math.max(most[slot] ?? 0, amount);
    }
  }
  return most;
}
