import type { Feasibility } from '../place/index.ts';
import type { NodeProfile, PendingClass, QuotaState, Snapshot, Workload } from '../snapshot/index.ts';
import { refusalBeforeQuota, viableOptions } from './checks.ts';
import type { Refusal } from './refusal.ts';
import { optionsOf, rolesOf, type Option, type Role } from './request.ts';

/** A workload whose turn it is, with what it shares with its like. */
export interface Candidate {
  readonly workload: Workload;
  readonly kin: Kin;
}

/**
 * An equivalence class as the planner sees it: what holds for all its workloads as long as the snapshot is the same is
 * worked out once, and how far this cycle has come with them is kept beside it.
 */
export class Kin {
  readonly pending: PendingClass;
  /** Undefined where no quota pays for the namespace. */
  readonly quota: QuotaState | undefined;
  readonly roles: readonly Role[];
  /** Those that could ever fit, best first. */
  readonly options: readonly Option[];
  /** What no release of capacity can change: why none of them can start before someone edits something. */
  readonly standing: Refusal | undefined;
  /** Workloads of the class that were admitted in this cycle: the oldest. */
  started = 0;
  /** Set once one of them was refused in this cycle. */
  refusal: Refusal | undefined;
  readonly #snapshot: Snapshot;
  readonly #profiles = new Map<Option, readonly (readonly NodeProfile[])[]>();

  private constructor(snapshot: Snapshot, pending: PendingClass, first: Workload) {
    this.#snapshot = snapshot;
    this.pending = pending;
    this.quota = snapshot.policy.quotaOfNamespace.get(pending.namespace);
    this.roles = rolesOf(snapshot, first);
    const options = this.quota?.pool === undefined ? [] : optionsOf(this.quota.pool, this.roles);
    const all = { quota: this.quota, roles: this.roles, options };
    this.standing = refusalBeforeQuota(first, all);
    this.options = viableOptions(all);
  }

  /** The class as it is now, ready for a cycle. Remembered in the class while the snapshot is the same. */
  static of(snapshot: Snapshot, pending: PendingClass): Kin | undefined {
    const { note } = pending;
    if (note instanceof Kin && note.#snapshot === snapshot) {
      note.started = 0;
      note.refusal = note.standing;
      return note;
    }
    const first = pending.at(0);
    if (first === undefined) return undefined;
    const kin = new Kin(snapshot, pending, first);
    kin.refusal = kin.standing;
    pending.note = kin;
    return kin;
  }

  /** For each role, the profiles whose nodes carry the option's classes and take the role's pods. */
  profilesOf(option: Option, feasibility: Feasibility): readonly (readonly NodeProfile[])[] {
    let profiles = this.#profiles.get(option);
    if (profiles === undefined) {
      profiles = this.roles.map((role, i) => {
        const carrying = [...(option.classes[i]?.values() ?? [])].map((c) => new Set(c.profiles));
        return feasibility.profilesOf(role.shape).filter((profile) => carrying.every((ids) => ids.has(profile.id)));
      });
      this.#profiles.set(option, profiles);
    }
    return profiles;
  }

  /** The oldest workload that was not admitted yet. */
  get head(): Workload | undefined {
    return this.pending.at(this.started);
  }

  /** Those still waiting. */
  get waiting(): readonly Workload[] {
    return this.pending.from(this.started);
  }
}
