import { at, BitSet } from '../ds/index.ts';
import type { NodeFacts, Taint } from './facts.ts';
import type { ResourceSlots, SlottedRequest } from './resourceSlots.ts';

/**
 * Nodes that nothing but their name and free amounts tells apart: same values of all labels that anyone asks for, same
 * taints, same cordon and readiness. Whether a shape may run, and which classes the devices belong to, is decided once
 * per profile instead of once per node.
 */
export interface NodeProfile {
  readonly id: number;
  /** Values of the relevant labels only. */
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly cordoned: boolean;
  readonly ready: boolean;
  readonly nodeCount: number;
  /** Sum of allocatable amounts over the profile's nodes, by resource name. */
  readonly allocatable: ReadonlyMap<string, number>;
  /** Largest allocatable amount of one node, by resource name. */
  readonly largest: ReadonlyMap<string, number>;
}

/** A node as the table is built from it: its facts and what the pods on it hold, by slot. */
export interface NodeInput {
  readonly facts: NodeFacts;
  readonly used: readonly number[];
}

/**
 * All nodes in columns, and for every (profile, resource) an index of the nodes by free amount.
 *
 * Node ids follow the order of names, so that a table built from the same nodes is the same whatever order they came
 * in. `take` keeps the columns and indexes in step; giving back is `take` with a negative count.
 *
 * | operation | cost |
 * |---|---|
 * | build | O(nodes log nodes) |
 * | take | O(resources of the request) |
 * | copiesThatFit | O(resources of the request) |
 */
export class NodeTable {
  readonly names: readonly string[];
  readonly facts: readonly NodeFacts[];
  readonly profiles: readonly NodeProfile[];
  readonly #slots: ResourceSlots;
  readonly #idByName = new Map<string, number>();
  readonly #profileOf: Int32Array;
  readonly #free: Float64Array[] = [];
  readonly #indexes: (FreeIndex[] | undefined)[] = [];
  readonly #allocatable: Float64Array[] = [];

