import { at } from '../ds/index.ts';
import type { Snapshot, Topology } from '../snapshot/index.ts';
import { copyCountsOf } from './copyCounts.ts';
import { domainAround, nextDomain, type Need, type Ranked } from './domainChoice.ts';
import type { Feasibility } from './feasibility.ts';
import { sumOfLoads } from './load.ts';
import { NodeSearch, type Scope } from './nodeSearch.ts';
import { hostLevel, type PlacementRequest } from './request.ts';
import { release, RolePlacing, type PlacedPod } from './rolePlacing.ts';
import { poolOfRoles, roleSearches } from './roleSearch.ts';

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

/**
 * Domains of one level that are tried for a request of which counts cannot tell whether they hold it, before wider ones
 * are: it bounds the time that is spent on a narrow placement. All domains of the level required are tried.
 */
const narrowTries = 8;

interface TierSearch {
  readonly needs: readonly Need[];
  /** Bits of the levels that a domain must lie in. */
  readonly levels: number;
  readonly tries: number;
}

function everywhere({ nodes }: Snapshot): Scope {
  return { start: 0, end: nodes.count, depth: undefined, pod: undefined };
}

function hostOf(node: number): Scope {
  return { start: node, end: node + 1, depth: undefined, pod: undefined };
}

/** One attempt to place one request. */
class Placing {
  readonly #snapshot: Snapshot;
  readonly #feasibility: Feasibility;
  readonly #topology: Topology;
  readonly #request: PlacementRequest;
  readonly #roles: readonly RolePlacing[];
  readonly #placed: PlacedPod[] = [];

  constructor(snapshot: Snapshot, feasibility: Feasibility, request: PlacementRequest) {
    this.#snapshot = snapshot;
    this.#feasibility = feasibility;
    this.#topology = snapshot.nodes.topology;
    this.#request = request;
    const searches = roleSearches(snapshot, feasibility, request);
    const together = searches.some(({ dynamic }) => dynamic);
    this.#roles = request.roles.map(({ pods }, i) => {
      const careful = together || feasibility.watchesAny(pods);
      return new RolePlacing(snapshot, { search: at(searches, i), pods, careful, placed: this.#placed });
    });
  }

  run(): readonly PlacedPod[] | undefined {
    const { within, beside, strategy } = this.#request;
    if (within === hostLevel) {
      const scope = beside === undefined ? everywhere(this.#snapshot) : hostOf(beside);
      return this.#tryHost(scope) ? this.#placed : undefined;
    }
    const pool = poolOfRoles(this.#roles.map(({ search }) => search));
    const depth = within === undefined ? undefined : (pool?.spec.topologyLevels.indexOf(within) ?? -1);
    if (depth === -1) return undefined;
    if (depth !== undefined && beside !== undefined) {
      const domain = domainAround(this.#topology, beside, this.#topology.tiers.get(pool?.spec.name ?? '')?.[depth]);
      return domain !== undefined && this.#tryDomain(domain) ? this.#placed : undefined;
    }
    const scope: Scope = { ...everywhere(this.#snapshot), depth };
    const alone = this.#roles.length === 1 && this.#roles[0]?.pods.length === 1;
    if (alone || strategy === 'Pack') {
      if (this.#tryHost(scope)) return this.#placed;
      if (alone) return undefined;
    }
    const needs = this.#needs();
    if (!this.#mayFit(needs)) return undefined;
    const tiers = pool === undefined ? [] : (this.#topology.tiers.get(pool.spec.name) ?? []);
    const levels = depth === undefined ? 0 : 1 << depth;
    for (let tier = tiers.length - 1; tier >= (depth ?? 0); tier--) {
      const tries = tier === depth ? Infinity : narrowTries;
      if (this.#tryTier(at(tiers, tier), { needs, levels, tries })) return this.#placed;
    }
    return depth === undefined && this.#tryDomain(0) ? this.#placed : undefined;
  }

  #tryHost(scope: Scope): boolean {
    const [first] = this.#roles;
    if (first === undefined) return true;
    const single = this.#roles.length === 1;
    if (single && !first.careful) return first.placeOnOneNode(scope, this.#request);
    const host = single ? first.hostIn(scope, this.#request) : this.#searchForAll().tightest(1, scope);
    if (host < 0) return false;
    const onHost: Scope = { start: host, end: host + 1, depth: undefined, pod: undefined };
    return this.#tryAll((role) => role.packNodes(onHost, role.pods.length));
  }

  #tryTier(tier: Int32Array, { needs, levels, tries }: TierSearch): boolean {
    const { strategy } = this.#request;
    const { path } = this.#topology;
    let last: Ranked | undefined;
    for (let tried = 0; tried < tries; tried++) {
      last = nextDomain(tier, needs, { strategy, path, levels, last });
      if (last === undefined) return false;
      if (this.#tryDomain(last.domain)) return true;
    }
    return false;
  }

  #tryDomain(domain: number): boolean {
    return this.#tryAll((role) =>
      this.#request.strategy === 'Spread' ? role.spread(domain) : role.pack(domain, role.pods.length),
    );
  }

  /** Places every role as told, or takes all of it back. `place` returns how many pods are left. */
  #tryAll(place: (role: RolePlacing) => number): boolean {
    if (this.#roles.every((role) => place(role) === 0)) return true;
    release(this.#snapshot, this.#placed);
    this.#placed.length = 0;
    for (const role of this.#roles) role.startOver();
    return false;
  }

  /** What a domain must have room for: each role alone and, where all ask for one kind of device, first their sum. */
  #needs(): readonly Need[] {
    const needs = this.#roles.map(({ search, pods }) => ({ counts: search.counts(), copies: pods.length }));
    const slot = this.#roles[0]?.search.load.accelerators[0]?.slot;
    if (this.#roles.length === 1 || slot === undefined) return needs;
    const loads = this.#roles.map(({ search }) => search.load);
    if (loads.some(({ accelerators }) => accelerators[0]?.slot !== slot)) return needs;
    const profiles = new Map(loads.flatMap((load) => load.profiles.map((profile) => [profile.id, profile])));
    const devices = this.#roles.reduce(
      (sum, { pods }, i) => sum + (at(loads, i).accelerators[0]?.devices ?? 0) * pods.length,
      0,
    );
    const counts = copyCountsOf(this.#snapshot.nodes, { slots: [slot], amounts: [1] }, [...profiles.values()]);
    return [{ counts, copies: devices }, ...needs];
  }

  /** A no is final. */
  #mayFit(needs: readonly Need[]): boolean {
    return (
      needs.every(({ counts, copies }) => at(counts.inDomain, 0) >= copies) &&
      this.#roles.every(({ search, pods }) => search.nodes.powered() >= pods.length)
    );
  }

  /** All pods of all roles as one. */
  #searchForAll(): NodeSearch {
    const load = sumOfLoads(this.#roles.map(({ search, pods }) => ({ load: search.load, copies: pods.length })));
    return new NodeSearch(this.#snapshot, this.#feasibility, { load, ignorePower: this.#request.ignorePower ?? false });
  }
}
