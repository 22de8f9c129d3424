import { BorrowHistory, type Borrowing } from '../quota/index.ts';
import { zeroGpus } from '../units/index.ts';
import { nothingUsed, type BudgetUse } from './budgets.ts';
import type { GangSizes, Labels, NodeFacts, PodFacts, PodShape } from './facts.ts';
import { namesKept } from './namesKept.ts';
import { NodeTable } from './nodeTable.ts';
import { Nominations } from './nominations.ts';
import { derivePolicy, type Policy, type PolicyInput } from './policy.ts';
import type { Reservation } from './reservation.ts';
import { ResourceSlots } from './resourceSlots.ts';
import { labelsOf } from './selectedLabels.ts';
import { SelectedNodeLabels } from './selectedNodeLabels.ts';
import { SelectedPodLabels } from './selectedPodLabels.ts';
import { ShapeMix } from './shapeMix.ts';
import { Snapshot, type WorkloadCounts } from './snapshot.ts';
import { Storage } from './storage.ts';
import { UnderWay, type Assumption } from './underWay.ts';
import { countWorkloads } from './workloadCounts.ts';
import { WorkloadQueue } from './workloadQueue.ts';

interface NodeState {
  /** Undefined while only pods on the node are known. */
  facts: NodeFacts | undefined;
  /** What pods hold, by resource slot. */
  readonly used: number[];
}

/** Of a quota whose pool is not known: the default of the schema. Milliseconds. */
const defaultHalfLife = 168 * 3_600_000;

const nothing: PolicyInput = { pools: [], quotas: [], investments: [], unreadablePools: [], namespaces: [] };

/**
 * The fleet as the watches tell it: nodes, pods, manifests. It applies each event to the current {@link Snapshot} as
 * it comes, and builds a new one only when nodes or manifests changed or time moved a term.
 *
 * | event | cost |
 * |---|---|
 * | pod bound, ended, assumed, forgotten | O(resources of the pod + depth of the quota tree) |
 * | pod pending | O(1), O(gang) for a gang |
 * | node or manifest changed | one rebuild before the next plan: O(nodes log nodes + pods) |
 */
