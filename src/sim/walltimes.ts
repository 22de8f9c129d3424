import { parseDuration } from '../core/units/index.ts';

/** What a user declares for a job that then runs so long. Both in milliseconds. */
export type Walltimes = (duration: number) => number;

const hour = 3_600_000;

/**
 * How users declare walltimes, since traces do not tell: `exact`, as if they knew; `xN`, N times the truth rounded up to
 * whole hours, since people play safe; or a duration (`24h`) that everyone writes whatever the job. A job that outlives
 * its walltime goes on until it is evicted.
 *
 * @throws Error that says what to write instead
 */
export function parseWalltimes(text: string): Walltimes {
  if (text === 'exact') return (duration) => duration;
  const factor = /^x(\d+(?:\.\d+)?)$/.exec(text)?.[1];
  if (factor !== undefined && Number(factor) > 0) {
    return (duration) => Math.ceil((duration * Number(factor)) / hour) * hour;
  }
  const fixed = parseDuration(text);
  if (fixed !== undefined && fixed > 0) return () => fixed;
  throw new Error(`--walltime "${text}": write exact, a factor such as x2, or a duration such as 24h`);
}
