import { WaitReason } from '../../api/v1alpha1/constants/index.ts';
import type { Plan, Waiting } from '../../core/plan/index.ts';
import type { BorrowHistory } from '../../core/quota/index.ts';
import type { Policy } from '../../core/snapshot/index.ts';
import type { PowerWait } from '../../core/status/index.ts';
import { AccessTimes } from './accessTimes.ts';
import { Borrowing } from './borrowing.ts';

/** What only the scheduling loop knows, for statuses and gauges: it writes, they read. One for each time of leading. */
export class SchedulingRecord {
  readonly access = new AccessTimes();
  readonly borrowing: Borrowing;
  #waiting: readonly Waiting[] = [];
  #reservations: Plan['reserve'] = [];

  /** @param history what the quotas borrowed, kept up to date by the fleet */
  constructor(history: BorrowHistory) {
    this.borrowing = new Borrowing(history);
  }

  /** Workloads that wait by the latest whole plan, with their reasons. */
  get waiting(): readonly Waiting[] {
    return this.#waiting;
  }

  /** Of the latest whole plan. */
  get reservations(): Plan['reserve'] {
    return this.#reservations;
  }

  /** Takes a plan that has looked at everything. */
  planned({ waiting, reserve }: Pick<Plan, 'waiting' | 'reserve'>): void {
    this.#waiting = waiting;
    this.#reservations = reserve;
  }

  /** The workloads of a pool that wait for power; undefined when none does. */
  powerWaitOf(pool: string, { quotaOfNamespace }: Policy): PowerWait | undefined {
    let workloads = 0;
    let first: Waiting | undefined;
    for (const waiting of this.#waiting) {
      if (waiting.reason !== WaitReason.PowerLimited) continue;
      const own = waiting.workloads.filter(({ namespace }) => quotaOfNamespace.get(namespace)?.spec.poolName === pool);
      if (own.length > 0) first ??= waiting;
      workloads += own.length;
    }
    return first === undefined ? undefined : { workloads, message: first.message };
  }
}