export class Fleet {
  /** What the quotas have borrowed, faded; to be seeded with what an earlier process knew. */
  readonly history = new BorrowHistory();
  /** Volumes and claims, to be kept up to date by whoever watches them. */
  readonly storage = new Storage();
  /** Hears of each pod that begins or ceases to hold its resources, or holds them on other terms. Must not throw. */
  onHolding: ((uid: string) => void) | undefined;
  /** How the budgets stand; until someone says so, nothing is used. */
  budgetUse: BudgetUse = nothingUsed;
  #slots = new ResourceSlots();
  /** Resource names that may have a slot before those that nobody uses any more lose theirs. */
  #mostSlots = namesKept(0);
  readonly #mix = new ShapeMix();
  /** By pod uid, the device that a pod which holds a part of one sits on. */
  readonly #seats = new Map<string, number>();
  readonly #nodes = new Map<string, NodeState>();
  readonly #pods = new Map<string, PodFacts>();
  readonly #underWay = new UnderWay();
  readonly #queue = new WorkloadQueue({
    waits: (pod) => this.#waits(pod),
    isBound: (pod) => pod.deletionAt === undefined && this.#underWay.nodeOf(pod) !== undefined,
  });
  readonly #pending = this.#queue.pending;
  readonly #nominations = new Nominations(this.#pending);
  readonly #nodeLabels = new SelectedNodeLabels();
  readonly #podLabels = new SelectedPodLabels(this.#pending);
  #policyInput = nothing;
  #namespaceLabels: ReadonlyMap<string, Labels> = new Map();
  #policyLabels: ReadonlySet<string> = new Set();
  #snapshot: Snapshot | undefined;
  #counts: ReadonlyMap<string, WorkloadCounts> | undefined;

  /** Replaces the manifests. */
  setPolicy(input: PolicyInput): void {
    this.#policyInput = input;
    this.#namespaceLabels = new Map(Array.from(input.namespaces, ({ name, labels }) => [name, labels]));
    this.#policyLabels = new Set(labelsOf(input));
    this.#invalidate();
  }

  /** Says how large the gangs of Jobs and PodGroups are. Call {@link gangSizeChanged} when an answer changes. */
  setGangSizes(sizes: GangSizes): void {
    this.#queue.setGangSizes(sizes);
  }

  gangSizeChanged(kind: 'job' | 'podGroup', namespace: string, name: string): void {
    this.#queue.gangSizeChanged(kind, namespace, name);
  }

  upsertNode(facts: NodeFacts): void {
    const state = this.#nodes.get(facts.name);
    this.#nodeLabels.count(facts, 1);
    if (state?.facts !== undefined) this.#nodeLabels.count(state.facts, -1);
    if (state === undefined) this.#nodes.set(facts.name, { facts, used: [] });
    else state.facts = facts;
    this.#invalidate();
  }

  removeNode(name: string): void {
    const state = this.#nodes.get(name);
    if (state === undefined) return;
    if (state.facts !== undefined) this.#nodeLabels.count(state.facts, -1);
    if (state.used.some((amount) => amount !== 0)) state.facts = undefined;
    else this.#nodes.delete(name);
    this.#invalidate();
  }

  /** Takes a pod as the API server shows it. An assumed binding stays assumed until the pod shows a node. */
  upsertPod(pod: PodFacts): void {
    const previous = this.#pods.get(pod.uid);
    const unchanged = previous !== undefined && sameHold(previous, pod);
    if (previous !== undefined && !unchanged) this.#release(previous);
    if (!unchanged) this.#underWay.shown(pod);
    if (previous === undefined && pod.ours) this.#mix.note(pod.shape);
    this.#pods.set(pod.uid, pod);
    if (this.#podLabels.learn(pod.shape)) this.#invalidate();
    if (unchanged) this.#refreshRunning(pod);
    else this.#occupy(pod);
    this.#enqueue(pod, previous);
    if (!unchanged) this.onHolding?.(pod.uid);
  }

  removePod(uid: string): void {
    const pod = this.#pods.get(uid);
    if (pod === undefined) return;
    this.#release(pod);
    this.#underWay.gone(uid);
    this.#pods.delete(uid);
    this.#dequeue(pod);
    this.onHolding?.(uid);
  }

  /** Counts a pod as bound while its binding is under way. */
  assume(uid: string, assumption: Assumption): void {
    const pod = this.#pods.get(uid);
    if (pod === undefined || pod.nodeName !== undefined) return;
    this.#underWay.bind(uid, assumption);
    this.#occupy(pod);
    this.#enqueue(pod, pod);
  }

  /** Whether the pod has no node, and no binding to one is under way. */
  waits(uid: string): boolean {
    const pod = this.#pods.get(uid);
    return pod !== undefined && pod.nodeName === undefined && !this.#underWay.isBinding(uid);
  }

  /** Takes an assumption back: the binding failed and the pod waits again. */
  forget(uid: string): void {
    const pod = this.#pods.get(uid);
    if (pod === undefined || !this.#underWay.isBinding(uid)) return;
    this.#release(pod);
    this.#underWay.unbind(pod);
    this.#enqueue(pod, pod);
  }

  /** Counts a pod as being deleted, to be killed at `at` (epoch milliseconds), while its eviction is under way. */
  assumeEnding(uid: string, at: number): void {
    const pod = this.#pods.get(uid);
    if (pod === undefined || pod.deletionAt !== undefined) return;
    this.#underWay.end(uid, at);
    this.#refreshRunning(pod);
  }

  /** Holds the places that a plan reserved in what is being freed: see {@link Nominations.add}. */
  nominate(reservations: readonly Reservation[]): void {
    this.#nominations.add(reservations);
  }

  /** The eviction failed: the pod goes on. */
  forgetEnding(uid: string): void {
    const pod = this.#pods.get(uid);
    if (!this.#underWay.goOn(uid) || pod === undefined) return;
    this.#refreshRunning(pod);
  }

  /** Takes all assumptions back: for a process that leads again and knows nothing of what it had sent before. */
  forgetAll(): void {
    for (const uid of [...this.#underWay.bindings]) this.forget(uid);
    for (const uid of [...this.#underWay.endings]) this.forgetEnding(uid);
    this.#nominations.clear();
  }

  /**
   * Says since when the pods of an owner have been wanted: its creation, or that of a pod which it replaces after an
   * eviction. They are as old as that in the queue.
   */
  ownerSince(owner: string, since: number): void {
    this.#queue.ownerSince(owner, since);
  }

  ownerGone(owner: string): void {
    this.#queue.ownerGone(owner);
  }

  node(name: string): NodeFacts | undefined {
    return this.#nodes.get(name)?.facts;
  }

  pod(uid: string): PodFacts | undefined {
    return this.#pods.get(uid);
  }

  /** Throws the current snapshot away: the next is built from the events alone. For after a plan that failed half-way. */
  rebuild(): void {
    this.#invalidate();
  }

  /** The state to plan from. `now`, epoch milliseconds, decides which terms run. */
  snapshot(now: number): Snapshot {
    if (this.#queue.refresh()) this.#counts = undefined;
    if (this.#slots.count > this.#mostSlots) this.#forgetSlots();
    this.#podLabels.forgetUnused(this.#pods.values());
    let current = this.#snapshot;
    if (current === undefined || now >= (current.policy.nextChangeAt ?? Infinity)) {
      current = this.#snapshot = this.#build(now);
    }
    this.history.advance(now, borrowings(current.policy));
    this.#nominations.expire(now);
    return current;
  }

  #build(now: number): Snapshot {
    this.#pending.wakeAll();
    for (const pod of this.#pods.values()) if (pod.ours) this.#nodeLabels.learn(pod.shape);
    const relevant = new Set([...this.#nodeLabels.keys, ...this.#policyLabels]);
    const inputs = [...this.#nodes.values()].flatMap(({ facts, used }) =>
      facts === undefined ? [] : [{ facts, used }],
    );
    const nodes = new NodeTable(inputs, this.#slots, {
      relevantLabels: relevant,
      pools: this.#policyInput.pools,
      seats: this.#seats,
    });
    const policy = derivePolicy(this.#policyInput, nodes.profiles, now);
    const snapshot = new Snapshot({
      policy,
      nodes,
      slots: this.#slots,
      mix: this.#mix,
      history: this.history,
      nominations: this.#nominations.byWorkload,
      storage: this.storage,
      borrowers: this.#underWay.borrowers,
      budgetUse: (quota, at) => this.budgetUse(quota, at),
      namespaceLabels: (name) => this.#namespaceLabels.get(name),
      podsSelectPods: this.#podLabels.areAsked,
      pending: this.#pending,
      counts: () =>
        (this.#counts ??= countWorkloads(this.#pods.values(), this.#underWay, this.#pending.classes(), policy)),
    });
    // The table starts with what the pods hold; only the accounts of quotas and classes are still to be filled.
    for (const pod of this.#pods.values()) {
      const node = this.#underWay.nodeOf(pod);
      const id = node === undefined ? undefined : nodes.idOf(node);
      if (id === undefined) continue;
      snapshot.start(this.#underWay.held(pod, id));
      if (snapshot.acceleratorsOf(pod.shape).length === 0) continue;
      nodes.take(id, this.#slots.requestOf(pod.shape), -1);
      snapshot.hold(pod, id, 1);
    }
    this.#counts = undefined;
    return snapshot;
  }

  #occupy(pod: PodFacts): void {
    this.#change(pod, 1);
  }

  #release(pod: PodFacts): void {
    this.#change(pod, -1);
  }

  #change(pod: PodFacts, count: 1 | -1): void {
    const name = this.#underWay.nodeOf(pod);
    if (name === undefined) return;
    let node = this.#nodes.get(name);
    if (node === undefined) this.#nodes.set(name, (node = { facts: undefined, used: [] }));
    this.#use(node, pod.shape, count);
    const id = this.#snapshot?.nodes.idOf(name);
    if (id !== undefined && this.#snapshot !== undefined) {
      this.#snapshot.hold(pod, id, count);
      if (count > 0) this.#snapshot.start(this.#underWay.held(pod, id));
      else this.#snapshot.stop(pod);
    } else if (count < 0) this.#seats.delete(pod.uid);
    this.#counts = undefined;
  }

  /** A pod that holds what it held before may have other facts: it may be on its way out now. */
  #refreshRunning(pod: PodFacts): void {
    const name = this.#underWay.nodeOf(pod);
    const id = name === undefined ? undefined : this.#snapshot?.nodes.idOf(name);
    if (id !== undefined) this.#snapshot?.start(this.#underWay.held(pod, id));
  }

  #enqueue(pod: PodFacts, previous: PodFacts | undefined): void {
    this.#counts = undefined;
    if (pod.ours) this.#learnLabels(pod.shape);
    this.#queue.put(pod, previous);
  }

  #dequeue(pod: PodFacts): void {
    this.#counts = undefined;
    this.#queue.remove(pod);
  }

  #waits(pod: PodFacts): boolean {
    if (!pod.ours || pod.deletionAt !== undefined || pod.gated || pod.phase !== 'Pending') return false;
    return this.#underWay.nodeOf(pod) === undefined;
  }

  /** A label of nodes that a pod selects by, and no one did before, splits the profiles. */
  #learnLabels(shape: PodShape): void {
    for (const key of this.#nodeLabels.learn(shape)) if (!this.#policyLabels.has(key)) this.#invalidate();
  }

  /** Counts a pod of this shape among those that hold a node's resources, or (-1) no longer. */
  #use({ used }: NodeState, shape: PodShape, count: 1 | -1): void {
    const { slots, amounts } = this.#slots.requestOf(shape);
    slots.forEach((slot, i) => {
      for (let s = used.length; s <= slot; s++) used.push(0);
      used[slot] = (used[slot] ?? 0) + (amounts[i] ?? 0) * count;
    });
  }

  /** Slots are numbered anew, by what is asked for now. */
  #forgetSlots(): void {
    this.#slots = new ResourceSlots();
    for (const { used } of this.#nodes.values()) used.length = 0;
    const names = new Set<string>();
    for (const pod of this.#pods.values()) {
      for (const name in pod.shape.requests) names.add(name);
      const node = this.#nodes.get(this.#underWay.nodeOf(pod) ?? '');
      if (node !== undefined) this.#use(node, pod.shape, 1);
    }
    this.#mostSlots = namesKept(names.size);
    this.#invalidate();
  }

  #invalidate(): void {
    this.#snapshot = undefined;
  }
}

/** What each quota borrows. One that is not in force borrows nothing, and keeps its past. */
function* borrowings({ quotas }: Policy): Iterable<Borrowing> {
  for (const { spec, pool, index } of quotas.values()) {
    const borrowed = pool === undefined ? zeroGpus : pool.tree.borrowed(index);
    yield { name: spec.name, borrowed, halfLife: pool?.spec.fairShare.halfLife ?? defaultHalfLife };
  }
}

function sameHold(a: PodFacts, b: PodFacts): boolean {
  if (a.nodeName !== b.nodeName || a.phase !== b.phase || a.shape !== b.shape || a.user !== b.user) return false;
  if (a.borrower !== b.borrower) return false;
  // Other pods' constraints look at labels, and not at pods that are on their way out.
  return a.labels === b.labels && (a.deletionAt === undefined) === (b.deletionAt === undefined);
}
