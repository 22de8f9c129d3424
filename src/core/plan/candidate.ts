import type { PodShape, QuotaState, Snapshot, Workload } from '../snapshot/index.ts';
import type { Refusal } from './refusal.ts';
import { optionsOf, rolesOf, type Option, type Role } from './request.ts';

/**
 * Workloads that no check and no node tells apart: same quota, user, shapes, gang size, walltime. When one of them
 * cannot start, none of the others is tried again in the cycle, and all get the same explanation.
 */
export interface EquivalenceClass {
  readonly key: string;
  readonly workloads: Workload[];
  readonly roles: readonly Role[];
  /** Those that could ever fit, once the checks before the quota have passed. */
  options: readonly Option[];
  /** Set once one of the workloads was refused. */
  refusal: Refusal | undefined;
}

/** A workload that takes part in the cycle. */
export interface Candidate {
  readonly workload: Workload;
  /** Undefined where no quota pays for the namespace. */
  readonly quota: QuotaState | undefined;
  readonly kin: EquivalenceClass;
}

/** Sorts the pending workloads into equivalence classes. Cost: O(pending pods). */
export class CandidateReader {
  readonly #snapshot: Snapshot;
  readonly #classes = new Map<string, EquivalenceClass>();
  readonly #shapeIds = new Map<PodShape, number>();

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  read(workload: Workload): Candidate {
    const quota = this.#snapshot.policy.quotaOfNamespace.get(workload.namespace);
    const key = this.#keyOf(workload, quota);
    let kin = this.#classes.get(key);
    if (kin === undefined) {
      const roles = rolesOf(this.#snapshot, workload);
      const options = quota?.pool === undefined ? [] : optionsOf(quota.pool, roles);
      kin = { key, workloads: [], roles, options, refusal: undefined };
      this.#classes.set(key, kin);
    }
    kin.workloads.push(workload);
    return { workload, quota, kin };
  }

  get classes(): Iterable<EquivalenceClass> {
    return this.#classes.values();
  }

  #keyOf(workload: Workload, quota: QuotaState | undefined): string {
    const counts = new Map<number, number>();
    for (const pod of workload.pods) {
      const id = this.#shapeId(pod.shape);
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    const first = workload.pods[0];
    const shapes = [...counts].map(([id, n]) => `${id}x${n}`).join(',');
    const user = quota?.spec.perUserMax === undefined ? '' : (first?.user ?? '');
    const problem = workload.pods.find((pod) => pod.problem !== undefined)?.problem ?? '';
    // A gang that is not whole, or at odds with itself, is told so by name: it stands for itself.
    const gang = workload.gang?.size ?? '';
    const own = isWhole(workload) ? '' : workload.key;
    const place = quota?.spec.name ?? `/${workload.namespace}`;
    return [place, shapes, user, first?.walltime ?? '', gang, own, problem].join('|');
  }

  #shapeId(shape: PodShape): number {
    let id = this.#shapeIds.get(shape);
    if (id === undefined) this.#shapeIds.set(shape, (id = this.#shapeIds.size));
    return id;
  }
}

function isWhole({ gang }: Workload): boolean {
  return gang === undefined || (gang.size !== undefined && gang.missing === 0 && gang.bound === 0 && gang.agreed);
}
