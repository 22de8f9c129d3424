import { foreignKeys } from '../../api/v1alpha1/constants/index.ts';
import type { NodeFacts, PodShape } from './facts.ts';
import { labelsOfShape } from './selectedLabels.ts';

/**
 * Labels of nodes that pods select by: nodes that agree in all of them share a profile. A label that no node has is none
 * of them, however many pods ask for it.
 *
 * | operation | cost |
 * |---|---|
 * | count | O(labels of the node) |
 * | learn | O(1) for a shape that is known, else O(labels that it selects by) |
 */
export class SelectedNodeLabels {
  /** How many nodes have a label, by its key. */
  readonly #nodes = new Map<string, number>();
  readonly #selected = new Set<string>();
  #knownShapes = new WeakSet<PodShape>();

  /** Keys of the labels. */
  get keys(): ReadonlySet<string> {
    return this.#selected;
  }

  /** Adds a node's labels to the count of each, or (-1) takes them off. */
  count({ labels }: NodeFacts, change: 1 | -1): void {
    for (const key in labels) {
      const before = this.#nodes.get(key) ?? 0;
      if (before + change > 0) this.#nodes.set(key, before + change);
      else {
        this.#nodes.delete(key);
        this.#selected.delete(key);
      }
      // Pods may have selected by it before any node had it.
      if (before === 0) this.#knownShapes = new WeakSet();
    }
  }

  /** Takes note of what a pod selects by. @returns the labels that no pod had selected by before */
  learn(shape: PodShape): readonly string[] {
    if (this.#knownShapes.has(shape)) return none;
    this.#knownShapes.add(shape);
    const learnt: string[] = [];
    for (const key of labelsOfShape(shape)) {
      // Host names are checked node by node: as a profile label they would make every node its own profile.
      if (key === foreignKeys.hostname.key || this.#selected.has(key) || !this.#nodes.has(key)) continue;
      this.#selected.add(key);
      learnt.push(key);
    }
    return learnt;
  }
}

const none: readonly string[] = [];
