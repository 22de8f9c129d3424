import { at } from '../ds/index.ts';
import type { FreeIndex, NodeProfile, PodFacts, Snapshot } from '../snapshot/index.ts';
import type { Feasibility } from './feasibility.ts';

/** Pods of one shape that are placed together, and the profiles that they may use. */
export interface PlacementRole {
  readonly pods: readonly PodFacts[];
  readonly profiles: readonly NodeProfile[];
}

/** What is asked of the nodes: all pods of all roles, or nothing. */
export interface PlacementRequest {
  readonly roles: readonly PlacementRole[];
  readonly strategy: 'Pack' | 'Spread';
  /** The topology level, a node label, one domain of which must hold everything; undefined = none must. */
  readonly within: string | undefined;
}

/** Where a pod goes. */
export interface PlacedPod {
  readonly pod: PodFacts;
  readonly node: number;
}

/**
 * Places all pods of all roles, or none. What is placed is held in the snapshot; undefined = it does not fit, and the
 * snapshot is as before.
 *
 * `Pack`: one pod goes to the node with the fewest free devices that still holds it; several go to one node if any
 * holds them all, else to as few as possible, so that whole nodes stay free. `Spread`: each pod to the emptiest node.
 *
 * Cost: O(pods + nodes used x profiles); a node is looked at in vain only where devices are free on it and another
 * resource is not.
 */
export function placeAll(
  snapshot: Snapshot,
  feasibility: Feasibility,
  { roles, strategy }: PlacementRequest,
): readonly PlacedPod[] | undefined {
  const placed: PlacedPod[] = [];
  for (const role of roles) {
    if (!placeRole({ snapshot, feasibility, role, placed }, strategy)) {
      release(snapshot, placed);
      return undefined;
    }
  }
  return placed;
}

/** Gives back what {@link placeAll} holds. */
export function release(snapshot: Snapshot, placed: readonly PlacedPod[]): void {
  for (const { pod, node } of placed) snapshot.hold(pod, node, -1);
}

interface Attempt {
  readonly snapshot: Snapshot;
  readonly feasibility: Feasibility;
  readonly role: PlacementRole;
  readonly placed: PlacedPod[];
}

function placeRole(attempt: Attempt, strategy: 'Pack' | 'Spread'): boolean {
  const { role, placed, snapshot } = attempt;
  const [first] = role.pods;
  if (first === undefined) return true;
  const search = new NodeSearch(attempt, first);
  for (let next = 0; next < role.pods.length;) {
    const left = role.pods.length - next;
    const found = strategy === 'Spread' ? search.emptiest(1) : (search.tightest(left) ?? search.emptiest(left));
    if (found === undefined) return false;
    snapshot.hold(first, found.node, found.copies);
    for (let i = 0; i < found.copies; i++) placed.push({ pod: at(role.pods, next + i), node: found.node });
    next += found.copies;
  }
  return true;
}

interface Found {
  readonly node: number;
  readonly copies: number;
}

/** Looks for nodes along the free amounts of the resource that the shape is most particular about. */
class NodeSearch {
  readonly #attempt: Attempt;
  readonly #shape: PodFacts['shape'];
  readonly #amount: number;
  readonly #indexes: readonly FreeIndex[];

  constructor(attempt: Attempt, pod: PodFacts) {
    this.#attempt = attempt;
    this.#shape = pod.shape;
    const { slot, amount } = particularResource(attempt.snapshot, pod.shape);
    this.#amount = amount;
    this.#indexes = attempt.role.profiles.map((profile) => attempt.snapshot.nodes.freeIndex(profile.id, slot));
  }

  /** The node with the least free amount that holds all `copies`. */
  tightest(copies: number): Found | undefined {
    const from = Math.min(...this.#indexes.map((index) => index.bucketFor(this.#amount * copies)));
    const to = this.#bucketCount();
    for (let bucket = from; bucket < to; bucket++) {
      const node = this.#firstIn(bucket, copies);
      if (node !== undefined) return { node, copies };
    }
    return undefined;
  }

  /** The node with the most free amount that holds at least one copy, and how many of `copies` it holds. */
  emptiest(copies: number): Found | undefined {
    const least = Math.min(...this.#indexes.map((index) => index.bucketFor(this.#amount)));
    for (let bucket = this.#bucketCount() - 1; bucket >= least; bucket--) {
      const node = this.#firstIn(bucket, 1);
      if (node === undefined) continue;
      const { nodes } = this.#attempt.snapshot;
      return {
        node,
        copies: Math.min(copies, nodes.copiesThatFit(node, this.#attempt.snapshot.requestOf(this.#shape))),
      };
    }
    return undefined;
  }

  /** The first node, by id, of a bucket of any profile that holds `copies`. */
  #firstIn(bucket: number, copies: number): number | undefined {
    const { snapshot, feasibility } = this.#attempt;
    const request = snapshot.requestOf(this.#shape);
    let best: number | undefined;
    for (const index of this.#indexes) {
      for (
        let node = index.next(bucket, 0);
        node >= 0 && node < (best ?? Infinity);
        node = index.next(bucket, node + 1)
      ) {
        if (snapshot.nodes.copiesThatFit(node, request) < copies || !feasibility.accepts(this.#shape, node)) continue;
        best = node;
      }
    }
    return best;
  }

  #bucketCount(): number {
    return Math.max(0, ...this.#indexes.map((index) => index.bucketCount));
  }
}

/** The accelerator of a shape; cpu, else the pod itself, where it asks for none. */
function particularResource(snapshot: Snapshot, shape: PodFacts['shape']): { slot: number; amount: number } {
  const [accelerator] = snapshot.acceleratorsOf(shape);
  if (accelerator !== undefined) return { slot: accelerator.slot, amount: accelerator.devices };
  const name = (shape.requests['cpu'] ?? 0) > 0 ? 'cpu' : 'pods';
  return { slot: snapshot.slotOf(name), amount: shape.requests[name] ?? 1 };
}
