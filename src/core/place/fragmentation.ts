import { at } from '../ds/index.ts';
import { wholeDevice, type NodeTable, type SlottedRequest, type Snapshot } from '../snapshot/index.ts';
import type { Feasibility } from './feasibility.ts';
import type { Load } from './load.ts';
import { Parts } from './parts.ts';
import { drawTypicalLists, type TypicalLists } from './typicalLists.ts';

/** Figures about nodes that are kept between placements: numbers in all, over all requests. */
const keptFigures = 2 ** 24;

/** What placing one request on a node would strand. */
interface Costs {
  readonly cost: Float64Array;
  readonly copies: number;
  /** Up to which change of the node each cost holds. */
  readonly asOf: Float64Array;
}

/**
 * How much of a node's free devices goes to waste: what is left once the node has taken all it can use out of a list of
 * typical requests, the largest first, on average over several lists. A placement costs what it adds to that.
 *
 * Fragmentation as FGD has it (USENIX ATC '23) asks, for each typical request alone, whether the node could start it.
 * This asks how well the best of what is to come fills the node, with cpu, memory and parts of devices shared among it.
 *
 * What is typical is learned from arrivals ({@link Snapshot.mix}). Figures of a node are kept until it changes.
 *
 * | operation | cost |
 * |---|---|
 * | costOf, first time since a change of the node | O(lists x their length x resources), some microseconds |
 * | costOf, else | O(1) |
 * | after a change of the mix | O(shapes x profiles + nodes), and all figures anew |
 */
class Fragmentation {
  readonly #snapshot: Snapshot;
  readonly #feasibility: Feasibility;
  readonly #nodes: NodeTable;
  #typical: TypicalLists = { slots: [], shapes: [], lists: [] };
  #generation = -1;
  /** By profile, then shape: 1 where the shape may run. */
  #allowed = new Uint8Array(0);
  /** By profile, then dimension: milli-GPUs that one device is worth; 0 for what is no device of a class. */
  #worth = new Float64Array(0);
  /** By profile: 1 where devices run out before anything else, whatever comes, and none is shared. */
  #plain = new Uint8Array(0);
  #costs = new Map<SlottedRequest, Costs>();
  /** By node: position of its last change. */
  readonly #changedAt: Float64Array;
  readonly #stranded: Float64Array;
  readonly #strandedAsOf: Float64Array;
  readonly #freeDevices: Float64Array;
  #seen = 0;
  // Scratch: what is free on the node in question, and while it is filled.
  #free = new Float64Array(0);
  #work = new Float64Array(0);
  readonly #parts = new Parts();
  readonly #workParts = new Parts();

  constructor(snapshot: Snapshot, feasibility: Feasibility) {
    this.#snapshot = snapshot;
    this.#feasibility = feasibility;
    this.#nodes = snapshot.nodes;
    this.#changedAt = new Float64Array(this.#nodes.count);
    this.#stranded = new Float64Array(this.#nodes.count);
    this.#strandedAsOf = new Float64Array(this.#nodes.count);
    this.#freeDevices = new Float64Array(this.#nodes.count);
  }

  /**
   * Whether it matters which node of a profile a load goes to, beyond packing tightly: not where devices are all that
   * runs out, and none is shared.
   */
  matters(profileId: number, { accelerators }: Load): boolean {
    this.#sync();
    return this.#plain[profileId] === 0 || (accelerators.length === 0 && this.#typical.lists.length > 0);
  }

