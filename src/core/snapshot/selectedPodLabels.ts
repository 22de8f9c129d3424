import type { PodConstraints, PodFacts, PodShape } from './facts.ts';
import { namesKept } from './namesKept.ts';
import type { PendingSet } from './pending.ts';
import { labelsSelectedBy, selectsPods } from './selectedLabels.ts';

/**
 * Labels by which pods select other pods: workloads that differ in one of them are not alike. The labels of all pods
 * count from the first pod on that selects others.
 *
 * | operation | cost |
 * |---|---|
 * | learn | O(1) for constraints that are known, else O(labels that they select by) |
 * | forgetUnused | O(1), O(pods) when more labels are known than are kept |
 */
export class SelectedPodLabels {
  readonly #pending: PendingSet;
  #known = new WeakSet<PodConstraints>();
  #areAsked = false;
  #most = namesKept(0);

  /** @param pending hears by which labels its workloads differ */
  constructor(pending: PendingSet) {
    this.#pending = pending;
  }

  /** Some pod, ours or not, has affinity to others or is spread among them. */
  get areAsked(): boolean {
    return this.#areAsked;
  }

  /** Takes note of what a pod selects others by. @returns whether it is the first that does */
  learn({ constraints }: PodShape): boolean {
    if (constraints === undefined || this.#known.has(constraints)) return false;
    this.#known.add(constraints);
    if (!selectsPods(constraints)) return false;
    this.#pending.distinguish(labelsSelectedBy(constraints));
    if (this.#areAsked) return false;
    this.#areAsked = true;
    return true;
  }

  /** @param pods all that exist */
  forgetUnused(pods: Iterable<PodFacts>): void {
    if (this.#pending.distinguishedLabels <= this.#most) return;
    this.#known = new WeakSet();
    const labels = new Set<string>();
    for (const { shape } of pods) {
      if (shape.constraints !== undefined) for (const key of labelsSelectedBy(shape.constraints)) labels.add(key);
    }
    this.#pending.distinguishOnly(labels);
    this.#most = namesKept(labels.size);
  }
}
