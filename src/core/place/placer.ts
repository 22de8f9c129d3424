import { at } from '../ds/index.ts';
import type { PodFacts, PodShape, Snapshot, Topology } from '../snapshot/index.ts';
import { CopyCounts, copyCountsOf } from './copyCounts.ts';
import { bestChild, nextDomain, type Need, type Ranked } from './domainChoice.ts';
import type { Feasibility } from './feasibility.ts';
import { loadOfPod, sumOfLoads, type Load } from './load.ts';
import { NodeSearch, type Scope } from './nodeSearch.ts';
import type { PlacementRequest } from './request.ts';
import { tiersOf } from './tiers.ts';

/** Where a pod goes. */
export interface PlacedPod {
  readonly pod: PodFacts;
  readonly node: number;
}

/**
 * Places all pods of all roles, or none (DESIGN.md section 4.3). What is placed is held in the snapshot; undefined = it
 * does not fit, and the snapshot is as before.
 *
 * One pod, `Pack`: the node with the fewest free devices that still holds it. Several: one node that holds them all,
 * else the narrowest topology domain that does, of several such the one with the least left over; inside, and where
 * no domain holds them, as few domains and nodes as possible, so that whole nodes, then whole domains, stay free.
 * `Spread`: the narrowest domain, of several the one with the most left over, and there each pod to the emptiest node.
 *
 * Pods of one role are placed whenever counts say that they fit, and a no of the counts is final. For several roles,
 * for a shape whose pods stand in each other's way and for overlapping power limits a placement that exists may be
 * missed; what is found always holds.
 *
 * Cost: one pod O(buckets x profiles); more O(domains + nodes used), and O(nodes) when a request is new to the nodes.
 */
export function placeAll(
  snapshot: Snapshot,
  feasibility: Feasibility,
  request: PlacementRequest,
): readonly PlacedPod[] | undefined {
  const roles = request.roles.filter((role) => role.pods.length > 0);
  return new Placing(snapshot, feasibility, { ...request, roles }).run();
}

/** Gives back what {@link placeAll} holds. */
export function release(snapshot: Snapshot, placed: readonly PlacedPod[]): void {
  for (let i = placed.length - 1; i >= 0;) {
    const { pod, node } = at(placed, i);
    let copies = 0;
    for (; i >= 0 && at(placed, i).node === node && holdsAlike(at(placed, i).pod, pod); i--) copies++;
    snapshot.hold(pod, node, -copies);
  }
}

/** Whether holding one pod or the other is the same to the snapshot. */
function holdsAlike(a: PodFacts, b: PodFacts): boolean {
  return a.shape === b.shape && a.user === b.user && a.namespace === b.namespace;
}

interface RoleSearch {
  readonly pods: readonly PodFacts[];
  readonly shape: PodShape;
  readonly load: Load;
  readonly search: NodeSearch;
  /** Each pod placed changes where the next may go. */
  readonly dynamic: boolean;
  /** Position of the next pod to place. */
  next: number;
}

/** One attempt to place one request. */
class Placing {
  readonly #snapshot: Snapshot;
  readonly #feasibility: Feasibility;
  readonly #topology: Topology;
  readonly #request: PlacementRequest;
  readonly #roles: readonly RoleSearch[];
  readonly #placed: PlacedPod[] = [];
  readonly #counts = new Map<RoleSearch, CopyCounts>();

