import type { Clock } from './clock.ts';
import { ApiError } from './errors.ts';
import type { Change, Store, Stored } from './store.ts';
import { initialListPriority, type WorkQueue } from './workqueue.ts';

export interface ReconcileResult {
  /** Come again after that time though nothing changes; without it, only when something does. */
  readonly requeueAfterMs?: number;
}

/** A failure that trying again cannot mend. The key rests until something about it changes. */
export class TerminalError extends Error {
  readonly code = 'Terminal';
  readonly retryable = false;

  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'TerminalError';
  }
}

/** What became of one reconciliation, for metrics and logs. */
export interface ReconcileObservation {
  /** Of the controller. */
  readonly name: string;
  readonly key: string;
  /** `failed` is tried again, `terminal` is not. */
  readonly outcome: 'succeeded' | 'failed' | 'terminal';
  readonly durationMs: number;
  /** Of the outcomes other than `succeeded`. */
  readonly error?: unknown;
}

export interface ControllerOptions {
  readonly name: string;
  readonly queue: WorkQueue<string>;
  /** How many keys are worked on at a time. */
  readonly workers: number;
  /**
   * Makes the world match what is wanted for the key. Level-triggered: it reads the present state, whatever happened.
   */
  readonly reconcile: (key: string, signal: AbortSignal) => Promise<ReconcileResult>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Must not throw. */
  readonly observe?: (observation: ReconcileObservation) => void;
}

/**
 * Works off a queue. Errors are retried with back-off, save a TerminalError. Resolves when the signal has aborted and
 * every worker has finished what it had in hand; never rejects.
 */
export async function runController(options: ControllerOptions): Promise<void> {
  await Promise.all(Array.from({ length: options.workers }, () => work(options)));
}

async function work(options: ControllerOptions): Promise<void> {
  const { queue, signal } = options;
  for (;;) {
    let key: string;
    try {
      key = await queue.take(signal);
    } catch {
      return;
    }
    await reconcileOnce(options, key);
    queue.done(key);
  }
}

async function reconcileOnce(options: ControllerOptions, key: string): Promise<void> {
  const { name, queue, reconcile, clock, signal } = options;
  const observe = options.observe ?? (() => undefined);
  const started = clock.monotonic();
  try {
    const { requeueAfterMs } = await reconcile(key, signal);
    queue.forget(key);
    if (requeueAfterMs !== undefined) queue.add(key, { afterMs: requeueAfterMs });
    observe({ name, key, outcome: 'succeeded', durationMs: clock.monotonic() - started });
  } catch (error) {
    // Stopping is no failure: what was cut short is done by whoever comes next.
    if (signal.aborted) return;
    const terminal = error instanceof TerminalError;
    if (terminal) queue.forget(key);
    else queue.addRateLimited(key, { afterMs: (error instanceof ApiError ? error.retryAfterMs : undefined) ?? 0 });
    observe({ name, key, outcome: terminal ? 'terminal' : 'failed', durationMs: clock.monotonic() - started, error });
  }
}

/**
 * Queues the keys that a store's changes concern. What the store first lists is queued at low priority, so that after
 * a start news do not wait behind everything there is.
 *
 * @param keysOf which keys a change concerns: its own, or those of its owners or users
 * @returns a function that ends it
 */
export function enqueueChanges<T extends Stored>(
  store: Store<T>,
  queue: WorkQueue<string>,
  keysOf: (change: Change<T>) => Iterable<string>,
): () => void {
  return store.subscribe((changes) => {
    const priority = store.synced ? 0 : initialListPriority;
    for (const change of changes) {
      for (const key of keysOf(change)) queue.add(key, { priority });
    }
  });
}
