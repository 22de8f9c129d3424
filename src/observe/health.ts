/** The sign of life of one loop. */
export interface Heartbeat {
  /** Called once for every turn of the loop, also when there was nothing to do. */
  beat(): void;
  /** The loop has ended as it should, so its silence is no fault. */
  stop(): void;
}

/** What one check found; `problem` is absent when all is well. */
export interface CheckResult {
  readonly name: string;
  readonly problem?: string;
}

/** Collects the checks behind `/healthz` and `/readyz`. */
export interface Health {
  /**
   * Watches a loop that must make a turn at least every `maxSilenceMs`. It is alive when registered. The name must not
   * be that of a loop that still runs.
   */
  loop(name: string, maxSilenceMs: number): Heartbeat;
  /** Adds a condition for being ready. `problem` gives what is missing in a few words, undefined when nothing is. */
  requireReady(name: string, problem: () => string | undefined): void;
  /** Does every registered loop make progress? A failure means that only a restart can help. */
  liveness(): readonly CheckResult[];
  /** Could this process act now? False before the first condition is registered. A follower can be ready. */
  readiness(): readonly CheckResult[];
}

/** `monotonic` gives milliseconds that never go back; the process's own when absent. */
export function createHealth(monotonic: () => number = () => performance.now()): Health {
  const loops = new Map<string, { readonly maxSilenceMs: number; lastBeat: number }>();
  const conditions = new Map<string, () => string | undefined>();
  return {
    loop: (name, maxSilenceMs) => {
      if (loops.has(name)) throw new Error(`a loop named ${name} is already watched`);
      const loop = { maxSilenceMs, lastBeat: monotonic() };
      loops.set(name, loop);
      return {
        beat: () => {
          loop.lastBeat = monotonic();
        },
        stop: () => {
          if (loops.get(name) === loop) loops.delete(name);
        },
      };
    },
    requireReady: (name, problem) => {
      conditions.set(name, problem);
    },
    liveness: () => {
      const now = monotonic();
      const results = [...loops].map(([name, loop]) =>
        result(name, silenceProblem(now - loop.lastBeat, loop.maxSilenceMs)),
      );
      // That this runs at all is the check of the event loop: a blocked one does not answer, and the probe times out.
      return [{ name: 'ping' }, ...results];
    },
    readiness: () =>
      conditions.size === 0
        ? [{ name: 'startup', problem: 'still starting' }]
        : [...conditions].map(([name, problem]) => result(name, problemOf(problem))),
  };
}

function result(name: string, problem: string | undefined): CheckResult {
  return problem === undefined ? { name } : { name, problem };
}

function silenceProblem(silentMs: number, maxSilenceMs: number): string | undefined {
  if (silentMs <= maxSilenceMs) return undefined;
  return `no sign of life for ${seconds(silentMs)} s, allowed are ${seconds(maxSilenceMs)} s`;
}

function seconds(milliseconds: number): string {
  return String(Math.round(milliseconds / 100) / 10);
}

function problemOf(condition: () => string | undefined): string | undefined {
  try {
    return condition();
  } catch (error) {
    return `the check itself failed: ${error instanceof Error ? error.message : String(error)}`;
  }
}
