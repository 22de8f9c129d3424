import { at } from '../ds/index.ts';
import type { PoolState } from '../snapshot/index.ts';

/**
 * A place in the quota tree at which borrowing is judged: the subtree of a quota (its index), or, for a quota that has
 * children, what its own namespaces hold (`ownPart(index)`): that competes with the children for the same guarantee.
 */
export type Level = number;

/** The own part of a quota as a {@link Level}. */
function ownPart(quota: number): Level {
  return -1 - quota;
}

/** What the levels of one pool's quota tree borrow at present. */
export class Borrowing {
  readonly #pool: PoolState;
  readonly #children: readonly (readonly number[])[];

  constructor(pool: PoolState) {
    const children: number[][] = pool.quotas.map(() => []);
    for (const { index } of pool.quotas) children[pool.tree.parentOf(index)]?.push(index);
    this.#pool = pool;
    this.#children = children;
  }

  /** Where the workloads of a quota's own namespaces are judged first. */
  ownLevel(quota: number): Level {
    return at(this.#children, quota).length === 0 ? quota : ownPart(quota);
  }

  /** Milli-GPUs held beyond guarantee at a level; a class guarantee covers use of that class only. O(classes). */
  at(level: Level): number {
    return level >= 0 ? this.#pool.tree.borrowed(level) : this.#borrowedByOwnPart(-1 - level);
  }

  /** O(classes x children). */
  #borrowedByOwnPart(index: number): number {
    const { tree, classes, quotas } = this.#pool;
    const quota = at(quotas, index);
    let flexible = 0;
    for (const { index: classIndex, spec } of classes) {
      let devices = tree.countedDevices(index, classIndex);
      for (const child of at(this.#children, index)) devices -= tree.countedDevices(child, classIndex);
      devices -= quota.spec.classes.find((own) => own.name === spec.name)?.guaranteed ?? 0;
      if (devices > 0) flexible += devices * spec.weight;
    }
    const apart = at(this.#children, index).reduce<number>((sum, child) => sum - tree.apart(child), tree.apart(index));
    return Math.max(0, flexible - quota.spec.guaranteed - quota.entitled) + apart;
  }
}
