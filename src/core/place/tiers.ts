import type { NodeProfile, PoolState, Snapshot } from '../snapshot/index.ts';

/**
 * The pool whose nodes some roles ask for, and the domains of each of its levels, widest level first. Without a pool
 * (nodes of none, or of several) there are no levels. O(profiles).
 */
export function tiersOf(
  snapshot: Snapshot,
  roles: readonly { readonly profiles: readonly NodeProfile[] }[],
): { readonly pool: PoolState | undefined; readonly tiers: readonly Int32Array[] } {
  const pool = poolOf(snapshot, roles);
  return { pool, tiers: pool === undefined ? [] : (snapshot.nodes.topology.tiers.get(pool.spec.name) ?? []) };
}

function poolOf(
  snapshot: Snapshot,
  roles: readonly { readonly profiles: readonly NodeProfile[] }[],
): PoolState | undefined {
  let pool: PoolState | undefined;
  for (const { profiles } of roles) {
    for (const { id } of profiles) {
      const own = snapshot.poolOfProfile(id);
      if (own === undefined || (pool !== undefined && own !== pool)) return undefined;
      pool = own;
    }
  }
  return pool;
}
