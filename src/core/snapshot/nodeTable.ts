import { at } from '../ds/index.ts';
import { ChangeLog } from './changeLog.ts';
import { poolOfLabels } from './claims.ts';
import { DeviceShares, type SlottedShare } from './deviceShares.ts';
import type { NodeFacts } from './facts.ts';
import { FreeIndex, scaleFor } from './freeIndex.ts';
import { profileNodes, type NodeProfile } from './nodeProfile.ts';
import type { ResourceSlots, SlottedRequest } from './resourceSlots.ts';
import type { PoolSpec } from './specs.ts';
import { arrange, type Topology } from './topology.ts';

/** A node as the table is built from it: its facts and what the pods on it hold, by slot. */
export interface NodeInput {
  readonly facts: NodeFacts;
  readonly used: readonly number[];
}

/** What decides profiles and order of the nodes. */
export interface NodeLayout {
  /** Labels that some selector asks for: nodes that agree in all of them share a profile. */
  readonly relevantLabels: ReadonlySet<string>;
  readonly pools: readonly PoolSpec[];
  /** By pod uid, the device that a pod which holds a part of one sits on. */
  readonly seats: Map<string, number>;
}

/**
 * All nodes in columns, and for every (profile, resource) an index of the nodes by free amount.
 *
 * Node ids follow (pool, topology path, name): a table built from the same nodes is the same whatever order they came
 * in, each topology domain is a range of ids, and filling nodes by id fills one domain after the other. `take` keeps
 * the columns and indexes in step; giving back is `take` with a negative count.
 *
 * | operation | cost |
 * |---|---|
 * | build | O(nodes log nodes) |
 * | take, copiesThatFit, holds | O(resources of the request) |
 * | memory | per node: 8 bytes for each resource, some 100 bytes for ids and indexes |
 */
export class NodeTable {
  readonly names: readonly string[];
  readonly facts: readonly NodeFacts[];
  readonly profiles: readonly NodeProfile[];
  readonly topology: Topology;
  /** Every node that {@link take} changed, in that order. */
  readonly changes: ChangeLog;
  readonly #slots: ResourceSlots;
  readonly #idByName = new Map<string, number>();
  readonly #profileOf: Int32Array;
  readonly #free: Float64Array[] = [];
  readonly #indexes: (FreeIndex[] | undefined)[] = [];
  readonly #allocatable: Float64Array[] = [];
  /** Undefined until a pod asks for a part of a device. */
  #shares: DeviceShares | undefined;
  readonly #seats: Map<string, number>;

  constructor(nodes: readonly NodeInput[], slots: ResourceSlots, { relevantLabels, pools, seats }: NodeLayout) {
    const byName = nodes.toSorted((a, b) => (a.facts.name < b.facts.name ? -1 : 1));
    const facts = byName.map((node) => node.facts);
    const { profiles, profileOf } = profileNodes(facts, relevantLabels);
    const poolOf = profiles.map((profile) => poolOfLabels(pools, profile.labels));
    const { order, topology } = arrange(facts, (i) => poolOf[profileOf[i] as number]);
    this.#slots = slots;
    this.#seats = seats;
    this.profiles = profiles;
    this.topology = topology;
    this.facts = Array.from(order, (i) => at(facts, i));
    this.names = this.facts.map(({ name }) => name);
    this.names.forEach((name, id) => this.#idByName.set(name, id));
    this.changes = new ChangeLog(this.count);
    this.#profileOf = order.map((i) => profileOf[i] as number);
    order.forEach((i, id) => {
      this.#fill(id, at(byName, i));
    });
  }

  get count(): number {
    return this.names.length;
  }

  idOf(name: string): number | undefined {
    return this.#idByName.get(name);
  }

  profileOf(node: number): NodeProfile {
    return at(this.profiles, this.#profileOf[node] as number);
  }

  /** Id of the node's profile. */
  profileIdOf(node: number): number {
    return this.#profileOf[node] as number;
  }

  /** Amount of a resource that no pod holds; negative where a node is over-committed. */
  free(node: number, slot: number): number {
    return this.#free[slot]?.[node] ?? 0;
  }

  /** Free amounts of all nodes; undefined = no node has any of the resource. */
  freeColumn(slot: number): Float64Array | undefined {
    return this.#free[slot];
  }

  allocatable(node: number, slot: number): number {
    return this.#allocatable[slot]?.[node] ?? 0;
  }

  /** How many copies of a request the node could still hold; 0 when one of its resources is exhausted. */
  copiesThatFit(node: number, request: SlottedRequest): number {
    let copies = Infinity;
    for (let i = 0; i < request.slots.length; i++) {
      const free = this.free(node, request.slots[i] as number);
      copies = Math.min(copies, Math.floor(free / (request.amounts[i] as number)));
      if (copies <= 0) return 0;
    }
    return copies;
  }

  /** Whether the node could still hold that many copies of a request. */
  holds(node: number, request: SlottedRequest, copies: number): boolean {
    const { slots, amounts } = request;
    for (let i = 0; i < slots.length; i++) {
      if (this.free(node, slots[i] as number) < (amounts[i] as number) * copies) return false;
    }
    return true;
  }

  /** Takes `count` copies of a request from a node (negative: gives them back). Of parts of devices see {@link seat}. */
  take(node: number, request: SlottedRequest, count: number): void {
    const { slots, amounts } = request;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i] as number;
      this.set(node, slot, this.free(node, slot) - (amounts[i] as number) * count);
    }
    this.#shares?.refresh(node);
    this.changes.add(node);
  }

