import { at } from '../ds/index.ts';
import type { Feasibility, FitCounter, PlacementRole } from '../place/index.ts';
import type { PodFacts, PodShape, Snapshot } from '../snapshot/index.ts';
import type { Claim } from './claim.ts';

/** What one claim frees on one node. */
interface Stake {
  readonly id: number;
  readonly pod: PodFacts;
  readonly count: number;
  /** Devices that the role is after. */
  readonly devices: number;
  /** The node's part of the workload: 1 for one node, less for a gang that frees others with it. */
  readonly price: number;
}

/** Claims of one node that together make room for `gain` pods more, once those of the node's earlier bundles are gone. */
interface Bundle {
  readonly ids: readonly number[];
  readonly gain: number;
  readonly price: number;
  /** The number of the claim that is last in the stated order, of this bundle and the node's earlier ones. */
  readonly last: number;
}

/** What it takes to make room for a role in one domain. */
export interface Opening {
  /** Claims to take, in this order: the first {@link enough} of them make room by counting, the rest is more of it. */
  readonly ids: readonly number[];
  readonly enough: number;
  /** Estimated number of workloads among the first {@link enough}. */
  readonly price: number;
}

/**
 * Where the pods of one role could go: the copies that fit now, and what each node's claims would add.
 *
 * | operation | cost |
 * |---|---|
 * | build | O(nodes + pods of the claims) |
 * | openingIn | O(bundles of the domain x log) |
 * | leastPrefix | O(nodes + pods of the prefix) |
 */
export class RoleSpace {
  readonly #snapshot: Snapshot;
  readonly #feasibility: Feasibility;
  readonly #role: PlacementRole;
  readonly #counter: FitCounter;
  readonly #domainCount: number;
  readonly #pod: PodFacts;
  readonly #slots: readonly number[];
  readonly #amounts: readonly number[];
  readonly #profiles: ReadonlySet<number>;
  /** The slot of the accelerator, and how many devices a pod needs; undefined = the role needs none. */
  readonly #device: { readonly slot: number; readonly devices: number } | undefined;
  /** By node: pods of the role that fit now; -1 where the role may not run. */
  readonly #copies: Int32Array;
  readonly #now: Int32Array;
  readonly #free: Float64Array;
  /** The shape last looked at and its devices: most pods are like the one before. */
  #lastShape: PodShape | undefined;
  #lastDevices = 0;

  constructor(parts: {
    snapshot: Snapshot;
    feasibility: Feasibility;
    counter: FitCounter;
    role: PlacementRole;
    pod: PodFacts;
  }) {
    const { snapshot, role, pod } = parts;
    this.#snapshot = snapshot;
    this.#feasibility = parts.feasibility;
    this.#role = role;
    this.#counter = parts.counter;
    this.#domainCount = snapshot.nodes.topology.start.length;
    this.#pod = pod;
    const request = snapshot.requestOf(pod.shape);
    this.#slots = [...request.slots];
    this.#amounts = [...request.amounts];
    this.#profiles = new Set(role.profiles.map((profile) => profile.id));
    this.#device = snapshot.acceleratorsOf(pod.shape)[0];
    this.#copies = new Int32Array(snapshot.nodes.count);
    this.#now = new Int32Array(this.#domainCount);
    this.#free = new Float64Array(this.#domainCount);
    for (let node = 0; node < snapshot.nodes.count; node++) this.#count(node);
  }

  get pods(): number {
    return this.#role.pods.length;
  }

