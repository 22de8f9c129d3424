import { at } from '../../ds/index.ts';
import type { NodeTable } from '../../snapshot/index.ts';

/** The nodes divided by the value of one label. Holds for one snapshot. */
export class Domains {
  readonly count: number;
  readonly #of: Int32Array;

  constructor(nodes: NodeTable, key: string) {
    const ids = new Map<string, number>();
    this.#of = new Int32Array(nodes.count).fill(-1);
    nodes.facts.forEach(({ labels }, node) => {
      const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
      if (value === undefined) return;
      let id = ids.get(value);
      if (id === undefined) ids.set(value, (id = ids.size));
      this.#of[node] = id;
    });
    this.count = ids.size;
  }

  /** The node's domain, counted from 0; -1 for a node without the label. */
  of(node: number): number {
    return at(this.#of, node);
  }
}

/** A number for each domain, and their sum. Nodes outside every domain do not count. */
export class DomainTally {
  readonly domains: Domains;
  readonly #counts: Int32Array;
  #total = 0;

  constructor(domains: Domains) {
    this.domains = domains;
    this.#counts = new Int32Array(domains.count);
  }

  get total(): number {
    return this.#total;
  }

  add(node: number, count: number): void {
    const domain = this.domains.of(node);
    if (domain < 0) return;
    this.#counts[domain] = at(this.#counts, domain) + count;
    this.#total += count;
  }

  /** The number of the node's domain; 0 for a node outside every domain. */
  at(node: number): number {
    const domain = this.domains.of(node);
    return domain < 0 ? 0 : at(this.#counts, domain);
  }
}
