import { chargeFor, type BorrowHistory } from '../quota/index.ts';
import { oneMicro } from '../units/index.ts';
import { Budgets, type BudgetUse, type HeldDevices } from './budgets.ts';
import { wholeDevice } from './deviceShares.ts';
import { mostDevices } from './nodeProfile.ts';
import type { Labels, PodFacts, PodShape } from './facts.ts';
import type { HeldPod } from './heldPod.ts';
import type { PendingSet } from './pending.ts';
import type { NodeTable } from './nodeTable.ts';
import type { Policy, PoolState, QuotaState } from './policy.ts';
import type { Nomination } from './reservation.ts';
import { RunningSet } from './running.ts';
import type { ResourceSlots, SlottedRequest } from './resourceSlots.ts';
import { walltimeOf } from './walltime.ts';
import type { ShapeMix } from './shapeMix.ts';
import { SitePower } from './sitePower.ts';
import type { Storage } from './storage.ts';

/** Devices of one accelerator resource that each pod of a shape asks for; thousandths where it asks for a part of one. */
export interface AcceleratorRequest {
  readonly resourceName: string;
  readonly slot: number;
  readonly devices: number;
}

/** Who holds something: the part of a pod that accounting and other pods' constraints need. */
export type Holder = Pick<
  PodFacts,
  'uid' | 'namespace' | 'name' | 'labels' | 'user' | 'shape' | 'claims' | 'deletionAt'
>;

const none: readonly HeldDevices[] = [];

/** Workloads of a quota's own namespaces. */
export interface WorkloadCounts {
  readonly pending: number;
  /** Workloads that hold devices, whoever placed them. */
  readonly running: number;
}

/**
 * The state that a plan is made from: the policy, the nodes, and who holds what. It is kept up to date by the Fleet as
 * events come in, never copied: {@link hold} is its only change and `hold` with a negative count the exact undo, so
 * that a plan or a what-if tries things out in place and takes them back.
 */
export class Snapshot {
  readonly policy: Policy;
  readonly nodes: NodeTable;
  readonly power: SitePower;
  /** Workloads that wait. */
  readonly pending: PendingSet;
  /** What runs, as the Fleet last saw it; trying things out with {@link hold} does not change it. */
  readonly running: RunningSet;
  /** How the budgets stand. */
  readonly budgets: Budgets;
  /** Volumes and claims; it changes in place. */
  readonly storage: Storage;
  /** Labels of a namespace; undefined for one that is not known. */
  readonly namespaceLabels: (namespace: string) => Labels | undefined;
  /** Whether some pod has affinity to others or is spread among them, so that labels of pods count. */
  readonly podsSelectPods: boolean;
  /** Hears of everything that {@link hold} changes. */
  onHold: ((holder: Holder, node: number, count: number) => void) | undefined;
  /** What pods have asked for so far. */
  readonly mix: ShapeMix;
  readonly #slots: ResourceSlots;
  readonly #history: BorrowHistory;
  readonly #nominations: ReadonlyMap<string, Nomination>;
  readonly #counts: () => ReadonlyMap<string, WorkloadCounts>;
  readonly #acceleratorNames: ReadonlySet<string>;
  readonly #accelerators = new WeakMap<PodShape, readonly AcceleratorRequest[]>();
  readonly #poolOfProfile: readonly (PoolState | undefined)[];
  readonly #userUse = new Map<QuotaState, Map<string, number>>();
  readonly #borrowers: ReadonlySet<string>;
  /** Pods that a plan tries out as borrowers. */
  readonly #triedAsBorrowers = new Set<string>();