  /** Whether the role may run on the node, within some domain. */
  allows(node: number): boolean {
    return at(this.#copies, node) >= 0;
  }

  /** Devices missing in the domain that misses the fewest; 0 or less = none. A lower bound: fragments count as whole. */
  missingDevices(): number {
    if (this.#device === undefined) return 0;
    return this.pods * this.#device.devices - this.#free.reduce((most, free) => Math.max(most, free), -Infinity);
  }

  /** Devices of the kind that the role is after which a claim frees where the role may run. */
  devicesOf({ holding }: Claim): number {
    let devices = 0;
    for (const { pod, node, count } of holding.spots) {
      if (this.allows(node)) devices += count * this.#devicesOfShape(pod);
    }
    return devices;
  }

  /** By domain of the topology, what to take there; undefined where even everything would not do. */
  openings(claims: readonly Claim[]): readonly (Opening | undefined)[] {
    const bundles = Array.from({ length: this.#domainCount }, (): Bundle[] => []);
    this.#stakesByNode(claims).forEach((stakes, node) => {
      const inDomain = stakes === undefined ? undefined : bundles[this.#counter.domainOf(node)];
      if (inDomain !== undefined) for (const bundle of this.#bundlesOn(node, stakes ?? [])) inDomain.push(bundle);
    });
    return bundles.map((ofDomain, domain) => this.#opening(ofDomain, domain));
  }

  /**
   * How many claims of an order have to go at the least before some domain could hold the role, by devices alone;
   * Infinity = all of them would not do.
   */
  leastPrefix(claims: readonly Claim[], order: readonly number[]): number {
    if (this.#device === undefined) return 0;
    const { slot, devices } = this.#device;
    const { nodes } = this.#snapshot;
    const { pods } = this;
    const room = new Int32Array(this.#domainCount);
    const free = new Float64Array(nodes.count);
    const copies = (node: number) => Math.max(0, Math.min(pods, Math.floor(at(free, node) / devices)));
    for (let node = 0; node < nodes.count; node++) {
      if (!this.allows(node)) continue;
      free[node] = nodes.free(node, slot);
      const domain = this.#counter.domainOf(node);
      room[domain] = at(room, domain) + copies(node);
    }
    if (room.some((count) => count >= pods)) return 0;
    for (let i = 0; i < order.length; i++) {
      for (const spot of at(claims, at(order, i)).holding.spots) {
        if (!this.allows(spot.node)) continue;
        const before = copies(spot.node);
        free[spot.node] = at(free, spot.node) + spot.count * this.#devicesOfShape(spot.pod);
        const domain = this.#counter.domainOf(spot.node);
        room[domain] = at(room, domain) + copies(spot.node) - before;
        if (at(room, domain) >= pods) return i + 1;
      }
    }
    return Infinity;
  }

  #count(node: number): void {
    const { nodes } = this.#snapshot;
    const domain = this.#counter.domainOf(node);
    const allowed =
      domain >= 0 && this.#profiles.has(nodes.profileIdOf(node)) && this.#feasibility.accepts(this.#pod.shape, node);
    if (!allowed) {
      this.#copies[node] = -1;
      return;
    }
    const copies = Math.min(this.pods, nodes.copiesThatFit(node, this.#snapshot.requestOf(this.#pod.shape)));
    this.#copies[node] = copies;
    this.#now[domain] = at(this.#now, domain) + copies;
    if (this.#device === undefined) return;
    this.#free[domain] = at(this.#free, domain) + Math.max(0, nodes.free(node, this.#device.slot));
  }

  #devicesOfShape({ shape }: PodFacts): number {
    if (shape !== this.#lastShape) {
      const { slots, amounts } = this.#snapshot.requestOf(shape);
      const i = this.#device === undefined ? -1 : slots.indexOf(this.#device.slot);
      this.#lastShape = shape;
      this.#lastDevices = i < 0 ? 0 : at(amounts, i);
    }
    return this.#lastDevices;
  }

  #stakesByNode(claims: readonly Claim[]): readonly (Stake[] | undefined)[] {
    const byNode: (Stake[] | undefined)[] = new Array<undefined>(this.#snapshot.nodes.count).fill(undefined);
    claims.forEach(({ holding }, id) => {
      let nodes = 0;
      for (const { node } of holding.spots) if (this.allows(node)) nodes++;
      for (const { pod, node, count } of holding.spots) {
        if (!this.allows(node)) continue;
        const stake = { id, pod, count, devices: count * this.#devicesOfShape(pod), price: 1 / nodes };
        const stakes = byNode[node];
        if (stakes === undefined) byNode[node] = [stake];
        else stakes.push(stake);
      }
    });
    return byNode;
  }

  /** The cheapest ways to make room on a node, each cheaper a pod than the next. */
  #bundlesOn(node: number, stakes: Stake[]): readonly Bundle[] {
    stakes.sort((a, b) => b.devices / b.price - a.devices / a.price || a.id - b.id);
    const free = this.#slots.map((slot) => this.#snapshot.nodes.free(node, slot));
    const bundles: Bundle[] = [];
    let copies = at(this.#copies, node);
    let ids: number[] = [];
    let price = 0;
    for (const stake of stakes) {
      this.#give(free, stake);
      ids.push(stake.id);
      price += stake.price;
      const now = this.#copiesIn(free);
      if (now <= copies) continue;
      pushConvex(bundles, { ids, gain: now - copies, price, last: Math.max(...ids) });
      copies = now;
      ids = [];
      price = 0;
    }
    return bundles;
  }

  #give(free: number[], { pod, count }: Stake): void {
    const { slots, amounts } = this.#snapshot.requestOf(pod.shape);
    for (let i = 0; i < this.#slots.length; i++) {
      const given = slots.indexOf(at(this.#slots, i));
      if (given >= 0) free[i] = at(free, i) + count * at(amounts, given);
    }
  }

  #copiesIn(free: readonly number[]): number {
    let copies = this.pods;
    for (let i = 0; i < free.length; i++) copies = Math.min(copies, Math.floor(at(free, i) / at(this.#amounts, i)));
    return Math.max(0, copies);
  }

  #opening(bundles: Bundle[], domain: number): Opening | undefined {
    bundles.sort((a, b) => a.price / a.gain - b.price / b.gain || a.last - b.last);
    const ids: number[] = [];
    let copies = at(this.#now, domain);
    let enough = copies >= this.pods ? 0 : -1;
    let price = 0;
    for (const bundle of bundles) {
      for (const id of bundle.ids) ids.push(id);
      if (enough >= 0) continue;
      copies += bundle.gain;
      price += bundle.price;
      if (copies >= this.pods) enough = ids.length;
    }
    return enough < 0 ? undefined : { ids, enough, price };
  }
}

/** Adds a node's next bundle; one that is cheaper a pod than those before it is only to be had together with them. */
function pushConvex(bundles: Bundle[], bundle: Bundle): void {
  let next = bundle;
  for (let last = bundles.at(-1); last !== undefined; last = bundles.at(-1)) {
    if (last.price / last.gain <= next.price / next.gain) {
      bundles.push({ ...next, last: Math.max(last.last, next.last) });
      return;
    }
    bundles.pop();
    next = {
      ids: [...last.ids, ...next.ids],
      gain: last.gain + next.gain,
      price: last.price + next.price,
      last: Math.max(last.last, next.last),
    };
  }
  bundles.push(next);
}
