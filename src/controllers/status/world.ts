import type { QuotaState, Snapshot } from '../../core/snapshot/index.ts';
import type { BudgetNow, LedgerState } from '../../core/status/index.ts';
import type { ManifestStores } from '../manifests/index.ts';
import type { SchedulingRecord } from '../record/index.ts';

/** What the controllers of the three resources see. */
export interface World extends ManifestStores {
  /** The state now. Not asked for before every cache is warm: a status must not be worked out from half a list. */
  snapshot(): Snapshot;
  /** What the scheduling loop of this process has found out since it leads. */
  readonly record: SchedulingRecord;
  /** How the budgets stand that a quota draws on; undefined before the ledger is known. */
  readonly budgetOf: (quota: QuotaState) => BudgetNow | undefined;
  /** How far the ledger is behind; undefined = nobody keeps one. */
  readonly ledgerState: () => LedgerState | undefined;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Calls back, often, after anything that a status shows may have changed. @returns a function that ends it */
  subscribe(listener: () => void): () => void;
}