  constructor(parts: {
    policy: Policy;
    nodes: NodeTable;
    slots: ResourceSlots;
    mix: ShapeMix;
    pending: PendingSet;
    counts: () => ReadonlyMap<string, WorkloadCounts>;
    history: BorrowHistory;
    nominations: ReadonlyMap<string, Nomination>;
    storage: Storage;
    namespaceLabels: (namespace: string) => Labels | undefined;
    podsSelectPods: boolean;
    /** Uids of pods that their budgets admitted as borrowers; it changes only while they hold nothing. */
    borrowers: ReadonlySet<string>;
    budgetUse: BudgetUse;
  }) {
    this.policy = parts.policy;
    this.nodes = parts.nodes;
    this.power = new SitePower(parts.policy, parts.nodes.profiles);
    this.running = new RunningSet((namespace) => walltimeOf(undefined, parts.policy.quotaOfNamespace.get(namespace)));
    this.mix = parts.mix;
    this.#slots = parts.slots;
    this.pending = parts.pending;
    this.storage = parts.storage;
    this.namespaceLabels = parts.namespaceLabels;
    this.podsSelectPods = parts.podsSelectPods;
    this.#counts = parts.counts;
    this.#borrowers = parts.borrowers;
    this.budgets = new Budgets(parts.budgetUse);
    this.#history = parts.history;
    this.#nominations = parts.nominations;
    this.#acceleratorNames = acceleratorNames(parts.policy);
    const pools = new Map(parts.policy.pools.map((pool) => [pool.spec.name, pool]));
    this.#poolOfProfile = parts.policy.claims.poolOf.map((name) => (name === undefined ? undefined : pools.get(name)));
  }

  requestOf(shape: PodShape): SlottedRequest {
    const request = this.#slots.requestOf(shape);
    if (request.share !== undefined) this.nodes.watchParts(request.share);
    return request;
  }

  slotOf(resourceName: string): number {
    return this.#slots.slotOf(resourceName);
  }

  nameOf(slot: number): string {
    return this.#slots.nameOf(slot);
  }

  /** Milli-GPUs that one device of a resource counts on the nodes of a profile; 0 for what belongs to no class. */
  worthOf(profileId: number, slot: number): number {
    const index = this.policy.claims.classOf(profileId, this.nameOf(slot));
    return index === undefined ? 0 : (this.poolOfProfile(profileId)?.classes[index]?.spec.weight ?? 0);
  }

