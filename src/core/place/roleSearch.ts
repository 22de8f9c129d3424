import type { NodeProfile, PodShape, PoolState, Snapshot } from '../snapshot/index.ts';
import { CopyCounts, copyCountsOf } from './copyCounts.ts';
import type { Feasibility } from './feasibility.ts';
import { loadOfPod, type Load } from './load.ts';
import { NodeSearch } from './nodeSearch.ts';
import type { PlacementRequest } from './request.ts';

/**
 * The pool that nodes belong to: undefined = some belong to none, or they belong to several. Topology levels and site
 * limits are a pool's.
 */
export type CommonPool = PoolState | undefined;

/** What pods of one shape on nodes of some profiles look for, worked out once for all of them. */
export class RoleSearch {
  readonly shape: PodShape;
  readonly load: Load;
  readonly nodes: NodeSearch;
  readonly pool: CommonPool;
  /** Each pod placed changes where the next may go: they go one at a time, and counts are upper bounds. */
  readonly dynamic: boolean;
  readonly #snapshot: Snapshot;
  readonly #feasibility: Feasibility;
  #counts: CopyCounts | undefined;

  constructor(
    snapshot: Snapshot,
    feasibility: Feasibility,
    { shape, profiles, ignorePower }: { shape: PodShape; profiles: readonly NodeProfile[]; ignorePower: boolean },
  ) {
    this.#snapshot = snapshot;
    this.#feasibility = feasibility;
    this.shape = shape;
    this.load = loadOfPod(snapshot, shape, profiles);
    this.nodes = new NodeSearch(snapshot, feasibility, { load: this.load, ignorePower });
    this.pool = commonPool(snapshot, profiles);
    this.dynamic = feasibility.isDynamic(shape);
  }

  /** Copies that nodes and domains could hold, as they are now. */
  counts(): CopyCounts {
    if (this.#counts === undefined) {
      const { request, profiles } = this.load;
      this.#counts = this.#feasibility.namesNodes(this.shape)
        ? new CopyCounts(this.#snapshot.nodes, { request, profiles, accepts: this.#accepts })
        : copyCountsOf(this.#snapshot.nodes, request, profiles);
    }
    this.#counts.sync();
    return this.#counts;
  }

  readonly #accepts = (node: number): boolean => this.#feasibility.accepts(this.shape, node);
}

type ByShape = Map<PodShape, RoleSearch>;
const known = new WeakMap<Feasibility, WeakMap<readonly NodeProfile[], ByShape>>();

/** The searches of a request's roles. Those of a shape on the same list of profiles are shared. */
export function roleSearches(
  snapshot: Snapshot,
  feasibility: Feasibility,
  { roles, ignorePower = false }: PlacementRequest,
): readonly RoleSearch[] {
  return roles.map(({ pods, profiles }) => {
    const { shape } = pods[0] as { readonly shape: PodShape };
    if (ignorePower) return new RoleSearch(snapshot, feasibility, { shape, profiles, ignorePower });
    const byShape = searchesOf(feasibility, profiles);
    let search = byShape.get(shape);
    if (search === undefined) {
      search = new RoleSearch(snapshot, feasibility, { shape, profiles, ignorePower });
      byShape.set(shape, search);
    }
    return search;
  });
}

function searchesOf(feasibility: Feasibility, profiles: readonly NodeProfile[]): ByShape {
  let byProfiles = known.get(feasibility);
  if (byProfiles === undefined) known.set(feasibility, (byProfiles = new WeakMap<readonly NodeProfile[], ByShape>()));
  let byShape = byProfiles.get(profiles);
  if (byShape === undefined) byProfiles.set(profiles, (byShape = new Map<PodShape, RoleSearch>()));
  return byShape;
}

/** The pool that all roles share. */
export function poolOfRoles(roles: readonly { readonly pool: CommonPool }[]): CommonPool {
  const pool = roles[0]?.pool;
  return roles.every((role) => role.pool === pool) ? pool : undefined;
}

/** O(profiles). */
function commonPool(snapshot: Snapshot, profiles: readonly NodeProfile[]): CommonPool {
  const [first] = profiles;
  const pool = first === undefined ? undefined : snapshot.poolOfProfile(first.id);
  return profiles.every(({ id }) => snapshot.poolOfProfile(id) === pool) ? pool : undefined;
}