  constructor(nodes: readonly NodeInput[], relevantLabels: ReadonlySet<string>, slots: ResourceSlots) {
    const sorted = nodes.toSorted((a, b) => (a.facts.name < b.facts.name ? -1 : 1));
    this.#slots = slots;
    this.facts = sorted.map((node) => node.facts);
    this.names = this.facts.map((facts) => facts.name);
    this.names.forEach((name, id) => this.#idByName.set(name, id));
    const { profiles, profileOf } = profile(this.facts, relevantLabels);
    this.profiles = profiles;
    this.#profileOf = profileOf;
    sorted.forEach((node, id) => {
      for (const [resource, amount] of Object.entries(node.facts.allocatable)) {
        const slot = slots.slotOf(resource);
        column(this.#allocatable, slot, sorted.length)[id] = amount;
        const free = column(this.#free, slot, sorted.length);
        free[id] = at(free, id) + amount;
      }
      node.used.forEach((amount, slot) => {
        const free = column(this.#free, slot, sorted.length);
        free[id] = at(free, id) - amount;
      });
    });
  }

  get count(): number {
    return this.names.length;
  }

  idOf(name: string): number | undefined {
    return this.#idByName.get(name);
  }

  profileOf(node: number): NodeProfile {
    return at(this.profiles, at(this.#profileOf, node));
  }

  /** Amount of a resource that no pod holds; negative where a node is over-committed. */
  free(node: number, slot: number): number {
    return this.#free[slot]?.[node] ?? 0;
  }

  allocatable(node: number, slot: number): number {
    return this.#allocatable[slot]?.[node] ?? 0;
  }

  /** How many copies of a request the node could still hold; 0 when one of its resources is exhausted. */
  copiesThatFit(node: number, request: SlottedRequest): number {
    let copies = Infinity;
    for (let i = 0; i < request.slots.length; i++) {
      const free = this.free(node, at(request.slots, i));
      copies = Math.min(copies, Math.floor(free / at(request.amounts, i)));
      if (copies <= 0) return 0;
    }
    return copies;
  }

  /** Takes `count` copies of a request from a node (negative: gives them back). */
  take(node: number, request: SlottedRequest, count: number): void {
    for (let i = 0; i < request.slots.length; i++) {
      const slot = at(request.slots, i);
      const free = column(this.#free, slot, this.count);
      const before = at(free, node);
      const after = before - at(request.amounts, i) * count;
      free[node] = after;
      this.#indexes[slot]?.[at(this.#profileOf, node)]?.move(node, before, after);
    }
  }

  /** Nodes of a profile by free amount of a resource. Built when first asked for, kept in step from then on. */
  freeIndex(profileId: number, slot: number): FreeIndex {
    let indexes = this.#indexes[slot];
    if (indexes === undefined) {
      const scale = bucketScale(this.#slots.nameOf(slot));
      const built = this.profiles.map(() => new FreeIndex(this.count, scale));
      for (let node = 0; node < this.count; node++)
        at(built, at(this.#profileOf, node)).add(node, this.free(node, slot));
      this.#indexes[slot] = indexes = built;
    }
    return at(indexes, profileId);
  }
}

/** Nodes in buckets of equal (for devices) or similar (for cpu and bytes) free amount. */
export class FreeIndex {
  readonly #buckets: (BitSet | undefined)[] = [];
  readonly #sizes: number[] = [];
  readonly #nodes: number;
  readonly #scale: (amount: number) => number;

  constructor(nodes: number, scale: (amount: number) => number) {
    this.#nodes = nodes;
    this.#scale = scale;
  }

  add(node: number, free: number): void {
    const bucket = this.#scale(free);
    (this.#buckets[bucket] ??= new BitSet(this.#nodes)).add(node);
    this.#sizes[bucket] = this.size(bucket) + 1;
  }

  move(node: number, before: number, after: number): void {
    const from = this.#scale(before);
    if (from === this.#scale(after)) return;
    this.#buckets[from]?.delete(node);
    this.#sizes[from] = this.size(from) - 1;
    this.add(node, after);
  }

  /** Number of nodes in a bucket. */
  size(bucket: number): number {
    return this.#sizes[bucket] ?? 0;
  }

  /** Number of buckets; bucket numbers grow with the free amount. */
  get bucketCount(): number {
    return this.#buckets.length;
  }

  /** The lowest bucket that can hold a node with this free amount. */
  bucketFor(amount: number): number {
    return this.#scale(amount);
  }

  /** The first node of a bucket at or after `from`; -1 when there is none. */
  next(bucket: number, from: number): number {
    return this.#buckets[bucket]?.next(from) ?? -1;
  }
}

/** Devices and pods have a bucket each; cpu and bytes four buckets for each doubling, which bounds their number. */
function bucketScale(resource: string): (amount: number) => number {
  const measured = resource === 'cpu' || resource === 'memory' || resource === 'ephemeral-storage';
  if (measured || resource.startsWith('hugepages-')) {
    return (amount) => (amount <= 0 ? 0 : 1 + Math.floor(4 * Math.log2(amount + 1)));
  }
  return (amount) => Math.max(0, Math.min(1024, Math.floor(amount)));
}

function column(columns: Float64Array[], slot: number, size: number): Float64Array {
  return (columns[slot] ??= new Float64Array(size));
}

function profile(nodes: readonly NodeFacts[], relevantLabels: ReadonlySet<string>) {
  interface Draft extends NodeProfile {
    nodeCount: number;
    readonly allocatable: Map<string, number>;
    readonly largest: Map<string, number>;
  }
  const byKey = new Map<string, Draft>();
  const profiles: Draft[] = [];
  const profileOf = new Int32Array(nodes.length);
  const keys = [...relevantLabels].sort();
  nodes.forEach((node, id) => {
    const values = keys.map((key) => node.labels[key]);
    const taints = node.taints.filter((taint) => taint.effect !== 'PreferNoSchedule');
    const signature = JSON.stringify([values, taints, node.cordoned, node.ready]);
    let draft = byKey.get(signature);
    if (draft === undefined) {
      const labels = Object.fromEntries(keys.flatMap((key, i) => (values[i] === undefined ? [] : [[key, values[i]]])));
      draft = {
        id: profiles.length,
        labels,
        taints,
        cordoned: node.cordoned,
        ready: node.ready,
        nodeCount: 0,
        allocatable: new Map(),
        largest: new Map(),
      };
      byKey.set(signature, draft);
      profiles.push(draft);
    }
    profileOf[id] = draft.id;
    draft.nodeCount++;
    for (const [resource, amount] of Object.entries(node.allocatable)) {
      draft.allocatable.set(resource, (draft.allocatable.get(resource) ?? 0) + amount);
      draft.largest.set(resource, Math.max(draft.largest.get(resource) ?? 0, amount));
    }
  });
  return { profiles: profiles as readonly NodeProfile[], profileOf };
}
