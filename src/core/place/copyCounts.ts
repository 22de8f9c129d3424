import { RecentMap } from '../ds/index.ts';
import type { NodeProfile, NodeTable, SlottedRequest } from '../snapshot/index.ts';

/** What is counted, and where. */
export interface CopyQuestion {
  readonly request: SlottedRequest;
  readonly profiles: readonly NodeProfile[];
  /** Nodes to be counted; undefined = every node of the profiles. */
  readonly accepts: ((node: number) => boolean) | undefined;
}

/** A node is never counted for more: sums of all nodes stay exact. */
const mostCopies = 2 ** 30;

/**
 * How many copies of one request each node, and so each topology domain, could hold. Exact for copies of this request
 * alone. It follows the table's change log: {@link sync} before reading.
 *
 * | operation | cost |
 * |---|---|
 * | build | O(nodes x resources + domains) |
 * | sync | O(changes x (resources + levels)), never more than a build |
 * | update | O(resources + levels) |
 * | memory | 4 bytes a node, 8 a domain |
 */
export class CopyCounts {
  /** By domain; `[0]` is all nodes. */
  readonly inDomain: Float64Array;
  readonly #nodes: NodeTable;
  readonly #question: CopyQuestion;
  readonly #request: SlottedRequest;
  readonly #accepts: CopyQuestion['accepts'];
  /** By profile id: 1 where its nodes count. */
  readonly #allowed: Uint8Array;
  readonly #onNode: Int32Array;
  #seen = 0;

  constructor(nodes: NodeTable, question: CopyQuestion, counted?: CopyCounts) {
    const { request, profiles, accepts } = question;
    this.#question = question;
    this.#nodes = nodes;
    this.#request = request;
    this.#accepts = accepts;
    this.#allowed = new Uint8Array(nodes.profiles.length);
    for (const { id } of profiles) this.#allowed[id] = 1;
    if (counted === undefined) {
      this.#onNode = new Int32Array(nodes.count);
      this.inDomain = new Float64Array(nodes.topology.start.length);
      this.#build();
    } else {
      this.#onNode = counted.#onNode.slice();
      this.inDomain = counted.inDomain.slice();
      this.#seen = counted.#seen;
    }
  }

  /** The same counts, to be changed apart from these. O(nodes), a fraction of a build. */
  clone(): CopyCounts {
    return new CopyCounts(this.#nodes, this.#question, this);
  }

  onNode(node: number): number {
    return this.#onNode[node] as number;
  }

  /** Catches up with everything that was taken and given back since the last time. */
  sync(): void {
    const { changes } = this.#nodes;
    const { position } = changes;
    if (position === this.#seen) return;
    if (changes.reaches(this.#seen)) {
      for (let i = this.#seen; i < position; i++) this.update(changes.nodeAt(i));
      this.#seen = position;
    } else this.#build();
  }

  /** Looks at one node again; returns by how much its count grew. */
  update(node: number): number {
    const grown = this.#copiesOn(node) - (this.#onNode[node] as number);
    if (grown === 0) return 0;
    this.#onNode[node] = (this.#onNode[node] as number) + grown;
    const { leafOf, parent } = this.#nodes.topology;
    for (let domain = leafOf[node] as number; domain >= 0; domain = parent[domain] as number)
      this.inDomain[domain] = (this.inDomain[domain] as number) + grown;
    return grown;
  }

  #copiesOn(node: number): number {
    if (this.#allowed[this.#nodes.profileIdOf(node)] !== 1) return 0;
    const copies = this.#nodes.copiesThatFit(node, this.#request);
    if (copies === 0 || this.#accepts?.(node) === false) return 0;
    return copies < mostCopies ? copies : mostCopies;
  }

  /** Resource by resource: columns are read in order, which is several times faster than node by node. */
  #build(): void {
    const { topology, changes } = this.#nodes;
    const counts = this.#onNode.fill(mostCopies);
    const { slots, amounts } = this.#request;
    for (let i = 0; i < slots.length; i++)
      limitBy(counts, this.#nodes.freeColumn(slots[i] as number), amounts[i] as number);
    const { inDomain } = this;
    inDomain.fill(0);
    for (let node = 0; node < counts.length; node++) {
      const copies = counts[node] as number;
      if (copies === 0) continue;
      if (this.#allowed[this.#nodes.profileIdOf(node)] !== 1 || this.#accepts?.(node) === false) {
        counts[node] = 0;
        continue;
      }
      const leaf = topology.leafOf[node] as number;
      inDomain[leaf] = (inDomain[leaf] as number) + copies;
    }
    // Children come after their parents.
    for (let domain = inDomain.length - 1; domain > 0; domain--) {
      const parent = topology.parent[domain] as number;
      inDomain[parent] = (inDomain[parent] as number) + (inDomain[domain] as number);
    }
    this.#seen = changes.position;
  }
}

/** Counts that a table keeps for the next asker. */
const keptCounts = 32;
const kept = new WeakMap<NodeTable, RecentMap<CopyCounts>>();

/** The counts of a request over all nodes of some profiles, as they are now. Kept with the table between askers. */
export function copyCountsOf(nodes: NodeTable, request: SlottedRequest, profiles: readonly NodeProfile[]): CopyCounts {
  let known = kept.get(nodes);
  if (known === undefined) kept.set(nodes, (known = new RecentMap<CopyCounts>(keptCounts)));
  const key = `${request.slots.join()} ${request.amounts.join()} ${profiles.map(({ id }) => id).join()}`;
  const counts = known.get(key, () => new CopyCounts(nodes, { request, profiles, accepts: undefined }));
  counts.sync();
  return counts;
}

function limitBy(counts: Int32Array, free: Float64Array | undefined, amount: number): void {
  if (free === undefined) {
    counts.fill(0);
    return;
  }
  for (let node = 0; node < counts.length; node++) {
    const copies = Math.floor((free[node] as number) / amount);
    if (copies < (counts[node] as number)) counts[node] = copies > 0 ? copies : 0;
  }
}
