import { at } from '../ds/index.ts';
import { milli, type MilliGpus } from '../units/index.ts';

/** One quota as the tree sees it. Capacities in milli-GPUs, class guarantees in devices. */
export interface QuotaNode {
  /** Index of the parent in the list given to {@link QuotaTree}, which must come earlier; undefined = the pool. */
  readonly parent: number | undefined;
  /** Guarantee of any class, entitlements included. */
  readonly flexibleGuarantee: MilliGpus;
  /** Guaranteed devices of each class, in the order of the tree's weights. */
  readonly classGuarantees: readonly number[];
  readonly borrowingLimit: MilliGpus | undefined;
  readonly lendingLimit: MilliGpus | undefined;
}

const nothing: readonly ClassRequest[] = [];

/**
 * The quota tree of one pool and what is held in it (DESIGN.md section 4.2).
 *
 * Use bubbles up: a quota first fills its `local` part, the part of its subtree's capacity that it does not lend, and
 * charges only the excess to its parent. The root stands for the pool: its own quota is the ready capacity that no one
 * is guaranteed. Indices are those of the list given to the constructor; all amounts are milli-GPUs.
 *
 * | operation | cost |
 * |---|---|
 * | charge, setApart, available, ceiling, guarantorOf | O(depth) |
 * | guarantees, borrowed | O(classes) |
 */
export class QuotaTree {
  readonly size: number;
  readonly #quotas: readonly QuotaNode[];
  readonly #readyCapacity: MilliGpus;
  readonly #classes: number;
  readonly #weights: readonly MilliGpus[];
  readonly #parent: Int32Array;
  readonly #subtree: Float64Array;
  readonly #lendable: Float64Array;
  readonly #local: Float64Array;
  readonly #borrowingLimit: Float64Array;
  /** What each node holds itself plus what its children charged it. The root is the last element. */
  readonly #usage: Float64Array;
  /** Sums over the subtree of each quota. */
  readonly #flexible: Float64Array;
  readonly #classGuarantee: Float64Array;
  readonly #devices: Float64Array;
  /** Of those devices, what counts against guarantees: all but what is set apart. */
  readonly #counted: Float64Array;
  /** What is set apart in the subtree of each quota, milli-GPUs. */
  readonly #apart: Float64Array;

