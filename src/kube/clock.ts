/** Where every loop of this folder takes its time from, so that tests and the simulator can move it. */
export interface Clock {
  /** Wall-clock time in epoch milliseconds. It may jump, both ways: use it for what people and the API read. */
  now(): number;
  /** Milliseconds since some fixed moment. It never goes back: use it for every duration. */
  monotonic(): number;
  /** Resolves after `ms`, at once when `ms` is not above 0. Rejects with the signal's reason when that aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** setTimeout fires at once above this, so a longer sleep is made of several. */
const longestTimer = 2 ** 31 - 1;

/**
 * The machine's own clocks.
 *
 * @param offsetMs added to the wall clock only, for trials that have to happen on another day
 */
export function systemClock(offsetMs = 0): Clock {
  return {
    now: () => Date.now() + offsetMs,
    monotonic: () => performance.now(),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) {
          reject(abortReason(signal));
          return;
        }
        const end = performance.now() + ms;
        let timer: NodeJS.Timeout | undefined;
        const abort = (): void => {
          clearTimeout(timer);
          if (signal !== undefined) reject(abortReason(signal));
        };
        const wait = (): void => {
          const left = end - performance.now();
          if (left > 0) {
            timer = setTimeout(wait, Math.min(left, longestTimer));
            return;
          }
          signal?.removeEventListener('abort', abort);
          resolve();
        };
        signal?.addEventListener('abort', abort, { once: true });
        wait();
      }),
  };
}

/**
 * The reason of an aborted signal as an Error: what was given to `abort()` where that is one, else a wrapper around it.
 */
export function abortReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason });
}

/** `signal.aborted`, asked so that the compiler does not take an answer from before an `await` for the present one. */
export function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** Lets everything else that is ready run, I/O included. A resolved promise does not. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
