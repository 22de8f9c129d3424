import { at } from '../ds/index.ts';
import type { Feasibility, PlacementRequest } from '../place/index.ts';
import type { Ending, PodFacts, Snapshot } from '../snapshot/index.ts';

/**
 * Gives pods' resources back in the snapshot as they end, but leaves a node alone until what has ended there makes room
 * for a pod of the request: most pods that end before a large gang starts end on nodes that it cannot use yet. Where
 * other pods or the power of a site decide as well, every pod is given back at once.
 *
 * | operation | cost |
 * |---|---|
 * | end | O(resources) for a node left alone, else that of `hold` |
 * | undo | that of `hold` for each pod given back |
 */
export class FreedSpace {
  /** Pods given back in the snapshot. */
  readonly released: Ending[] = [];
  readonly #snapshot: Snapshot;
  readonly #roles: readonly { readonly pod: PodFacts; readonly profiles: Uint8Array }[];
  readonly #patient: boolean;
  /** By node: pods that have ended and are not given back. */
  readonly #waiting: (Ending[] | undefined)[] = [];
  /** By slot and node: what those hold. */
  readonly #freed: (Float64Array | undefined)[] = [];

  constructor(snapshot: Snapshot, feasibility: Feasibility, { roles }: PlacementRequest) {
    this.#snapshot = snapshot;
    this.#roles = roles.flatMap(({ pods: [pod], profiles }) => {
      if (pod === undefined) return [];
      const allowed = new Uint8Array(snapshot.nodes.profiles.length);
      for (const { id } of profiles) allowed[id] = 1;
      return [{ pod, profiles: allowed }];
    });
    this.#patient = roles.every(({ pods: [pod], profiles }) => {
      if (pod === undefined) return true;
      const accelerators = snapshot.acceleratorsOf(pod.shape);
      if (feasibility.isDynamic(pod.shape) || feasibility.watchesAny([pod])) return false;
      return !profiles.some(({ id }) => snapshot.power.limits(id, accelerators));
    });
    for (const { pod } of this.#roles)
      for (const slot of snapshot.requestOf(pod.shape).slots)
        this.#freed[slot] ??= new Float64Array(snapshot.nodes.count);
  }

  /** Takes the end of a pod into account. Returns how many pods were given back for it: all on its node. */
  end(ending: Ending): number {
    const { pod, node } = ending.held;
    const { slots, amounts } = this.#snapshot.requestOf(pod.shape);
    for (let i = 0; i < slots.length; i++) {
      const freed = this.#freed[at(slots, i)];
      if (freed !== undefined) freed[node] = at(freed, node) + at(amounts, i);
    }
    const waiting = (this.#waiting[node] ??= []);
    waiting.push(ending);
    if (this.#patient && !this.#holdsOne(node)) return 0;
    for (const { held } of waiting) this.#snapshot.hold(held.pod, node, -1);
    for (const gone of waiting) this.released.push(gone);
    this.#waiting[node] = undefined;
    for (const freed of this.#freed) if (freed !== undefined) freed[node] = 0;
    return waiting.length;
  }

  /** Brings the snapshot back to what it was. */
  undo(): void {
    for (let i = this.released.length - 1; i >= 0; i--) {
      const { pod, node } = at(this.released, i).held;
      this.#snapshot.hold(pod, node, 1);
    }
  }

  #holdsOne(node: number): boolean {
    const { nodes } = this.#snapshot;
    const profile = nodes.profileIdOf(node);
    for (const { pod, profiles } of this.#roles) {
      if (profiles[profile] === 1 && this.#holds(node, pod)) return true;
    }
    return false;
  }

  #holds(node: number, pod: PodFacts): boolean {
    const { slots, amounts } = this.#snapshot.requestOf(pod.shape);
    for (let i = 0; i < slots.length; i++) {
      const slot = at(slots, i);
      if (this.#snapshot.nodes.free(node, slot) + (this.#freed[slot]?.[node] ?? 0) < at(amounts, i)) return false;
    }
    return true;
  }
}
