import { at } from '../ds/index.ts';
import type { Snapshot } from '../snapshot/index.ts';
import type { CopyCounts } from './copyCounts.ts';
import { domainAround } from './domainChoice.ts';
import type { Feasibility } from './feasibility.ts';
import { hostLevel, type PlacementRequest } from './request.ts';
import { poolOfRoles, roleSearches, type CommonPool, type RoleSearch } from './roleSearch.ts';

interface RoleCount {
  readonly search: RoleSearch;
  /** Pods to place. */
  readonly copies: number;
  readonly counts: CopyCounts;
}

/**
 * Counts how many pods of a request the nodes, or each domain that must hold all of them, could take, and keeps the
 * count while space is given and taken, so that "does it fit once this is gone?" costs what changed and not another
 * search.
 *
 * Each role is counted as if it were alone. The answer is exact for one role without power limits whose pods do not
 * keep each other away; else a yes is to be tried with `placeAll`, a no is final.
 *
 * | operation | cost |
 * |---|---|
 * | build | O(nodes x roles) |
 * | update | O(roles x levels) |
 * | mayFit | O(roles) |
 * | slack | O(domains of the level x roles) |
 */
export class FitCounter {
  /** Whether a yes of {@link mayFit} is certain. */
  readonly exact: boolean;
  readonly #roles: readonly RoleCount[];
  /** Domains one of which must hold everything. */
  readonly #domains: Int32Array;
  /** By domain: roles that it has no room for; only `#domains` count. */
  readonly #short: Int32Array;
  /** By node; undefined = all nodes together are the domain. */
  readonly #domainOf: Int32Array | undefined;
  /** Domains with room for every role. */
  #holding = 0;

  constructor(snapshot: Snapshot, feasibility: Feasibility, request: PlacementRequest) {
    const roles = request.roles.filter(({ pods }) => pods.length > 0);
    const searches = roleSearches(snapshot, feasibility, { ...request, roles });
    this.#roles = searches.map((search, i) => ({
      search,
      copies: at(roles, i).pods.length,
      counts: search.counts().clone(),
    }));
    const watched = roles.some(({ pods }) => feasibility.watchesAny(pods));
    const onHost = request.within === hostLevel;
    this.exact = searches.length <= 1 && !onHost && !watched && searches.every(({ nodes: { limited } }) => !limited);
    const level = requiredLevel(snapshot, poolOfRoles(searches), request);
    this.#domains = level ?? Int32Array.of(0);
    this.#domainOf = level === undefined ? undefined : domainOfNodes(snapshot, level);
    this.#short = new Int32Array(snapshot.nodes.topology.start.length);
    for (const domain of this.#domains) {
      for (const { counts, copies } of this.#roles)
        if (at(counts.inDomain, domain) < copies) this.#short[domain] = at(this.#short, domain) + 1;
      if (this.#short[domain] === 0) this.#holding++;
    }
  }

  /** Whether everything asked for may fit what is free now. */
  mayFit(): boolean {
    return this.#holding > 0 && this.#roles.every(({ search, copies }) => search.nodes.powered() >= copies);
  }

  /** Looks at a node again after the snapshot let something go from it or onto it. */
  update(node: number): void {
    const domain = this.domainOf(node);
    for (const { counts, copies } of this.#roles) {
      const grown = counts.update(node);
      if (grown === 0 || domain < 0) continue;
      const after = at(counts.inDomain, domain);
      const before = after - grown;
      if (before >= copies === after >= copies) continue;
      const short = at(this.#short, domain);
      const now = after >= copies ? short - 1 : short + 1;
      this.#short[domain] = now;
      if (now === 0) this.#holding++;
      else if (short === 0) this.#holding--;
    }
  }

  /** The domain of the required level that a node lies in (0 = all nodes, where no level is required); -1 = none. */
  domainOf(node: number): number {
    return this.#domainOf === undefined ? 0 : at(this.#domainOf, node);
  }

  /** Copies that the scarcest role has beyond its need in one domain; negative = so many are missing. O(roles). */
  slackIn(domain: number): number {
    let slack = Infinity;
    for (const { counts, copies } of this.#roles) slack = Math.min(slack, at(counts.inDomain, domain) - copies);
    return slack;
  }

  /** {@link slackIn} of the best domain; -Infinity when the pool has no domain of the level. */
  slack(): number {
    let slack = -Infinity;
    for (const domain of this.#domains) slack = Math.max(slack, this.slackIn(domain));
    return slack;
  }
}

/** The domains one of which must hold everything; undefined = all nodes together will do. */
function requiredLevel(
  snapshot: Snapshot,
  pool: CommonPool,
  { within, beside }: PlacementRequest,
): Int32Array | undefined {
  // One host: all nodes are counted together, and a yes is to be tried.
  if (within === undefined || within === hostLevel) return undefined;
  const tiers = snapshot.nodes.topology.tiers.get(pool?.spec.name ?? '');
  const domains = tiers?.[pool?.spec.topologyLevels.indexOf(within) ?? -1] ?? new Int32Array(0);
  if (beside === undefined) return domains;
  const around = domainAround(snapshot.nodes.topology, beside, domains);
  return around === undefined ? new Int32Array(0) : Int32Array.of(around);
}

function domainOfNodes(snapshot: Snapshot, domains: Int32Array): Int32Array {
  const { start, end } = snapshot.nodes.topology;
  const domainOf = new Int32Array(snapshot.nodes.count).fill(-1);
  for (const domain of domains) domainOf.fill(domain, at(start, domain), at(end, domain));
  return domainOf;
}
