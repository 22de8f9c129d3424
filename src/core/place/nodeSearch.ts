import { at } from '../ds/index.ts';
import { liesIn, type FreeIndex, type PodFacts, type Snapshot } from '../snapshot/index.ts';
import type { Feasibility } from './feasibility.ts';
import { fragmentationOf } from './fragmentation.ts';
import type { Load } from './load.ts';
import { profileUnionOf, type ProfileUnion } from './profileUnion.ts';

/** Where to look: node ids from `start` up to, not with, `end`. */
export interface Scope {
  readonly start: number;
  readonly end: number;
  /** Only nodes that lie in a domain of this level of their pool; undefined = all. */
  readonly depth: number | undefined;
  /** Only nodes onto which other pods and volumes let this pod; undefined = all. */
  readonly pod: PodFacts | undefined;
}

/** Profiles from which on one index for all of them is worth its upkeep. Sites with a power limit need one for each. */
const fewestUnited = 8;

/**
 * Looks for nodes along the free amounts of the resource that a load is most particular about: its accelerator, else
 * cpu, else room for a pod. Of nodes with equal free amount the first by id is found, so that one domain fills after
 * the other. A node is looked at in vain only where that resource is free on it and another is not.
 *
 * Cost of a search: O(buckets x log32 nodes); times the profiles where there are few, or power limits.
 */
export class NodeSearch {
  readonly #snapshot: Snapshot;
  readonly #feasibility: Feasibility;
  readonly #load: Load;
  readonly #amount: number;
  /** The profiles of the load: each for itself, or all as one. */
  readonly #indexes: readonly FreeIndex[];
  readonly #union: ProfileUnion | undefined;
  /** Whether some site's power limit counts. */
  readonly #limited: boolean;
  /** By profile of the load: copies that its sites can power now; empty where no limit counts. */
  readonly #powered: number[] = [];

