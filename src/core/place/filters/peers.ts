import type { Holder, Labels } from '../../snapshot/index.ts';

/** What other pods' selectors see of a pod. */
export interface Peer {
  readonly namespace: string;
  readonly labels: Labels;
  /** It is being deleted. */
  readonly terminating: boolean;
}

/** Counts the pods that it matches, wherever they are held. */
export interface Watch {
  matches(peer: Peer): boolean;
  /** `count` more matching pods are held on the node; negative = fewer. */
  add(node: number, count: number): void;
}

interface Group extends Peer {
  /** Pods held, by node. */
  readonly nodes: Map<number, number>;
  /** The watches that match. */
  readonly watches: Watch[];
}

type Groups = Map<string, Map<Labels, Group>>;

/** How others see the pod. */
export function peerOf({ namespace, labels, deletionAt }: Holder): Peer {
  return { namespace, labels, terminating: deletionAt !== undefined };
}

/**
 * Every pod that holds a place, grouped by what selectors can see of it, and the watches that count them.
 *
 * | operation | cost |
 * |---|---|
 * | hold | O(watches that match the pod); of the first pod of a group O(watches) |
 * | watch | first time O(groups + nodes of those that match), then O(1) |
 */
export class Peers {
  readonly #staying: Groups = new Map();
  readonly #leaving: Groups = new Map();
  readonly #watches = new Map<string, Watch>();

  hold(holder: Holder, node: number, count: number): void {
    const group = this.#groupOf(holder);
    const held = (group.nodes.get(node) ?? 0) + count;
    if (held === 0) group.nodes.delete(node);
    else group.nodes.set(node, held);
    for (const watch of group.watches) watch.add(node, count);
    if (group.nodes.size === 0) this.#forget(group);
  }

  /** The watch of this key; `make`s it where it does not exist yet. One key must stand for one kind of watch. */
  watch<W extends Watch>(key: string, make: () => W): W {
    const known = this.#watches.get(key);
    if (known !== undefined) return known as W;
    const watch = make();
    this.#watches.set(key, watch);
    for (const groups of [this.#staying, this.#leaving])
      for (const byLabels of groups.values())
        for (const group of byLabels.values()) {
          if (!watch.matches(group)) continue;
          group.watches.push(watch);
          for (const [node, count] of group.nodes) watch.add(node, count);
        }
    return watch;
  }

  #groupOf(holder: Holder): Group {
    const terminating = holder.deletionAt !== undefined;
    const groups = terminating ? this.#leaving : this.#staying;
    let byLabels = groups.get(holder.namespace);
    if (byLabels === undefined) groups.set(holder.namespace, (byLabels = new Map<Labels, Group>()));
    let group = byLabels.get(holder.labels);
    if (group === undefined) {
      const peer = peerOf(holder);
      const watches = [...this.#watches.values()].filter((watch) => watch.matches(peer));
      byLabels.set(holder.labels, (group = { ...peer, nodes: new Map(), watches }));
    }
    return group;
  }

  #forget({ namespace, labels, terminating }: Group): void {
    const groups = terminating ? this.#leaving : this.#staying;
    const byLabels = groups.get(namespace);
    byLabels?.delete(labels);
    if (byLabels?.size === 0) groups.delete(namespace);
  }
}
