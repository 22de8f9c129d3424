/** Why the ledger's store refused or failed. */
export type LedgerErrorCode =
  /** The database cannot be reached, is full, locked or gone. The write may or may not have happened; repeat it. */
  | 'Unavailable'
  /** Another process has begun a later term: this one no longer leads and must not write. */
  | 'Fenced'
  /** The database was migrated by a later version of Moa. */
  | 'TooNew'
  /** The URL names no engine that Moa knows. */
  | 'BadUrl';

/** What went wrong in the ledger. */
export class LedgerError extends Error {
  override readonly name = 'LedgerError';
  readonly code: LedgerErrorCode;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;

  constructor(code: LedgerErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryable = code === 'Unavailable';
  }
}
