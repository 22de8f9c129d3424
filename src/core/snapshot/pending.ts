import type { PodFacts, PodShape } from './facts.ts';
import type { Workload } from './workloads.ts';

/** Where a class is kept that need not be looked at until it changes. */
export interface RestingPlace {
  /** The class is about to change, or to go: it is no longer kept here. Must not throw. */
  leave(kin: PendingClass): void;
}

/**
 * Workloads of one namespace that no check and no node tells apart: same shapes, user, walltime, priority, gang size,
 * topology and classes. When one of them cannot start none of the others can, and all get the same explanation
 * (DESIGN.md section 4.1). They stand by age: the oldest goes first.
 */
export class PendingClass {
  readonly namespace: string;
  /** What a reader has worked out about the class; only the reader knows for how long that holds. */
  note: object | undefined;
  /** What a reader remembers of the class as long as it exists, whatever becomes of snapshots. */
  turn: object | undefined;
  /** Undefined for a class that is awake: see {@link PendingSet.rest}. */
  restsAt: RestingPlace | undefined;
  readonly #key: string;
  readonly #workloads: Workload[] = [];
  /** What started stays in front until there is enough of it to be cut off at once. */
  #head = 0;

  constructor(key: string, namespace: string) {
    this.#key = key;
    this.namespace = namespace;
  }

  get key(): string {
    return this.#key;
  }

  get size(): number {
    return this.#workloads.length - this.#head;
  }

  /** The workload at a position by age; undefined past the last. */
  at(position: number): Workload | undefined {
    return this.#workloads[this.#head + position];
  }

  /** The workloads from a position on, oldest first; at most `count`. O(count). */
  from(position: number, count = Infinity): readonly Workload[] {
    const start = this.#head + position;
    return this.#workloads.slice(start, start + count);
  }

