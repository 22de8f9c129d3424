import { abortReason, type Clock } from './clock.ts';

/**
 * Why timers of ours end early. One object, since making an error with its stack for each request costs more than the
 * timer.
 */
const noLongerNeeded = new Error('no longer needed');

/** A signal that aborts when time is up or the caller's signal does. */
interface Deadline {
  readonly signal: AbortSignal;
  /** Aborts at once, for this reason. */
  abort(error: () => Error): void;
  /** Time is no longer up, but the caller's signal counts still. */
  stopTimer(): void;
  /** Ends it. To be called whatever happens: it holds a timer and a listener on the caller's signal. */
  clear(): void;
}

/** @param error what the signal aborts with when time is up */
export function startDeadline(clock: Clock, ms: number, error: () => Error, caller: AbortSignal | undefined): Deadline {
  const controller = new AbortController();
  const timer = new AbortController();
  const abort = (reason: () => Error): void => {
    if (!controller.signal.aborted) controller.abort(reason());
  };
  const followCaller = (): void => {
    if (caller !== undefined) controller.abort(abortReason(caller));
  };
  if (caller?.aborted === true) followCaller();
  else caller?.addEventListener('abort', followCaller, { once: true });
  clock.sleep(ms, timer.signal).then(
    () => abort(error),
    () => undefined,
  );
  return {
    signal: controller.signal,
    abort,
    stopTimer: () => timer.abort(noLongerNeeded),
    clear: () => {
      timer.abort(noLongerNeeded);
      caller?.removeEventListener('abort', followCaller);
    },
  };
}

/** Watches the pace of a stream. */
interface Watchdog {
  /** Passes the chunks on. Only the time spent waiting for the next one counts, not what the consumer does with it. */
  watch<T>(chunks: AsyncIterable<T>): AsyncGenerator<T, void, undefined>;
  /** Ends it. To be called whatever happens: it holds a timer. */
  stop(): void;
}

/** @param onSilence called once when no chunk has come for `ms` */
export function startWatchdog(clock: Clock, ms: number, onSilence: () => void): Watchdog {
  const timer = new AbortController();
  let waitingSince: number | undefined;

  // One timer that looks at the time, not one for each chunk: a busy watch has thousands of chunks a second.
  const guard = async (): Promise<void> => {
    for (let left = ms; left > 0;) {
      await clock.sleep(left, timer.signal);
      left = waitingSince === undefined ? ms : waitingSince + ms - clock.monotonic();
    }
    onSilence();
  };
  if (ms !== Infinity) guard().catch(() => undefined);

  return {
    async *watch(chunks) {
      waitingSince = clock.monotonic();
      for await (const chunk of chunks) {
        waitingSince = undefined;
        yield chunk;
        waitingSince = clock.monotonic();
      }
    },
    stop: () => timer.abort(noLongerNeeded),
  };
}
