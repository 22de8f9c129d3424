import { at } from '../ds/index.ts';
import type { PodFacts, Snapshot, Topology } from '../snapshot/index.ts';
import { bestChild } from './domainChoice.ts';
import type { Scope } from './nodeSearch.ts';
import type { PlacementRequest } from './request.ts';
import type { RoleSearch } from './roleSearch.ts';

/** Where a pod goes. */
export interface PlacedPod {
  readonly pod: PodFacts;
  readonly node: number;
}

/** Nodes of equal free amount and profile that are compared where it matters which is taken. */
const usualBreadth = 4;

/** The pods of one role while they are placed, one after the other. What is placed is held in the snapshot. */
export class RolePlacing {
  readonly search: RoleSearch;
  readonly pods: readonly PodFacts[];
  /** Other pods or volumes may keep a pod from a node: they are placed one at a time. */
  readonly careful: boolean;
  readonly #snapshot: Snapshot;
  readonly #topology: Topology;
  readonly #placed: PlacedPod[];
  #next = 0;

  constructor(
    snapshot: Snapshot,
    parts: {
      readonly search: RoleSearch;
      readonly pods: readonly PodFacts[];
      readonly careful: boolean;
      /** Where to note what is placed. */
      readonly placed: PlacedPod[];
    },
  ) {
    this.search = parts.search;
    this.pods = parts.pods;
    this.careful = parts.careful;
    this.#snapshot = snapshot;
    this.#topology = snapshot.nodes.topology;
    this.#placed = parts.placed;
  }

  /** Forgets what was placed; the caller has given it back. */
  startOver(): void {
    this.#next = 0;
  }

  /** The node that would take all pods; -1 when none holds as many. */
  hostIn(scope: Scope, { strategy, breadth = usualBreadth }: PlacementRequest): number {
    const { nodes } = this.search;
    const watched = this.#watching(scope);
    return strategy === 'Pack' ? nodes.leastStranding(this.pods.length, watched, breadth) : nodes.emptiest(watched);
  }

  /** Places all pods on one node, if some node takes them. */
  placeOnOneNode(scope: Scope, request: PlacementRequest): boolean {
    const node = this.hostIn(scope, request);
    if (node < 0) return false;
    this.#put(node, this.pods.length);
    return true;
  }

  /** Places what it can of `wanted` pods in a domain, on few nodes of few domains inside; returns how many are left. */
  pack(domain: number, wanted: number): number {
    const scope = this.#scopeOf(domain);
    const divided = domain + 1 < at(this.#topology.next, domain);
    if (!divided || wanted === 1 || this.search.nodes.tightest(wanted, scope) >= 0)
      return this.packNodes(scope, wanted);
    return this.packNodes(scope, this.#packChildren(domain, wanted));
  }

  /** Fills the emptiest nodes until the rest fits one: it goes to the one that it fits best. Returns how many are left. */
  packNodes(scope: Scope, wanted: number): number {
    const { nodes } = this.search;
    let left = wanted;
    while (left > 0) {
      const watched = this.#watching(scope);
      let node = nodes.tightest(left, watched);
      if (node < 0) node = nodes.emptiest(watched);
      if (node < 0) break;
      left -= this.#put(node, left);
    }
    return left;
  }

  /** Places each pod on the node of a domain that is emptiest then; returns how many are left. */
  spread(domain: number): number {
    const scope = this.#scopeOf(domain);
    while (this.#next < this.pods.length) {
      const node = this.search.nodes.emptiest(this.#watching(scope));
      if (node < 0) break;
      this.#put(node, 1);
    }
    return this.pods.length - this.#next;
  }

  /** Fills the largest domains inside until the rest fits one: it goes to the one that it fits best. */
  #packChildren(domain: number, wanted: number): number {
    /** Took less than counted: a power limit, or pods that keep each other away. */
    const passed = new Set<number>();
    const { next } = this.#topology;
    let left = wanted;
    while (left > 0) {
      const counts = this.search.counts();
      const child = bestChild({ next, domain }, counts, { copies: left, passed });
      if (child < 0) break;
      const share = Math.min(left, at(counts.inDomain, child));
      const missed = this.pack(child, share);
      left -= share - missed;
      if (missed > 0) passed.add(child);
    }
    return left;
  }

  /** Holds the next pods on a node, `most` at the most; returns how many. */
  #put(node: number, most: number): number {
    const copies = this.careful ? 1 : this.search.nodes.copiesOn(node, most);
    const end = this.#next + copies;
    while (this.#next < end) {
      const first = at(this.pods, this.#next);
      let alike = 0;
      do {
        this.#placed.push({ pod: at(this.pods, this.#next), node });
        this.#next++;
        alike++;
      } while (this.#next < end && holdAlike(this.#snapshot, at(this.pods, this.#next), first));
      this.#snapshot.hold(first, node, alike);
    }
    return copies;
  }

  /** For pods that other pods or volumes may keep from a node: only nodes that take the next one. */
  #watching(scope: Scope): Scope {
    return this.careful ? { ...scope, pod: at(this.pods, this.#next) } : scope;
  }

  #scopeOf(domain: number): Scope {
    const { start, end } = this.#topology;
    return { start: at(start, domain), end: at(end, domain), depth: undefined, pod: undefined };
  }
}

/** Gives back what is held for placed pods. */
export function release(snapshot: Snapshot, placed: readonly PlacedPod[]): void {
  for (let i = placed.length - 1; i >= 0;) {
    const { pod, node } = at(placed, i);
    let copies = 1;
    for (i--; i >= 0 && at(placed, i).node === node && holdAlike(snapshot, at(placed, i).pod, pod); i--) copies++;
    snapshot.hold(pod, node, -copies);
  }
}

/** Whether holding one pod or the other is the same to the snapshot. */
function holdAlike(snapshot: Snapshot, a: PodFacts, b: PodFacts): boolean {
  return (
    a.shape === b.shape &&
    a.shape.constraints === undefined &&
    a.user === b.user &&
    a.namespace === b.namespace &&
    (a.labels === b.labels || !snapshot.podsSelectPods)
  );
}
