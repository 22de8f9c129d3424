import { Heap } from '../ds/index.ts';
import { compareAge, type PoolState, type QuotaState, type Snapshot } from '../snapshot/index.ts';
import type { Candidate, Kin } from './kin.ts';

/**
 * The best workload of a subtree and how it compares with those of its siblings. One object for each subtree, updated
 * in place.
 */
interface Contender {
  /** Undefined for the workloads of the quota itself, which stand beside those of its children. */
  readonly child: QuotaNode | undefined;
  kin: Kin | undefined;
  /** {@link Kin.rankAhead} */
  rankAhead: number;
  urgent: boolean;
  /** The best workload stays within the guarantee of some quota from its own up to this subtree. */
  withinGuarantee: boolean;
  /** Fair share of the subtree; Infinity for weight 0. */
  share: number;
}

/** A quota with waiting workloads in its subtree. */
interface QuotaNode {
  /** Undefined for the pool itself. */
  readonly quota: QuotaState | undefined;
  readonly parent: QuotaNode | undefined;
  readonly own: Heap<Kin>;
  readonly contenders: Heap<Contender>;
  readonly ofOwn: Contender;
}

/**
 * The order of one pool's workloads (DESIGN.md section 4.2): what has been begun, then Urgent; then, walking down the tree and comparing
 * siblings only, whoever stays within guarantee, then the lower fair share; inside one quota higher priority, then age.
 * Kept up to date after each admission, along the path of the quota that changed.
 *
 * | operation | cost |
 * |---|---|
 * | build | O(waiting classes x log) |
 * | peek | O(depth) |
 * | settle | O(depth x (classes + log siblings)) |
 */
export class PoolOrder {
  readonly #pool: PoolState;
  readonly #snapshot: Snapshot;
  readonly #root: QuotaNode = quotaNode(undefined, undefined);
  readonly #nodes = new Map<QuotaState, QuotaNode>();

  constructor(pool: PoolState, kins: Iterable<Kin>, snapshot: Snapshot) {
    this.#pool = pool;
    this.#snapshot = snapshot;
    for (const kin of kins) if (kin.quota !== undefined) this.#nodeOf(kin.quota).own.push(kin);
    // Children come after their parents in the order of the pool: from the end, each is complete before it counts.
    const nodes = [...this.#nodes.values()].sort((a, b) => indexOf(b) - indexOf(a));
    for (const node of [...nodes, this.#root]) {
      this.#rank(node.ofOwn, node);
      if (node.ofOwn.kin !== undefined) node.contenders.push(node.ofOwn);
      if (node.parent === undefined || node.contenders.top === undefined) continue;
      const contender = emptyContender(node);
      this.#rank(contender, node.parent);
      node.parent.contenders.push(contender);
    }
  }

  /** The workload whose turn it is; undefined when all are admitted or refused. */
  peek(): Candidate | undefined {
    const kin = this.#root.contenders.top?.kin;
    const workload = kin?.head;
    return kin === undefined || workload === undefined ? undefined : { kin, workload };
  }

  /** Says that what {@link peek} gave was admitted, or that its class was refused. */
  settle(): void {
    // A refusal changes nobody's share.
    const admitted = this.#root.contenders.top?.kin?.refusal === undefined;
    const path: QuotaNode[] = [this.#root];
    for (let next = this.#root.contenders.top?.child; next !== undefined; next = next.contenders.top?.child) {
      path.push(next);
    }
    for (let node = path.pop(); node !== undefined; node = path.pop()) {
      const { contenders } = node;
      const { top } = contenders;
      if (top === undefined) continue;
      if (top.child === undefined) this.#nextOwn(node);
      this.#rank(top, node, admitted);
      if (top.kin === undefined) contenders.pop();
      else contenders.settleTop();
    }
  }

  #nextOwn({ own }: QuotaNode): void {
    const { top } = own;
    if (top === undefined) return;
    if (top.refusal !== undefined || top.head === undefined) own.pop();
    else own.settleTop();
  }

  #nodeOf(quota: QuotaState): QuotaNode {
    let node = this.#nodes.get(quota);
    if (node === undefined) {
      const above = quota.chain[1];
      node = quotaNode(quota, above === undefined ? this.#root : this.#nodeOf(above));
      this.#nodes.set(quota, node);
    }
    return node;
  }

  /**
   * Works out how the workloads of a class stand as the best of a subtree of `node`: of a child, or the node's own.
   *
   * @param afresh whether the share may have changed since it was worked out
   */
  #rank(contender: Contender, node: QuotaNode, afresh = true): void {
    const { child } = contender;
    const best = child?.contenders.top;
    const kin = child === undefined ? node.own.top : best?.kin;
    contender.kin = kin;
    if (kin?.quota === undefined || kin.head === undefined) return;
    contender.rankAhead = kin.rankAhead;
    contender.urgent = kin.quota.spec.tier === 'Urgent';
    // Some quota from the workload's own up to the subtree: what lies below the subtree has been asked already.
    const subtree = (child ?? node).quota;
    contender.withinGuarantee =
      best?.withinGuarantee === true ||
      (!kin.asBorrower &&
        subtree !== undefined &&
        this.#pool.tree.guarantees(subtree.index, kin.options[0]?.request ?? []));
    if (afresh) contender.share = subtree === undefined ? 0 : this.#snapshot.shareOf(subtree);
  }
}

function quotaNode(quota: QuotaState | undefined, parent: QuotaNode | undefined): QuotaNode {
  const contenders = new Heap(compareContenders);
  return { quota, parent, own: new Heap(compareInQuota), contenders, ofOwn: emptyContender(undefined) };
}

function emptyContender(child: QuotaNode | undefined): Contender {
  return { child, kin: undefined, rankAhead: Infinity, urgent: false, withinGuarantee: false, share: 0 };
}

function indexOf({ quota }: QuotaNode): number {
  return quota?.index ?? -1;
}

/** Negative when `a` goes first. Ties go to the older workload, so that no name decides. */
function compareContenders(a: Contender, b: Contender): number {
  if (a.rankAhead !== b.rankAhead) return a.rankAhead < b.rankAhead ? -1 : 1;
  if (a.urgent !== b.urgent) return a.urgent ? -1 : 1;
  if (a.withinGuarantee !== b.withinGuarantee) return a.withinGuarantee ? -1 : 1;
  if (a.share !== b.share) return a.share < b.share ? -1 : 1;
  return compareHeads(a.kin, b.kin);
}

/** Order inside one quota, and of workloads without one. */
export function compareInQuota(a: Kin, b: Kin): number {
  const [first, second] = [a.head, b.head];
  if (first === undefined || second === undefined) return compareHeads(a, b);
  const [aheadA, aheadB] = [a.rankAhead, b.rankAhead];
  if (aheadA !== aheadB) return aheadA < aheadB ? -1 : 1;
  return second.priority - first.priority || compareAge(first, second);
}

function compareHeads(a: Kin | undefined, b: Kin | undefined): number {
  const [first, second] = [a?.head, b?.head];
  if (first === undefined || second === undefined) return Number(first === undefined) - Number(second === undefined);
  return compareAge(first, second);
}
