import { at } from '../ds/index.ts';
import type { Snapshot } from '../snapshot/index.ts';
import type { Feasibility } from './feasibility.ts';
import type { PlacementRequest, PlacementRole } from './placer.ts';

/**
 * Counts how many pods of a request the nodes could take, and keeps the count while space is given and taken, so that
 * "does it fit once this is gone?" costs what changed and not another search.
 *
 * Each role is counted as if it were alone. With one role the answer is exact; with several a yes is to be tried with
 * `placeAll`, a no is final.
 *
 * | operation | cost |
 * |---|---|
 * | build | O(nodes of the request's profiles x roles) |
 * | update | O(roles) |
 * | mayFit | O(roles) |
 */
export class FitCounter {
  /** Whether a yes of {@link mayFit} is certain. */
  readonly exact: boolean;
  readonly #snapshot: Snapshot;
  readonly #feasibility: Feasibility;
  readonly #roles: readonly RoleCount[];

  constructor(snapshot: Snapshot, feasibility: Feasibility, request: PlacementRequest) {
    this.#snapshot = snapshot;
    this.#feasibility = feasibility;
    this.exact = request.roles.length === 1;
    this.#roles = request.roles.map((role) => ({
      role,
      profiles: new Set(role.profiles.map((profile) => profile.id)),
      copies: new Int32Array(snapshot.nodes.count),
      total: 0,
    }));
    for (let node = 0; node < snapshot.nodes.count; node++) this.update(node);
  }

  /** Whether everything asked for fits what is free now. */
  mayFit(): boolean {
    return this.#roles.every(({ role, total }) => total >= role.pods.length);
  }

  /** Looks at a node again after the snapshot let something go from it or onto it. */
  update(node: number): void {
    for (const count of this.#roles) {
      const copies = this.#copiesOn(node, count);
      count.total += copies - at(count.copies, node);
      count.copies[node] = copies;
    }
  }

  #copiesOn(node: number, { role, profiles }: RoleCount): number {
    const { nodes } = this.#snapshot;
    const [pod] = role.pods;
    if (pod === undefined || !profiles.has(nodes.profileOf(node).id)) return 0;
    if (!this.#feasibility.accepts(pod.shape, node)) return 0;
    return Math.min(role.pods.length, nodes.copiesThatFit(node, this.#snapshot.requestOf(pod.shape)));
  }
}

interface RoleCount {
  readonly role: PlacementRole;
  readonly profiles: ReadonlySet<number>;
  readonly copies: Int32Array;
  total: number;
}
