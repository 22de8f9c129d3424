import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Collects garbage, so that what was made before is not paid for in what is measured next. */
export function collectGarbage(): void {
  collect();
}

/** Bytes that live objects take, typed arrays included. */
export function liveBytes(): number {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** What the timed runs since the last look took, in milliseconds. */
const sum = { wall: 0, processor: 0 };

/** Runs it once. Milliseconds, and what it returned: a result that no one reads may never have been worked out. */
export function timed<T>(run: () => T): { readonly ms: number; readonly value: T } {
  const before = process.threadCpuUsage();
  const began = performance.now();
  const value = run();
  const ms = performance.now() - began;
  const { user, system } = process.threadCpuUsage(before);
  sum.wall += ms;
  sum.processor += (user + system) / 1000;
  return { ms, value };
}

/** For which share of the time of the timed runs since the last call the thread had a processor. */
export function takeAttendance(): number {
  const share = sum.processor / sum.wall;
  sum.wall = sum.processor = 0;
  return share;
}

/** The smallest value that at least this share of the values does not exceed. NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}
