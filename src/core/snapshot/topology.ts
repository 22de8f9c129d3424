import { at } from '../ds/index.ts';
import type { NodeFacts } from './facts.ts';

/** A pool as far as it says how its nodes are wired. */
export interface WiredPool {
  readonly name: string;
  /** Node labels, widest first. */
  readonly topologyLevels: readonly string[];
}

/**
 * The topology domains of all pools as one tree, and for each node the narrowest domain that it lies in.
 *
 * Domain 0 holds every node. A domain is known by its path: one block name in two zones is two domains. A node without
 * a level's label lies in no domain of that level, but in those above and below that it is labelled for. Domains are
 * numbered in pre-order and node ids follow the tree, so that a domain is a range of node ids and a subtree a range of
 * domains. Columns are indexed by domain.
 */
export interface Topology {
  /** First node of the domain, and the one after its last. */
  readonly start: Int32Array;
  readonly end: Int32Array;
  /** The next wider domain; -1 for domain 0. */
  readonly parent: Int32Array;
  /** The first domain that is not inside this one: children of `d` are `d + 1`, `next[d + 1]`, ... below `next[d]`. */
  readonly next: Int32Array;
  /** One bit for each level, widest in bit 0, that has a domain on the path down to this one. */
  readonly path: Int32Array;
  /** By node: its narrowest domain. */
  readonly leafOf: Int32Array;
  /** By pool name: the domains of each level, widest level first. */
  readonly tiers: ReadonlyMap<string, readonly Int32Array[]>;
}

/** Whether a node lies in a domain of its pool's level number `depth`. */
export function liesIn(topology: Topology, node: number, depth: number): boolean {
  return ((topology.path[topology.leafOf[node] as number] as number) & (1 << depth)) !== 0;
}

/**
 * Brings nodes into the order of (pool, topology path, given order), nodes without a label after those with one and
 * nodes of no pool last, and finds the domains. `order` has for each node id the position in `nodes`.
 * O(nodes x levels + domains log domains).
 */
export function arrange(
  nodes: readonly NodeFacts[],
  poolOf: (position: number) => WiredPool | undefined,
): { readonly order: Int32Array; readonly topology: Topology } {
  const roots = new Map<string, { readonly pool: WiredPool; readonly branch: Branch }>();
  const outside: number[] = [];
  nodes.forEach((node, position) => {
    const pool = poolOf(position);
    if (pool === undefined) {
      outside.push(position);
      return;
    }
    let root = roots.get(pool.name);
    if (root === undefined) roots.set(pool.name, (root = { pool, branch: newBranch() }));
    let { branch } = root;
    for (const level of pool.topologyLevels) branch = childOf(branch, node.labels[level]);
    branch.nodes.push(position);
  });

  const builder = new TreeBuilder(nodes.length);
  for (const [, { pool, branch }] of [...roots].sort(byKey)) builder.addPool(pool, branch);
  builder.addNodes(outside);
  return builder.finish();
}

/** Nodes that share the labels of the levels passed so far. Key undefined: the node has no such label. */
interface Branch {
  readonly nodes: number[];
  readonly children: Map<string | undefined, Branch>;
}

function newBranch(): Branch {
  return { nodes: [], children: new Map() };
}

function childOf(branch: Branch, label: string | undefined): Branch {
  let child = branch.children.get(label);
  if (child === undefined) branch.children.set(label, (child = newBranch()));
  return child;
}

class TreeBuilder {
  readonly #order: Int32Array;
  readonly #leafOf: Int32Array;
  readonly #start = [0];
  readonly #end = [0];
  readonly #parent = [-1];
  readonly #next = [0];
  readonly #path = [0];
  readonly #tiers = new Map<string, Int32Array[]>();
  #placed = 0;
  /** The domain that nodes are being added to. */
  #current = 0;

  constructor(nodes: number) {
    this.#order = new Int32Array(nodes);
    this.#leafOf = new Int32Array(nodes);
  }

  addPool(pool: WiredPool, branch: Branch): void {
    const tiers = pool.topologyLevels.map(() => [] as number[]);
    this.#addBranch(branch, 0, tiers);
    this.#tiers.set(
      pool.name,
      tiers.map((domains) => Int32Array.from(domains)),
    );
  }

  addNodes(positions: readonly number[]): void {
    for (const position of positions) {
      this.#leafOf[this.#placed] = this.#current;
      this.#order[this.#placed++] = position;
    }
  }

  finish() {
    this.#end[0] = this.#placed;
    this.#next[0] = this.#start.length;
    const topology: Topology = {
      start: Int32Array.from(this.#start),
      end: Int32Array.from(this.#end),
      parent: Int32Array.from(this.#parent),
      next: Int32Array.from(this.#next),
      path: Int32Array.from(this.#path),
      leafOf: this.#leafOf,
      tiers: this.#tiers,
    };
    return { order: this.#order, topology };
  }

  #addBranch(branch: Branch, depth: number, tiers: readonly number[][]): void {
    this.addNodes(branch.nodes);
    for (const [label, child] of [...branch.children].sort(byKey)) {
      if (label === undefined) {
        this.#addBranch(child, depth + 1, tiers);
        continue;
      }
      const parent = this.#current;
      const domain = this.#start.length;
      this.#start.push(this.#placed);
      this.#parent.push(parent);
      this.#path.push(at(this.#path, parent) | (1 << depth));
      tiers[depth]?.push(domain);
      this.#current = domain;
      this.#addBranch(child, depth + 1, tiers);
      this.#current = parent;
      this.#end[domain] = this.#placed;
      this.#next[domain] = this.#start.length;
    }
  }
}

/** By key; undefined after every text. */
function byKey([a]: readonly [string | undefined, unknown], [b]: readonly [string | undefined, unknown]): number {
  if (a === b) return 0;
  if (a === undefined) return 1;
  if (b === undefined) return -1;
  return a < b ? -1 : 1;
}
