import type { Clock } from './clock.ts';

/** A flag that one loop waits for and anyone raises. Raising it twice before the loop looks is raising it once. */
export class Wake {
  #raised = false;
  #notify: (() => void) | undefined;

  raise(): void {
    this.#raised = true;
    this.#notify?.();
  }

  /** Resolves when the flag is raised, after `maxMs` at the latest, and lowers it. Rejects when the signal aborts. */
  async wait(clock: Clock, maxMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#raised) {
      const enough = new AbortController();
      this.#notify = () => enough.abort();
      try {
        await clock.sleep(maxMs, AbortSignal.any([signal, enough.signal]));
      } catch (error) {
        if (signal.aborted) throw error;
      } finally {
        this.#notify = undefined;
      }
    }
    this.#raised = false;
  }
}