  constructor(quotas: readonly QuotaNode[], weights: readonly MilliGpus[], readyCapacity: MilliGpus) {
    const n = quotas.length;
    const classes = weights.length;
    this.size = n;
    this.#quotas = quotas;
    this.#readyCapacity = readyCapacity;
    this.#classes = classes;
    this.#weights = weights;
    this.#parent = Int32Array.from([...quotas.map((q) => q.parent ?? n), -1]);
    this.#subtree = new Float64Array(n + 1);
    this.#lendable = new Float64Array(n + 1);
    this.#local = new Float64Array(n + 1);
    this.#borrowingLimit = Float64Array.from(quotas.map((q) => q.borrowingLimit ?? Infinity));
    this.#usage = new Float64Array(n + 1);
    this.#flexible = new Float64Array(n + 1);
    this.#classGuarantee = new Float64Array((n + 1) * classes);
    this.#devices = new Float64Array((n + 1) * classes);
    this.#counted = new Float64Array((n + 1) * classes);
    this.#apart = new Float64Array(n + 1);

    let guaranteed = 0;
    // Children come after their parents, so that one pass from the end sums every subtree.
    for (let i = n - 1; i >= 0; i--) {
      const quota = at(quotas, i);
      const parent = at(this.#parent, i);
      let own: number = quota.flexibleGuarantee;
      for (let c = 0; c < classes; c++) {
        const devices = at(quota.classGuarantees, c);
        own += devices * at(weights, c);
        this.#classGuarantee[i * classes + c] = at(this.#classGuarantee, i * classes + c) + devices;
      }
      guaranteed += own;
      this.#flexible[i] = at(this.#flexible, i) + quota.flexibleGuarantee;
      this.#subtree[i] = at(this.#subtree, i) + own;
      this.#lendable[i] = Math.min(quota.lendingLimit ?? Infinity, at(this.#subtree, i));
      this.#local[i] = at(this.#subtree, i) - at(this.#lendable, i);
      this.#subtree[parent] = at(this.#subtree, parent) + at(this.#lendable, i);
      this.#flexible[parent] = at(this.#flexible, parent) + at(this.#flexible, i);
      for (let c = 0; c < classes; c++) {
        const sum = parent * classes + c;
        this.#classGuarantee[sum] = at(this.#classGuarantee, sum) + at(this.#classGuarantee, i * classes + c);
      }
    }
    this.#subtree[n] = at(this.#subtree, n) + Math.max(0, readyCapacity - guaranteed);
    this.#local[n] = at(this.#subtree, n);
  }

  /** A tree of the same quotas that begins with what is held now and then goes its own way. O(quotas x classes). */
  fork(): QuotaTree {
    const fork = new QuotaTree(this.#quotas, this.#weights, this.#readyCapacity);
    fork.#usage.set(this.#usage);
    fork.#devices.set(this.#devices);
    fork.#counted.set(this.#counted);
    fork.#apart.set(this.#apart);
    return fork;
  }

  /** Adds (or, negative, gives back) devices of a class held by quota `q`. Giving back is the exact undo. */
  charge(q: number, classIndex: number, devices: number): void {
    let amount: number = chargeFor(devices, at(this.#weights, classIndex));
    for (let i = q; i >= 0; i = this.#parent[i] as number) {
      const slot = i * this.#classes + classIndex;
      this.#devices[slot] = thousandths((this.#devices[slot] as number) + devices) / 1000;
      this.#counted[slot] = thousandths((this.#counted[slot] as number) + devices) / 1000;
      if (amount === 0) continue;
      const local = this.#local[i] as number;
      const before = this.#usage[i] as number;
      this.#usage[i] = before + amount;
      amount = Math.max(0, before + amount - local) - Math.max(0, before - local);
    }
  }

  /**
   * Sets devices that quota `q` is charged with apart (negative: takes that back): they use no guarantee and count as
   * borrowed, as what a budget admits as a borrower does (DESIGN.md section 4.2). What is available stays as it is.
   */
  setApart(q: number, classIndex: number, devices: number): void {
    const amount = chargeFor(devices, at(this.#weights, classIndex));
    for (let i = q; i >= 0; i = this.#parent[i] as number) {
      const slot = i * this.#classes + classIndex;
      this.#counted[slot] = thousandths((this.#counted[slot] as number) - devices) / 1000;
      this.#apart[i] = (this.#apart[i] as number) + amount;
    }
  }

  /**
   * What quota `q` may take beyond what it holds now. Negative after over-admission (a node died, a limit was lowered);
   * then nothing fits until enough has ended.
   */
  available(q: number): MilliGpus {
    const root = this.size;
    if (q === root) return milli((this.#subtree[root] as number) - (this.#usage[root] as number));
    const above = this.available(this.#parent[q] as number);
    const local = this.#local[q] as number;
    const usage = this.#usage[q] as number;
    const room = (this.#lendable[q] as number) + (this.#borrowingLimit[q] as number) - Math.max(0, usage - local);
    return milli(Math.max(0, local - usage) + Math.min(above, room));
  }

  /** What {@link available} would be had the pool no end: what the limits of `q` and of those above it leave. */
  roomWithinLimits(q: number): number {
    const root = this.size;
    if (q === root) return Infinity;
    const above = this.roomWithinLimits(at(this.#parent, q));
    const local = at(this.#local, q);
    const usage = at(this.#usage, q);
    const room = at(this.#lendable, q) + at(this.#borrowingLimit, q) - Math.max(0, usage - local);
    return Math.max(0, local - usage) + Math.min(above, room);
  }

  /**
   * What quota `q` could hold were nothing else running and had the pool `unready` more: the most that
   * {@link available} can be once nodes that are down have returned.
   */
  ceiling(q: number, unready: MilliGpus): MilliGpus {
    const root = this.size;
    if (q === root) return milli((this.#subtree[root] as number) + unready);
    const above = this.ceiling(this.#parent[q] as number, unready);
    return milli(
      (this.#local[q] as number) + Math.min(above, (this.#lendable[q] as number) + (this.#borrowingLimit[q] as number)),
    );
  }

  /**
   * Whether the request stays within guarantee: the lowest quota from `q` upwards whose own unused guarantee (its
   * subtree's, for a parent) holds it all, or undefined when the request would be borrowed (DESIGN.md section 7).
   */
  guarantorOf(q: number, request: readonly ClassRequest[]): number | undefined {
    for (let i = q; i !== this.size; i = this.#parent[i] as number) {
      if (this.guarantees(i, request)) return i;
    }
    return undefined;
  }

  /** Whether the unused guarantee of quota `q` itself (its subtree's, for a parent) holds the request. */
  guarantees(q: number, request: readonly ClassRequest[]): boolean {
    const use = this.#flexibleUse(q, request);
    return use <= (this.#flexible[q] as number) || use === this.#flexibleUse(q, nothing);
  }

  /** Held beyond guarantee by the subtree of `q`, or set apart: a class guarantee covers use of that class only. */
  borrowed(q: number): MilliGpus {
    const beyond = Math.max(0, this.#flexibleUse(q, nothing) - (this.#flexible[q] as number));
    return milli(beyond + (this.#apart[q] as number));
  }

  /** Guarantee of the subtree of `q` that nothing of the subtree uses. */
  unusedGuarantee(q: number): MilliGpus {
    let unused = Math.max(0, (this.#flexible[q] as number) - this.#flexibleUse(q, nothing));
    for (let c = 0; c < this.#classes; c++) {
      const free =
        (this.#classGuarantee[q * this.#classes + c] as number) - (this.#counted[q * this.#classes + c] as number);
      unused += chargeFor(Math.max(0, free), at(this.#weights, c));
    }
    return milli(unused);
  }

  /** Normalized GPUs held by the subtree of `q`. */
  used(q: number): MilliGpus {
    let sum = 0;
    for (let c = 0; c < this.#classes; c++) sum += chargeFor(this.devices(q, c), at(this.#weights, c));
    return milli(sum);
  }

  /** Devices of a class held by the subtree of `q`. */
  devices(q: number, classIndex: number): number {
    return this.#devices[q * this.#classes + classIndex] as number;
  }

  /** Of {@link devices}, those that count against guarantees. */
  countedDevices(q: number, classIndex: number): number {
    return this.#counted[q * this.#classes + classIndex] as number;
  }

  /** Milli-GPUs that the subtree of `q` holds and that are set apart. */
  apart(q: number): MilliGpus {
    return milli(this.#apart[q] as number);
  }

  /** Index of the parent; `size` for a quota directly under the pool. */
  parentOf(q: number): number {
    return this.#parent[q] as number;
  }

  /** Use that no class guarantee covers, with the request added. */
  #flexibleUse(i: number, request: readonly ClassRequest[]): number {
    let use = 0;
    for (let c = 0; c < this.#classes; c++) {
      let devices =
        (this.#counted[i * this.#classes + c] as number) - (this.#classGuarantee[i * this.#classes + c] as number);
      for (const asked of request) if (asked.classIndex === c) devices += asked.devices;
      if (devices > 0) use += chargeFor(devices, at(this.#weights, c));
    }
    return use;
  }
}

/** Devices of one class that a workload asks for. */
export interface ClassRequest {
  readonly classIndex: number;
  readonly devices: number;
}

/**
 * What devices of a class count: weight x devices, a part of a device (thousandths, in simulation) rounded up to whole
 * milli-GPUs. Negative devices give back exactly what the same devices took.
 */
export function chargeFor(devices: number, weight: MilliGpus): MilliGpus {
  return milli(Math.sign(devices) * Math.ceil((thousandths(Math.abs(devices)) * weight) / 1000));
}

/** Exact for sums of thousandths, which binary fractions are not. Never -0. */
function thousandths(devices: number): number {
  return Math.round(devices * 1000) + 0;
}
