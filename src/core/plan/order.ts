import type { PoolState } from '../snapshot/index.ts';
import type { Candidate } from './candidate.ts';

/** How the best workload of a subtree compares with those of its siblings. */
interface Standing {
  readonly candidate: Candidate;
  /** Of an Urgent quota, or the rest of a gang that has started. */
  readonly urgent: boolean;
  /** The best workload stays within the guarantee of some quota from its own up to this subtree. */
  readonly withinGuarantee: boolean;
  /** Borrowed / weight of the subtree; Infinity for weight 0. */
  readonly share: number;
}

interface QuotaNode {
  /** Waiting workloads of the quota itself: higher priority, then older. */
  readonly own: Candidate[];
  /** How many of `own` are admitted or refused already. */
  next: number;
  readonly children: number[];
  best: Standing | undefined;
  dirty: boolean;
}

/**
 * The order of one pool's workloads (DESIGN.md section 4.2): Urgent first; then, walking down the tree and comparing
 * siblings only, whoever stays within guarantee, then the lower fair share; inside one quota higher priority, then age.
 * Recomputed after each admission, along the path of the quota that changed.
 *
 * | operation | cost |
 * |---|---|
 * | build | O(pending log pending) |
 * | peek after an admission or refusal | O(depth x children) |
 */
export class PoolOrder {
  readonly #pool: PoolState;
  readonly #nodes: QuotaNode[];

  constructor(pool: PoolState, candidates: readonly Candidate[]) {
    this.#pool = pool;
    this.#nodes = Array.from({ length: pool.quotas.length + 1 }, () => ({
      own: [],
      next: 0,
      children: [],
      best: undefined,
      dirty: true,
    }));
    pool.quotas.forEach((quota) => this.#node(pool.tree.parentOf(quota.index)).children.push(quota.index));
    for (const candidate of candidates) this.#node(candidate.quota?.index ?? -1).own.push(candidate);
    for (const node of this.#nodes) node.own.sort(compareInQuota);
  }

  /** The workload whose turn it is; undefined when all are admitted or refused. */
  peek(): Candidate | undefined {
    return this.#bestOf(this.#pool.quotas.length)?.candidate;
  }

  /** Says that what {@link peek} gave was admitted or refused. Workloads refused with it are passed over by then. */
  settle(candidate: Candidate): void {
    const index = candidate.quota?.index ?? -1;
    this.#node(index).next++;
    for (let i = index; ; i = this.#pool.tree.parentOf(i)) {
      this.#node(i).dirty = true;
      if (i === this.#pool.quotas.length) return;
    }
  }

  #bestOf(index: number): Standing | undefined {
    const node = this.#node(index);
    if (!node.dirty) return node.best;
    let best = this.#ownStanding(index);
    for (const child of node.children) {
      const standing = this.#bestOf(child);
      if (standing !== undefined && (best === undefined || compare(standing, best) < 0)) best = standing;
    }
    node.dirty = false;
    node.best = best === undefined ? undefined : this.#standingAt(index, best.candidate);
    return node.best;
  }

  #ownStanding(index: number): Standing | undefined {
    const node = this.#node(index);
    while (node.own[node.next]?.kin.refusal !== undefined) node.next++;
    const head = node.own[node.next];
    return head === undefined ? undefined : this.#standingAt(index, head);
  }

  #standingAt(index: number, candidate: Candidate): Standing {
    const { tree, quotas } = this.#pool;
    const quota = quotas[index];
    const weight = quota?.spec.weight ?? 1;
    return {
      candidate,
      urgent: candidate.quota?.spec.tier === 'Urgent' || (candidate.workload.gang?.bound ?? 0) > 0,
      withinGuarantee: quota !== undefined && this.#guaranteedBelow(index, candidate),
      share: quota === undefined ? 0 : weight === 0 ? Infinity : tree.borrowed(index) / weight,
    };
  }

  /** Whether the lowest guarantor of the workload lies in the subtree of `index`. */
  #guaranteedBelow(index: number, candidate: Candidate): boolean {
    const { tree } = this.#pool;
    const from = candidate.quota?.index ?? -1;
    const request = candidate.kin.options[0]?.request ?? [];
    const guarantor = tree.guarantorOf(from, request);
    if (guarantor === undefined) return false;
    for (let i = from; i !== tree.size; i = tree.parentOf(i)) {
      if (i === guarantor) return true;
      if (i === index) return false;
    }
    return false;
  }

  #node(index: number): QuotaNode {
    return this.#nodes[index] as QuotaNode;
  }
}

/** Negative when `a` goes first. Ties go to the older workload, so that no name decides. */
function compare(a: Standing, b: Standing): number {
  if (a.urgent !== b.urgent) return a.urgent ? -1 : 1;
  if (a.withinGuarantee !== b.withinGuarantee) return a.withinGuarantee ? -1 : 1;
  if (a.share !== b.share) return a.share < b.share ? -1 : 1;
  return compareAge(a.candidate, b.candidate);
}

/** Order inside one quota, and of workloads without one. The rest of a started gang goes before everything. */
export function compareInQuota(a: Candidate, b: Candidate): number {
  const started = Number((b.workload.gang?.bound ?? 0) > 0) - Number((a.workload.gang?.bound ?? 0) > 0);
  return started || b.workload.priority - a.workload.priority || compareAge(a, b);
}

/** Creation times are whole seconds: the pods of one script are then taken by name, as their author would. */
function compareAge(a: Candidate, b: Candidate): number {
  return (
    a.workload.createdAt - b.workload.createdAt ||
    compareText(nameOf(a), nameOf(b)) ||
    compareText(a.workload.key, b.workload.key)
  );
}

function nameOf({ workload }: Candidate): string {
  return workload.pods[0]?.name ?? '';
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