  /**
   * The accelerators that a shape asks for: resources that some class of some pool counts. Empty = needs no quota.
   * Nobody is charged more than {@link mostDevices} for one pod.
   */
  acceleratorsOf(shape: PodShape): readonly AcceleratorRequest[] {
    let accelerators = this.#accelerators.get(shape);
    if (accelerators === undefined) {
      const asked = Object.entries(shape.requests).filter(([, amount]) => amount > 0);
      if (shape.share !== undefined) asked.push([shape.share.resourceName, shape.share.milli / wholeDevice]);
      accelerators = asked
        .filter(([name]) => this.#acceleratorNames.has(name))
        .map(([resourceName, devices]) => ({
          resourceName,
          slot: this.slotOf(resourceName),
          devices: Math.min(devices, mostDevices),
        }));
      this.#accelerators.set(shape, accelerators);
    }
    return accelerators;
  }

  /** The pool that a node belongs to. */
  poolOfProfile(profileId: number): PoolState | undefined {
    return this.#poolOfProfile[profileId];
  }

  /**
   * Lets `count` pods like this one hold their resources on a node (negative: takes them back): the node's free
   * amounts, the power of its sites, and the use of the quota that pays for the namespace and of its user.
   * A quota pays only for devices of its own pool.
   */
  hold(holder: Holder, node: number, count: number): void {
    const request = this.requestOf(holder.shape);
    this.nodes.take(node, request, count);
    if (request.share !== undefined) this.nodes.seat(node, request.share, { uid: holder.uid, count });
    this.onHold?.(holder, node, count);
    const accelerators = this.acceleratorsOf(holder.shape);
    if (accelerators.length === 0) return;
    const profile = this.nodes.profileIdOf(node);
    const pool = this.poolOfProfile(profile);
    if (pool === undefined) return;
    this.power.hold(profile, accelerators, count);
    const quota = this.policy.quotaOfNamespace.get(holder.namespace);
    if (quota?.pool !== pool) return;
    const asBorrower = this.#borrowers.has(holder.uid) || this.#triedAsBorrowers.has(holder.uid);
    for (const accelerator of accelerators) {
      const index = this.policy.claims.classOf(profile, accelerator.resourceName);
      const weight = index === undefined ? undefined : pool.classes[index]?.spec.weight;
      if (index === undefined || weight === undefined) continue;
      const devices = accelerator.devices * count;
      pool.tree.charge(quota.index, index, devices);
      if (asBorrower) pool.tree.setApart(quota.index, index, devices);
      if (holder.user !== undefined) this.#chargeUser(quota, holder.user, chargeFor(devices, weight));
    }
  }

  /** Says whether a plan tries pods out as borrowers by their budget, before it lets them hold anything. */
  tryAsBorrowers(pods: readonly Pick<PodFacts, 'uid'>[], are: boolean): void {
    if (!are && this.#triedAsBorrowers.size === 0) return;
    for (const { uid } of pods) {
      if (are) this.#triedAsBorrowers.add(uid);
      else this.#triedAsBorrowers.delete(uid);
    }
  }

  /** Takes {@link tryAsBorrowers} back, once the pods hold nothing. */
  endTrial(): void {
    this.#triedAsBorrowers.clear();
  }

  /** Adds a pod to what runs, or takes its latest facts; {@link hold} charges for it. */
  start(held: HeldPod): void {
    this.running.put(held);
    const quota = this.policy.quotaOfNamespace.get(held.pod.namespace);
    const devices = this.devicesOf(held);
    if (quota !== undefined && devices.length > 0) this.budgets.start(held, quota, devices);
  }

  stop(pod: PodFacts): void {
    this.running.delete(pod);
    this.budgets.stop(pod.uid);
  }

  /** What its quota pays for while a pod is on its node: devices of the quota's own pool, by class. */
  devicesOf({ pod, node }: Pick<HeldPod, 'pod' | 'node'>): readonly HeldDevices[] {
    const accelerators = this.acceleratorsOf(pod.shape);
    if (accelerators.length === 0) return none;
    const profile = this.nodes.profileIdOf(node);
    const pool = this.poolOfProfile(profile);
    if (pool === undefined || this.policy.quotaOfNamespace.get(pod.namespace)?.pool !== pool) return none;
    return accelerators.flatMap(({ resourceName, devices }) => {
      const classIndex = this.policy.claims.classOf(profile, resourceName);
      const className = classIndex === undefined ? undefined : pool.classes[classIndex]?.spec.name;
      return classIndex === undefined || className === undefined ? [] : [{ className, classIndex, devices }];
    });
  }

  /**
   * Order of borrowers (DESIGN.md section 4.2): what the quota and all below it borrow now and, faded, have borrowed,
   * in milli-GPUs for each thousandth of its weight. Infinity for weight 0: it comes last.
   */
  shareOf({ spec, pool, index }: QuotaState): number {
    if (pool === undefined || spec.weight === 0) return Infinity;
    const past = (this.#history.valueOf(spec.name) * pool.spec.fairShare.historyWeight) / oneMicro;
    return (pool.tree.borrowed(index) + past) / spec.weight;
  }

  /** The place that is held for a workload in what others have to give back. */
  nominationOf(workloadKey: string): Nomination | undefined {
    return this.#nominations.size === 0 ? undefined : this.#nominations.get(workloadKey);
  }

  /** Milli-GPUs that one user holds in a quota's own namespaces. */
  userUse(quota: QuotaState, user: string): number {
    return this.#userUse.get(quota)?.get(user) ?? 0;
  }

  workloadCounts(quotaName: string): WorkloadCounts {
    return this.#counts().get(quotaName) ?? { pending: 0, running: 0 };
  }

  #chargeUser(quota: QuotaState, user: string, amount: number): void {
    let users = this.#userUse.get(quota);
    if (users === undefined) {
      users = new Map<string, number>();
      this.#userUse.set(quota, users);
    }
    const total = (users.get(user) ?? 0) + amount;
    if (total === 0) users.delete(user);
    else users.set(user, total);
  }
}

/** Every resource name that a class of some pool counts. */
export function acceleratorNames(policy: Policy): ReadonlySet<string> {
  return new Set(policy.pools.flatMap((pool) => pool.classes.map((c) => c.spec.resourceName)));
}
