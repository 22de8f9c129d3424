/** Doubling delays: `baseMs` after the first failure, then twice as long each time, up to `maxMs`. */
export interface BackOff {
  readonly baseMs: number;
  readonly maxMs: number;
}

/**
 * How long to stay away after so many failures in a row (1 or more): between half of what is due and all of it, so that
 * those who failed together do not come back together.
 *
 * @param random 0 <= r < 1
 */
export function backOffMs({ baseMs, maxMs }: BackOff, failures: number, random: () => number): number {
  const due = Math.min(maxMs, baseMs * 2 ** (failures - 1));
  return due * (0.5 + random() / 2);
}