  /** Says how much of a resource is free on a node. For the table itself and its {@link DeviceShares}. */
  set(node: number, slot: number, amount: number): void {
    const free = column(this.#free, slot, this.count);
    const before = free[node] as number;
    if (before === amount) return;
    free[node] = amount;
    const indexes = this.#indexes[slot];
    if (indexes !== undefined) at(indexes, this.#profileOf[node] as number).move(node, before, amount);
  }

  /** Gives a pod its part of a device (`count` 1), or takes it back (-1): goes with {@link take}. */
  seat(node: number, share: SlottedShare, { uid, count }: { readonly uid: string; readonly count: number }): void {
    const shares = this.watchParts(share);
    if (count > 0) shares.take(node, share, uid);
    else shares.giveBack(node, share, uid);
  }

  /** What is left of the devices of which pods hold parts, in thousandths; 1000 where one has been closed again. */
  opened(node: number, slot: number): readonly number[] {
    return this.#shares?.opened(node, slot) ?? [];
  }

  /** Keeps the largest free part of a device as a resource of its own from now on. O(nodes) the first time. */
  watchParts({ slot, part }: SlottedShare): DeviceShares {
    this.#shares ??= new DeviceShares(this, this.#seats);
    this.#shares.watch(slot, part, this.count);
    return this.#shares;
  }

  /** Nodes of a profile by free amount of a resource. Built when first asked for, kept in step from then on. */
  freeIndex(profileId: number, slot: number): FreeIndex {
    let indexes = this.#indexes[slot];
    if (indexes === undefined) {
      const built = this.profiles.map(() => this.emptyIndex(slot));
      for (let node = 0; node < this.count; node++)
        at(built, this.#profileOf[node] as number).add(node, this.free(node, slot));
      this.#indexes[slot] = indexes = built;
    }
    return at(indexes, profileId);
  }

  /** An index for nodes of this table that the caller fills and keeps in step. */
  emptyIndex(slot: number): FreeIndex {
    return new FreeIndex(this.count, scaleFor(this.#slots.nameOf(slot)));
  }

  #fill(id: number, { facts, used }: NodeInput): void {
    for (const resource in facts.allocatable) {
      const slot = this.#slots.slotOf(resource);
      const amount = facts.allocatable[resource] ?? 0;
      column(this.#allocatable, slot, this.count)[id] = amount;
      const free = column(this.#free, slot, this.count);
      free[id] = (free[id] as number) + amount;
    }
    for (let slot = 0; slot < used.length; slot++) {
      if (used[slot] === 0) continue;
      const free = column(this.#free, slot, this.count);
      free[id] = (free[id] as number) - at(used, slot);
    }
  }
}

function column(columns: Float64Array[], slot: number, size: number): Float64Array {
  return (columns[slot] ??= new Float64Array(size));
}