  constructor(
    snapshot: Snapshot,
    feasibility: Feasibility,
    { load, ignorePower }: { readonly load: Load; readonly ignorePower: boolean },
  ) {
    this.#snapshot = snapshot;
    this.#feasibility = feasibility;
    this.#load = load;
    const { slot, amount } = particularResource(snapshot, load);
    this.#amount = amount;
    const { profiles } = load;
    this.#limited = !ignorePower && profiles.some(({ id }) => snapshot.power.limits(id, load.accelerators));
    this.#union =
      this.#limited || profiles.length < fewestUnited ? undefined : profileUnionOf(snapshot.nodes, profiles, slot);
    this.#indexes =
      this.#union === undefined
        ? profiles.map((profile) => snapshot.nodes.freeIndex(profile.id, slot))
        : [this.#union.index];
  }

  /** Whether power limits count: free amounts alone do not say how many fit. */
  get limited(): boolean {
    return this.#limited;
  }

  /** Copies that all sites together can power at the most; Infinity where no limit counts. */
  powered(): number {
    const { profiles, accelerators } = this.#load;
    return this.#limited ? this.#snapshot.power.copiesWithin(profiles, accelerators) : Infinity;
  }

  /** The node with the least free amount that holds all `copies`; -1 when there is none. */
  tightest(copies: number, scope: Scope): number {
    this.#refresh();
    const buckets = this.#bucketCount();
    const [first] = this.#indexes;
    if (first === undefined) return -1;
    for (let bucket = first.bucketFor(this.#amount * copies); bucket < buckets; bucket++) {
      const node = this.#firstIn(bucket, copies, scope);
      if (node >= 0) return node;
    }
    return -1;
  }

  /**
   * Of the nodes that hold all `copies`, the one on which they strand the fewest devices, of several such the one with
   * the fewest free devices; -1 when none holds them. Looks at the first `breadth` nodes by id of each free amount and
   * profile. Where nothing but devices runs out it is the tightest node, and found as fast.
   */
  leastStranding(copies: number, scope: Scope, breadth: number): number {
    const fragmentation = fragmentationOf(this.#snapshot, this.#feasibility);
    const { profiles, request } = this.#load;
    if (!profiles.some(({ id }) => fragmentation.matters(id, this.#load))) return this.tightest(copies, scope);
    this.#refresh();
    const buckets = this.#bucketCount();
    let best = -1;
    let least = Infinity;
    for (let bucket = this.#indexes[0]?.bucketFor(this.#amount * copies) ?? buckets; bucket < buckets; bucket++) {
      for (let i = 0; i < this.#indexes.length; i++) {
        if (!this.#mayHold(i, bucket, copies)) continue;
        let start = scope.start;
        for (let seen = 0; seen < breadth; seen++) {
          const node = this.#nextIn(i, bucket, { copies, scope, start, end: scope.end });
          if (node < 0) break;
          const cost = fragmentation.costOf(node, request, copies);
          if (cost < least || (cost === least && fragmentation.freeOn(node) < fragmentation.freeOn(best))) {
            least = cost;
            best = node;
          }
          start = node + 1;
        }
      }
    }
    return best;
  }

  /** The node with the most free amount that holds at least one copy; -1 when there is none. */
  emptiest(scope: Scope): number {
    this.#refresh();
    const [first] = this.#indexes;
    if (first === undefined) return -1;
    const least = first.bucketFor(this.#amount);
    for (let bucket = this.#bucketCount() - 1; bucket >= least; bucket--) {
      const node = this.#firstIn(bucket, 1, scope);
      if (node >= 0) return node;
    }
    return -1;
  }

  /** How many copies, `most` at the most, a node takes that was just found. */
  copiesOn(node: number, most: number): number {
    let copies = most === 1 ? 1 : Math.min(most, this.#snapshot.nodes.copiesThatFit(node, this.#load.request));
    if (this.#limited)
      copies = Math.min(
        copies,
        this.#snapshot.power.copiesAt(this.#snapshot.nodes.profileIdOf(node), this.#load.accelerators),
      );
    return copies;
  }

  /** The first node, by id, of a bucket of any profile that holds `copies`. */
  #firstIn(bucket: number, copies: number, scope: Scope): number {
    let best = scope.end;
    for (let i = 0; i < this.#indexes.length; i++) {
      if (!this.#mayHold(i, bucket, copies)) continue;
      const node = this.#nextIn(i, bucket, { copies, scope, start: scope.start, end: best });
      if (node >= 0) best = node;
    }
    return best < scope.end ? best : -1;
  }

  /** Whether a bucket of the load's profile number `i` is worth a look. */
  #mayHold(i: number, bucket: number, copies: number): boolean {
    return at(this.#indexes, i).size(bucket) > 0 && !(this.#limited && (this.#powered[i] as number) < copies);
  }

  /** The first node, from `start` up to, not with, `end`, of a bucket of one profile that holds `copies`; else -1. */
  #nextIn(
    i: number,
    bucket: number,
    { copies, scope, start, end }: { copies: number; scope: Scope; start: number; end: number },
  ): number {
    const { nodes } = this.#snapshot;
    const index = at(this.#indexes, i);
    const { depth, pod } = scope;
    for (let node = index.next(bucket, start); node >= 0 && node < end; node = index.next(bucket, node + 1)) {
      if (!nodes.holds(node, this.#load.request, copies) || !this.#accepts(node)) continue;
      if (depth !== undefined && !liesIn(nodes.topology, node, depth)) continue;
      if (pod !== undefined && !this.#feasibility.allows(pod, node)) continue;
      return node;
    }
    return -1;
  }

  #accepts(node: number): boolean {
    const { shapes } = this.#load;
    for (let i = 0; i < shapes.length; i++) {
      if (!this.#feasibility.accepts(at(shapes, i), node)) return false;
    }
    return true;
  }

  #refresh(): void {
    this.#union?.sync();
    if (!this.#limited) return;
    const { profiles, accelerators } = this.#load;
    for (let i = 0; i < profiles.length; i++)
      this.#powered[i] = this.#snapshot.power.copiesAt(at(profiles, i).id, accelerators);
  }

  #bucketCount(): number {
    let count = 0;
    for (let i = 0; i < this.#indexes.length; i++) count = Math.max(count, at(this.#indexes, i).bucketCount);
    return count;
  }
}

/** The accelerator, or the part of one, of a load; cpu, else the pod itself, where it asks for none. */
function particularResource(snapshot: Snapshot, load: Load): { readonly slot: number; readonly amount: number } {
  const { share } = load.request;
  if (share !== undefined) return { slot: share.part, amount: share.milli };
  const [accelerator] = load.accelerators;
  if (accelerator !== undefined) return { slot: accelerator.slot, amount: accelerator.devices };
  for (const name of ['cpu', 'pods']) {
    const slot = snapshot.slotOf(name);
    const amount = load.request.amounts[load.request.slots.indexOf(slot)];
    if (amount !== undefined) return { slot, amount };
  }
  return { slot: snapshot.slotOf('pods'), amount: 1 };
}
