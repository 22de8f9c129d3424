import type { Ask } from '../backfill/index.ts';
import type { Feasibility } from '../place/index.ts';
import type { PoolState, Snapshot, Workload } from '../snapshot/index.ts';
import type { CycleBudgets } from './budgets.ts';
import { withinClassLimits } from './checks.ts';
import type { Candidate, Kin } from './kin.ts';
import { podsOfRole, type Option } from './request.ts';

/** One way to run a workload, and what that asks for. */
export interface Proposal {
  readonly option: Option;
  readonly ask: Ask;
  /** Its budget admits it as a borrower only. */
  readonly asBorrower: boolean;
}

/** The ways to run a workload as things stand in a cycle, and what each of them asks of quota and nodes. */
export class Proposals {
  readonly #snapshot: Snapshot;
  readonly #feasibility: Feasibility;
  readonly #budgets: CycleBudgets;

  constructor(snapshot: Snapshot, feasibility: Feasibility, budgets: CycleBudgets) {
    this.#snapshot = snapshot;
    this.#feasibility = feasibility;
    this.#budgets = budgets;
  }

  /** In the order in which to try them: no choice of class turns what is guaranteed into something borrowed. */
  optionsOf(kin: Kin, { tree }: PoolState): readonly Option[] {
    const options = kin.rankedOptions(this.#feasibility);
    const { quota } = kin;
    if (options.length < 2 || quota === undefined) return options;
    const guaranteed = options.filter(({ request }) => tree.guarantorOf(quota.index, request) !== undefined);
    return guaranteed.length === 0 ? options : [...guaranteed, ...options.filter((one) => !guaranteed.includes(one))];
  }

  /** Whether none of the ways to run the class stays within guarantee. */
  borrows({ quota, options }: Kin, { tree }: PoolState): boolean {
    return quota !== undefined && options.every(({ request }) => tree.guarantorOf(quota.index, request) === undefined);
  }

  of(candidate: Candidate, option: Option, pool: PoolState): Proposal {
    const asBorrower = this.#budgets.verdictOn(candidate.kin, option).outcome === 'Borrower';
    const ask = this.#askOf(candidate, option, pool);
    return { option, ask: asBorrower ? { ...ask, guaranteed: false } : ask, asBorrower };
  }

  #askOf(candidate: Candidate, option: Option, pool: PoolState): Ask {
    const { kin, workload } = candidate;
    const { quota, walltime } = kin;
    const profiles = kin.profilesOf(option, this.#feasibility);
    const topology = workload.pods[0]?.topology;
    return {
      workload,
      quota,
      request: option.request,
      cost: option.cost,
      placement: {
        roles: kin.roles.map((_, i) => ({ pods: podsOfRole(kin.roles, workload, i), profiles: profiles[i] ?? [] })),
        strategy: pool.spec.placement,
        within: topology?.required === true ? topology.level : undefined,
        beside: this.#nodeOfRest(workload),
      },
      walltime,
      guaranteed: quota !== undefined && pool.tree.guarantorOf(quota.index, option.request) !== undefined,
      admissible: (tree) => quota === undefined || withinClassLimits(quota, tree, option),
    };
  }

  /** Where the pods of a gang run that was cut short: the others must be in the same domain. */
  #nodeOfRest({ namespace, gang, pods }: Workload): number | undefined {
    if (gang === undefined || gang.bound === 0 || pods[0]?.topology?.required !== true) return undefined;
    return this.#snapshot.running.nodeOfGang(namespace, gang.kind, gang.name);
  }
}
