import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Repeats an assertion until it holds, and returns what it returns. What it throws counts as not yet.
 *
 * @throws Error with the assertion's last error as its cause, once the time is up.
 */
export async function eventually<T>(
  assertion: () => T | Promise<T>,
  { timeoutMs = 15_000, everyMs = 50 }: { timeoutMs?: number; everyMs?: number } = {},
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (Date.now() >= deadline) {
        const message = error instanceof Error ? error.message : String(error);
        throw new Error(`still not so after ${timeoutMs} ms: ${message}`, { cause: error });
      }
    }
    await sleep(everyMs);
  }
}