  constructor(snapshot: Snapshot, feasibility: Feasibility, request: PlacementRequest) {
    this.#snapshot = snapshot;
    this.#feasibility = feasibility;
    this.#topology = snapshot.nodes.topology;
    this.#request = request;
    this.#roles = request.roles.map(({ pods, profiles }) => {
      const { shape } = at(pods, 0);
      const load = loadOfPod(snapshot, shape, profiles);
      return { pods, shape, load, search: this.#searchFor(load), dynamic: false, next: 0 };
    });
  }

  run(): readonly PlacedPod[] | undefined {
    if (this.#roles.length === 0) return this.#placed;
    const { within } = this.#request;
    const { pool, tiers } = tiersOf(this.#snapshot, this.#request.roles);
    const depth = within === undefined ? undefined : (pool?.spec.topologyLevels.indexOf(within) ?? -1);
    if (depth === -1) return undefined;
    const scope: Scope = { start: 0, end: this.#snapshot.nodes.count, depth };
    const alone = this.#roles.length === 1 && at(this.#roles, 0).pods.length === 1;
    if (alone || this.#request.strategy === 'Pack') {
      if (this.#tryHost(scope)) return this.#placed;
      if (alone) return undefined;
    }
    const needs = this.#needs();
    if (needs.some(({ counts, copies }) => at(counts.inDomain, 0) < copies)) return undefined;
    if (this.#roles.some(({ search, pods }) => search.powered() < pods.length)) return undefined;
    for (let tier = tiers.length - 1; tier >= (depth ?? 0); tier--) {
      if (this.#tryTier(at(tiers, tier), needs)) return this.#placed;
    }
    return depth === undefined && this.#tryDomain(0) ? this.#placed : undefined;
  }

  #tryHost(scope: Scope): boolean {
    const [first] = this.#roles;
    if (first === undefined) return false;
    const single = this.#roles.length === 1;
    const all = () => sumOfLoads(this.#roles.map(({ load, pods }) => ({ load, copies: pods.length })));
    const search = single ? first.search : this.#searchFor(all());
    const copies = single ? first.pods.length : 1;
    const host = this.#request.strategy === 'Pack' ? search.tightest(copies, scope) : search.emptiest(scope);
    if (host < 0) return false;
    if (single && !first.dynamic) {
      this.#put(first, host, copies);
      return true;
    }
    const onHost: Scope = { start: host, end: host + 1, depth: undefined };
    return this.#tryAll((role, wanted) => this.#packNodes(role, onHost, wanted));
  }

  #tryTier(tier: Int32Array, needs: readonly Need[]): boolean {
    const { strategy } = this.#request;
    let last: Ranked | undefined;
    for (;;) {
      last = nextDomain(tier, needs, { strategy, last });
      if (last === undefined) return false;
      if (this.#tryDomain(last.domain)) return true;
    }
  }

  #tryDomain(domain: number): boolean {
    const spread = this.#request.strategy === 'Spread';
    return this.#tryAll((role, wanted) =>
      spread ? this.#spread(role, this.#scopeOf(domain), wanted) : this.#pack(role, domain, wanted),
    );
  }

  /** Places every role as told, or takes all of it back. */
  #tryAll(place: (role: RoleSearch, wanted: number) => number): boolean {
    for (const role of this.#roles) {
      if (place(role, role.pods.length) === 0) continue;
      release(this.#snapshot, this.#placed);
      this.#placed.length = 0;
      for (const each of this.#roles) each.next = 0;
      return false;
    }
    return true;
  }

  /** Places what it can of `wanted` pods in a domain, on few nodes of few domains; returns how many are left. */
  #pack(role: RoleSearch, domain: number, wanted: number): number {
    const scope = this.#scopeOf(domain);
    const divided = domain + 1 < at(this.#topology.next, domain);
    const left =
      divided && wanted > 1 && role.search.tightest(wanted, scope) < 0
        ? this.#packChildren(role, domain, wanted)
        : wanted;
    return this.#packNodes(role, scope, left);
  }

  /** The largest domains inside are filled until the rest fits one: it goes to the one that it fits best. */
  #packChildren(role: RoleSearch, domain: number, wanted: number): number {
    const counts = this.#countsOf(role);
    /** Took less than counted: a power limit, or pods that keep each other away. */
    const spent = new Set<number>();
    let left = wanted;
    while (left > 0) {
      counts.sync();
      const child = bestChild({ next: this.#topology.next, domain }, counts, { copies: left, passed: spent });
      if (child < 0) break;
      const share = Math.min(left, at(counts.inDomain, child));
      const missed = this.#pack(role, child, share);
      left -= share - missed;
      if (missed > 0) spent.add(child);
    }
    return left;
  }

  #packNodes(role: RoleSearch, scope: Scope, wanted: number): number {
    let left = wanted;
    while (left > 0) {
      let node = role.search.tightest(left, scope);
      if (node < 0) node = role.search.emptiest(scope);
      if (node < 0) break;
      left -= this.#put(role, node, left);
    }
    return left;
  }

  #spread(role: RoleSearch, scope: Scope, wanted: number): number {
    let left = wanted;
    while (left > 0) {
      const node = role.search.emptiest(scope);
      if (node < 0) break;
      left -= this.#put(role, node, 1);
    }
    return left;
  }

  /** Holds the next pods of a role on a node; returns how many. */
  #put(role: RoleSearch, node: number, most: number): number {
    const copies = role.dynamic ? 1 : role.search.copiesOn(node, most);
    const end = role.next + copies;
    while (role.next < end) {
      const first = at(role.pods, role.next);
      let alike = 0;
      for (; role.next < end && holdsAlike(at(role.pods, role.next), first); alike++)
        this.#placed.push({ pod: at(role.pods, role.next++), node });
      this.#snapshot.hold(first, node, alike);
    }
    return copies;
  }

  /** What a domain must have room for: each role alone and, where all ask for one kind of device, their sum. */
  #needs(): readonly Need[] {
    const needs = this.#roles.map((role) => ({ counts: this.#countsOf(role), copies: role.pods.length, weight: 1 }));
    const slots = new Set(this.#roles.map(({ load }) => load.accelerators[0]?.slot));
    const [slot] = slots;
    if (this.#roles.length === 1 || slots.size > 1 || slot === undefined) return needs;
    const profiles = new Map(this.#roles.flatMap(({ load }) => load.profiles.map((profile) => [profile.id, profile])));
    const counts = copyCountsOf(this.#snapshot.nodes, { slots: [slot], amounts: [1] }, [...profiles.values()]);
    const copies = this.#roles.reduce(
      (sum, { load, pods }) => sum + (load.accelerators[0]?.devices ?? 0) * pods.length,
      0,
    );
    return [{ counts, copies, weight: 1 }, ...needs.map((need) => ({ ...need, weight: 0 }))];
  }

  #countsOf(role: RoleSearch): CopyCounts {
    let counts = this.#counts.get(role);
    if (counts === undefined) {
      const { request, profiles } = role.load;
      const accepts = (node: number): boolean => this.#feasibility.accepts(role.shape, node);
      counts = this.#feasibility.namesNodes(role.shape)
        ? new CopyCounts(this.#snapshot.nodes, { request, profiles, accepts })
        : copyCountsOf(this.#snapshot.nodes, request, profiles);
      this.#counts.set(role, counts);
    }
    return counts;
  }

  #searchFor(load: Load): NodeSearch {
    const ignorePower = this.#request.ignorePower ?? false;
    return new NodeSearch(this.#snapshot, this.#feasibility, { load, ignorePower });
  }

  #scopeOf(domain: number): Scope {
    return { start: at(this.#topology.start, domain), end: at(this.#topology.end, domain), depth: undefined };
  }
}
