import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import type { OperatorProcess } from './operatorProcess.ts';

/** What a run has come to: the same for every run of the same acts, whatever happened to it. */
export type Outcome = Readonly<Record<string, unknown>>;

/** Tells what it has come to now. */
export type Look = () => Promise<Outcome>;

/** Longer than explanations and statuses take. */
const restMs = 3000;
/** The same, where it is known that something comes of what has happened. */
const quietMs = 1500;

/** Waits until it has come to this. @returns what it has come to in time */
export async function outcomeBecomes(look: Look, wanted: Outcome, timeoutMs = 60_000): Promise<Outcome> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const outcome = await look().catch((error: unknown) => ({ error: String(error) }));
    if (isDeepStrictEqual(outcome, wanted) || performance.now() > deadline) return outcome;
    await sleep(100);
  }
}

/** What it has come to once nothing has changed for some seconds. */
export async function outcomeAtRest(look: Look): Promise<Outcome> {
  for (let outcome = await look(); ;) {
    await sleep(restMs);
    const now = await look();
    if (isDeepStrictEqual(now, outcome)) return now;
    outcome = now;
  }
}

/** Whoever writes, and what comes of it. */
interface Playing {
  readonly outcome: Look;
  readonly operators: readonly OperatorProcess[];
}

/**
 * Waits until it has come to this and stays so, as nobody writes any more.
 *
 * @param acting resolves when whoever is to act can do so
 * @returns what it has come to in time
 */
export async function settled(
  { outcome: look, operators }: Playing,
  wanted: Outcome,
  acting: () => Promise<unknown> = () => Promise.resolve(),
): Promise<Outcome> {
  const writes = () => operators.reduce((sum, { proxy }) => sum + proxy.writes.length, operators.length);
  for (;;) {
    const outcome = await outcomeBecomes(look, wanted, 30_000);
    if (!isDeepStrictEqual(outcome, wanted)) return outcome;
    await acting();
    const before = writes();
    await sleep(quietMs);
    if (writes() === before) return look();
  }
}
