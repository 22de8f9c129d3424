import { RecentMap } from '../ds/index.ts';
import type { FreeIndex, NodeProfile, NodeTable } from '../snapshot/index.ts';

/**
 * The nodes of several profiles in one index by free amount of a resource, so that a search costs the same however
 * many profiles there are. It follows the table's change log: {@link sync} before searching.
 *
 * | operation | cost |
 * |---|---|
 * | build | O(nodes) |
 * | sync | O(changes), never more than a build |
 * | memory | 8 bytes a node, and the index |
 */
export class ProfileUnion {
  readonly index: FreeIndex;
  readonly #nodes: NodeTable;
  readonly #slot: number;
  /** By profile id: 1 where its nodes belong to the union. */
  readonly #members: Uint8Array;
  /** By node: the free amount under which it stands in the index. */
  readonly #indexed: Float64Array;
  #seen: number;

  constructor(nodes: NodeTable, profiles: readonly NodeProfile[], slot: number) {
    this.#nodes = nodes;
    this.#slot = slot;
    this.#members = new Uint8Array(nodes.profiles.length);
    for (const { id } of profiles) this.#members[id] = 1;
    this.index = nodes.emptyIndex(slot);
    this.#indexed = new Float64Array(nodes.count);
    for (let node = 0; node < nodes.count; node++) {
      if (this.#members[nodes.profileIdOf(node)] !== 1) continue;
      const free = nodes.free(node, slot);
      this.#indexed[node] = free;
      this.index.add(node, free);
    }
    this.#seen = nodes.changes.position;
  }

  /** Catches up with everything that was taken and given back since the last time. */
  sync(): void {
    const { changes, count } = this.#nodes;
    const { position } = changes;
    if (changes.reaches(this.#seen)) {
      for (let i = this.#seen; i < position; i++) this.#update(changes.nodeAt(i));
    } else {
      for (let node = 0; node < count; node++) this.#update(node);
    }
    this.#seen = position;
  }

  #update(node: number): void {
    if (this.#members[this.#nodes.profileIdOf(node)] !== 1) return;
    const before = this.#indexed[node] as number;
    const after = this.#nodes.free(node, this.#slot);
    if (before === after) return;
    this.index.move(node, before, after);
    this.#indexed[node] = after;
  }
}

/** Unions that a table keeps for the next asker. */
const keptUnions = 16;
const kept = new WeakMap<NodeTable, RecentMap<ProfileUnion>>();

/** The union of some profiles. Kept with the table between askers. */
export function profileUnionOf(nodes: NodeTable, profiles: readonly NodeProfile[], slot: number): ProfileUnion {
  let known = kept.get(nodes);
  if (known === undefined) kept.set(nodes, (known = new RecentMap<ProfileUnion>(keptUnions)));
  const key = `${slot} ${profiles.map(({ id }) => id).join()}`;
  return known.get(key, () => new ProfileUnion(nodes, profiles, slot));
}