  add(workload: Workload): void {
    const index = this.#indexOf(workload);
    if (index === this.#workloads.length) this.#workloads.push(workload);
    else this.#workloads.splice(index, 0, workload);
  }

  /** Puts a workload in the place of the one that had its key. */
  replace(before: Workload, after: Workload): void {
    const index = this.#indexOf(before);
    if (this.#workloads[index]?.key === after.key && compareAge(before, after) === 0) {
      this.#workloads[index] = after;
      return;
    }
    this.delete(before);
    this.add(after);
  }

  /** Takes out the workload of this age and key. */
  delete(workload: Workload): void {
    const index = this.#indexOf(workload);
    if (this.#workloads[index]?.key !== workload.key) return;
    if (index !== this.#head) {
      this.#workloads.splice(index, 1);
      return;
    }
    this.#head++;
    if (this.#head < 64 || this.#head * 2 < this.#workloads.length) return;
    this.#workloads.splice(0, this.#head);
    this.#head = 0;
  }

  /** Where the workload stands or would stand. Most are the youngest when they come and the oldest when they go. */
  #indexOf(workload: Workload): number {
    const last = this.#workloads.at(-1);
    if (last === undefined || compareAge(last, workload) < 0) return this.#workloads.length;
    let low = this.#head;
    let high = this.#workloads.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#workloads[middle];
      if (other !== undefined && compareAge(other, workload) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * The workloads that wait, sorted into equivalence classes as they come and go, so that a plan looks at classes and not
 * at pods.
 *
 * | operation | cost |
 * |---|---|
 * | add, delete | O(pods of the workload + log class); a workload from the middle of its class O(class) moves |
 * | classes, awake | O(classes of them); O(workloads) the first time after {@link distinguish} |
 * | rest, wake | O(1) |
 */
export class PendingSet {
  readonly #classes = new Map<string, PendingClass>();
  readonly #awake = new Set<PendingClass>();
  readonly #entries = new Map<string, { readonly workload: Workload; readonly kin: PendingClass }>();
  readonly #shapeIds = new WeakMap<PodShape, number>();
  /** Keys of workloads that stand for themselves. */
  readonly #apart = new Set<string>();
  /** Labels by which some pod selects others. */
  #labels = new Set<string>();
  /** Those of them by which the classes do not differ yet. */
  readonly #undistinguished = new Set<string>();
  #shapes = 0;

  get size(): number {
    return this.#entries.size;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** Adds a workload, or puts it in the place of the one with its key. */
  add(workload: Workload): void {
    const known = this.#entries.get(workload.key);
    if (known?.workload === workload) return;
    const key = this.#classKeyOf(workload);
    if (known?.kin.key === key && !standsForItself(key)) {
      // What is remembered of the class outlives a change of its only workload that changes nothing for a plan.
      this.wake(known.kin);
      known.kin.replace(known.workload, workload);
      this.#entries.set(workload.key, { workload, kin: known.kin });
      return;
    }
    if (known !== undefined) this.delete(workload.key);
    let kin = this.#classes.get(key);
    if (kin === undefined) {
      kin = new PendingClass(key, workload.namespace);
      this.#classes.set(key, kin);
    }
    this.wake(kin);
    kin.add(workload);
    this.#entries.set(workload.key, { workload, kin });
  }

  /** @param key of the workload */
  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    const { kin } = entry;
    this.wake(kin);
    kin.delete(entry.workload);
    if (kin.size > 0) return;
    this.#classes.delete(kin.key);
    this.#awake.delete(kin);
  }

  /** How many labels make workloads differ. */
  get distinguishedLabels(): number {
    return this.#labels.size;
  }

  /** From now on workloads whose pods differ in one of these labels are not alike. */
  distinguish(labels: readonly string[]): void {
    for (const label of labels) {
      if (this.#labels.has(label)) continue;
      this.#labels.add(label);
      this.#undistinguished.add(label);
    }
  }

  /** From now on workloads differ by these labels only. Those that are classes of their own for another remain so. */
  distinguishOnly(labels: Iterable<string>): void {
    const known = this.#labels;
    this.#labels = new Set();
    for (const label of labels) {
      this.#labels.add(label);
      if (!known.has(label)) this.#undistinguished.add(label);
    }
  }

  /** Gives a workload a class of its own, or takes it back among its like. */
  setApart(key: string, apart: boolean): void {
    if (this.#apart.has(key) === apart) return;
    if (apart) this.#apart.add(key);
    else this.#apart.delete(key);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.delete(key);
    this.add(entry.workload);
  }

  classes(): Iterable<PendingClass> {
    if (this.#undistinguished.size > 0) this.#sortAnew();
    return this.#classes.values();
  }

  /** The classes that do not rest. They may be sent to rest while they are gone through. */
  awake(): Iterable<PendingClass> {
    if (this.#undistinguished.size > 0) this.#sortAnew();
    return this.#awake;
  }

  /** Leaves a class out of {@link awake} until a workload of it comes, goes or changes, or somebody wakes it. */
  rest(kin: PendingClass, place: RestingPlace): void {
    kin.restsAt = place;
    this.#awake.delete(kin);
  }

  wake(kin: PendingClass): void {
    this.#awake.add(kin);
    const place = kin.restsAt;
    if (place === undefined) return;
    kin.restsAt = undefined;
    place.leave(kin);
  }

  wakeAll(): void {
    for (const kin of this.#classes.values()) this.wake(kin);
  }

  *workloads(): Iterable<Workload> {
    for (const { workload } of this.#entries.values()) yield workload;
  }

  /** Takes the labels into account that have become known: many at a time, for each goes through all workloads. */
  #sortAnew(): void {
    const differs = ({ labels }: PodFacts) => Object.keys(labels).some((key) => this.#undistinguished.has(key));
    const affected = [...this.workloads()].filter(({ pods }) => pods.some(differs));
    this.#undistinguished.clear();
    for (const { key } of affected) this.delete(key);
    for (const workload of affected) this.add(workload);
  }

  #classKeyOf(workload: Workload): string {
    const [first] = workload.pods;
    if (first === undefined) return workload.key;
    // What is not whole, at odds with itself or bound to volumes of its own is told so by name: it stands for itself.
    const apart = this.#apart.has(workload.key) || workload.pods.some(({ claims }) => claims.length > 0);
    if (apart || !isWhole(workload)) return ownKey + workload.key;
    const { user = '', walltime = '', topology, classes } = first;
    const problem = workload.pods.find((pod) => pod.problem !== undefined)?.problem;
    const parts = [workload.namespace, this.#shapesOf(workload), user, walltime, workload.priority];
    if (workload.gang !== undefined) parts.push(`gang ${workload.gang.size ?? ''}`);
    if (topology !== undefined) parts.push(`${topology.required ? 'within' : 'near'} ${topology.level}`);
    if (classes !== undefined) parts.push(`on ${classes.join(',')}`);
    if (problem !== undefined) parts.push(problem);
    if (this.#labels.size > 0) parts.push(this.#labelsOf(workload));
    return parts.join('|');
  }

  /** The selected labels of the pods, in the order of the pods; for pods that agree only once. */
  #labelsOf({ pods }: Workload): string {
    const valuesOf = ({ labels }: PodFacts) => {
      const selected = Object.entries(labels).filter(([key]) => this.#labels.has(key));
      return JSON.stringify(selected.sort(([a], [b]) => (a < b ? -1 : 1)));
    };
    return [...new Set(pods.map(valuesOf))].join();
  }

  #shapesOf({ pods }: Workload): string {
    const [first] = pods;
    if (first === undefined) return '';
    if (pods.every((pod) => pod.shape === first.shape)) return `${this.#idOf(first.shape)}x${pods.length}`;
    const counts = new Map<number, number>();
    for (const pod of pods) {
      const id = this.#idOf(pod.shape);
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    return [...counts].map(([id, count]) => `${id}x${count}`).join(',');
  }

  #idOf(shape: PodShape): number {
    let id = this.#shapeIds.get(shape);
    if (id === undefined) this.#shapeIds.set(shape, (id = this.#shapes++));
    return id;
  }
}

/** Begins the key of a class that says nothing of what its only workload asks for. */
const ownKey = 'own ';

function standsForItself(classKey: string): boolean {
  return classKey.startsWith(ownKey);
}

function isWhole({ gang }: Workload): boolean {
  return gang === undefined || (gang.size !== undefined && gang.missing === 0 && gang.bound === 0 && gang.agreed);
}

/** Older first. Creation times are whole seconds: the pods of one script are then taken by name, as their author would. */
export function compareAge(a: Workload, b: Workload): number {
  return (
    a.createdAt - b.createdAt || compareText(a.pods[0]?.name ?? '', b.pods[0]?.name ?? '') || compareText(a.key, b.key)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