  /**
   * Milli-GPUs that would be stranded on the node by `copies` of a request that it can hold, beyond what is stranded
   * now. Negative where the placement fills a hole.
   */
  costOf(node: number, request: SlottedRequest, copies: number): number {
    this.#sync();
    const costs = this.#costsOf(request, copies);
    const changed = at(this.#changedAt, node);
    if (at(costs.asOf, node) >= changed) return at(costs.cost, node);
    this.#load(node);
    const before = this.#strandedNow(node);
    this.#freeDevices[node] = this.#milliLeft(this.#nodes.profileIdOf(node));
    const cost = this.#place(request, copies) ? this.#fill(this.#nodes.profileIdOf(node)) - before : Infinity;
    costs.cost[node] = cost;
    costs.asOf[node] = changed;
    return cost;
  }

  /** Free devices of classes on a node, parts included, in thousandths. For nodes whose cost was just asked for. */
  freeOn(node: number): number {
    return at(this.#freeDevices, node);
  }

  /** Learns the mix anew where it has changed, and which nodes have. */
  #sync(): void {
    const { changes } = this.#nodes;
    if (this.#generation !== this.#snapshot.mix.generation) this.#learn();
    if (changes.position === this.#seen) return;
    if (changes.reaches(this.#seen)) {
      for (let i = this.#seen; i < changes.position; i++) this.#changedAt[changes.nodeAt(i)] = i + 1;
    } else this.#changedAt.fill(changes.position);
    this.#seen = changes.position;
  }

  #learn(): void {
    const snapshot = this.#snapshot;
    this.#generation = snapshot.mix.generation;
    this.#typical = drawTypicalLists(snapshot);
    const { shapes, slots } = this.#typical;
    const { profiles } = this.#nodes;
    this.#allowed = new Uint8Array(profiles.length * shapes.length);
    shapes.forEach(({ shape }, s) => {
      for (const { id } of this.#feasibility.profilesOf(shape)) this.#allowed[id * shapes.length + s] = 1;
    });
    this.#worth = new Float64Array(profiles.length * slots.length);
    for (const { id } of profiles)
      slots.forEach((slot, dim) => {
        this.#worth[id * slots.length + dim] = snapshot.worthOf(id, slot);
      });
    const leanest = this.#leanest();
    this.#plain = Uint8Array.from(profiles, ({ id }) => (this.#isPlain(id, leanest) ? 1 : 0));
    this.#free = new Float64Array(slots.length);
    this.#work = new Float64Array(slots.length);
    this.#costs.clear();
    this.#strandedAsOf.fill(-1);
  }

  /** By profile, then dimension: the least of it that a node has for each of its devices. */
  #leanest(): Float64Array {
    const { slots } = this.#typical;
    const dims = slots.length;
    const leanest = new Float64Array(this.#nodes.profiles.length * dims).fill(Infinity);
    for (let node = 0; node < this.#nodes.count; node++) {
      const first = this.#nodes.profileIdOf(node) * dims;
      let devices = 0;
      for (let dim = 0; dim < dims; dim++)
        if (at(this.#worth, first + dim) > 0) devices += this.#nodes.allocatable(node, at(slots, dim));
      for (let dim = 0; devices > 0 && dim < dims; dim++) {
        const each = this.#nodes.allocatable(node, at(slots, dim)) / devices;
        if (each < at(leanest, first + dim)) leanest[first + dim] = each;
      }
    }
    return leanest;
  }

  #isPlain(profileId: number, leanest: Float64Array): boolean {
    const { shapes, slots } = this.#typical;
    return shapes.every(({ share, dims, amounts, milliDevices }, s) => {
      if (this.#allowed[profileId * shapes.length + s] === 0) return true;
      if (share !== undefined) return false;
      return dims.every((dim, i) => {
        const cell = profileId * slots.length + dim;
        return at(this.#worth, cell) > 0 || at(amounts, i) * wholeDevice <= at(leanest, cell) * milliDevices;
      });
    });
  }

  #costsOf(request: SlottedRequest, copies: number): Costs {
    let costs = this.#costs.get(request);
    if (costs?.copies === copies) return costs;
    const { count } = this.#nodes;
    if ((this.#costs.size + 1) * count > keptFigures) this.#costs.clear();
    costs = { cost: new Float64Array(count), asOf: new Float64Array(count).fill(-1), copies };
    this.#costs.set(request, costs);
    return costs;
  }

  #strandedNow(node: number): number {
    const changed = at(this.#changedAt, node);
    if (at(this.#strandedAsOf, node) < changed) {
      this.#stranded[node] = this.#fill(this.#nodes.profileIdOf(node));
      this.#strandedAsOf[node] = changed;
    }
    return at(this.#stranded, node);
  }

  #load(node: number): void {
    const { slots } = this.#typical;
    this.#parts.clear();
    for (let dim = 0; dim < slots.length; dim++) {
      const slot = at(slots, dim);
      this.#free[dim] = this.#nodes.free(node, slot);
      for (const left of this.#nodes.opened(node, slot)) if (left < wholeDevice) this.#parts.add(dim, left);
    }
  }

  /** Takes a request from what was loaded; false where that does not hold it. */
  #place(request: SlottedRequest, copies: number): boolean {
    const { slots } = this.#typical;
    for (let i = 0; i < request.slots.length; i++) {
      const dim = slots.indexOf(at(request.slots, i));
      if (dim >= 0) this.#free[dim] = at(this.#free, dim) - at(request.amounts, i) * copies;
    }
    const { share } = request;
    if (share === undefined) return true;
    const dim = slots.indexOf(share.slot);
    return dim < 0 || this.#parts.take(dim, share.milli, this.#free);
  }

  /** What the lists leave of the loaded node, in milli-GPUs. */
  #fill(profileId: number): number {
    const { lists, shapes, slots } = this.#typical;
    const worth = this.#worth.subarray(profileId * slots.length, (profileId + 1) * slots.length);
    const devices = this.#milliLeft(profileId);
    if (devices === 0 || lists.length === 0) return 0;
    const allowed = profileId * shapes.length;
    let stranded = 0;
    for (const list of lists) {
      this.#work.set(this.#free);
      this.#workParts.copy(this.#parts);
      let left = devices;
      for (let i = 0; i < list.length && left > 0; i++) {
        const shape = list[i] as number;
        if (this.#allowed[allowed + shape] === 0) continue;
        const typical = at(shapes, shape);
        if (typical.milliDevices > left || !holds(this.#work, typical.dims, typical.amounts)) continue;
        const { share } = typical;
        if (share !== undefined && !this.#workParts.take(share.dim, share.milli, this.#work)) continue;
        for (let d = 0; d < typical.dims.length; d++) {
          const dim = typical.dims[d] as number;
          this.#work[dim] = (this.#work[dim] as number) - (typical.amounts[d] as number);
        }
        left -= typical.milliDevices;
      }
      stranded += this.#worthLeft(worth);
    }
    return stranded / lists.length;
  }

  /** Thousandths of devices that are free on the loaded node. */
  #milliLeft(profileId: number): number {
    const dims = this.#free.length;
    let sum = this.#parts.total;
    for (let dim = 0; dim < dims; dim++)
      if (at(this.#worth, profileId * dims + dim) > 0) sum += Math.max(0, at(this.#free, dim)) * wholeDevice;
    return sum;
  }

  /** What is left in the scratch node, in milli-GPUs. */
  #worthLeft(worth: Float64Array): number {
    let sum = 0;
    for (let dim = 0; dim < worth.length; dim++) sum += (worth[dim] as number) * Math.max(0, this.#work[dim] as number);
    const { count, dims, left } = this.#workParts;
    for (let i = 0; i < count; i++) sum += ((worth[dims[i] as number] as number) * (left[i] as number)) / wholeDevice;
    return sum;
  }
}

function holds(free: Float64Array, dims: Int32Array, amounts: Float64Array): boolean {
  for (let i = 0; i < dims.length; i++) if ((free[dims[i] as number] as number) < (amounts[i] as number)) return false;
  return true;
}

const kept = new WeakMap<Snapshot, Fragmentation>();

/** The figures of a snapshot, kept with it between placements. */
export function fragmentationOf(snapshot: Snapshot, feasibility: Feasibility): Fragmentation {
  let fragmentation = kept.get(snapshot);
  if (fragmentation === undefined) kept.set(snapshot, (fragmentation = new Fragmentation(snapshot, feasibility)));
  return fragmentation;
}
