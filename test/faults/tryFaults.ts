import type { ControlPlane } from '../../tools/cluster/index.ts';
import type { Random } from '../support/index.ts';
import { faults } from './faults.ts';
import { lostOf, messageOf, spreadOf, tableOf, type Report } from './report.ts';
import { suffer, undisturbed, type Recovery } from './run.ts';

/** Which faults to try, and how. */
export interface Tries {
  readonly pattern: RegExp;
  readonly dice: Random;
  /** How often each is tried at each of the two moments. */
  readonly rounds: number;
  readonly outageMs: number;
}

/** Lets each fault strike again and again. @returns undefined where none of that name is known */
export async function tryFaults(
  plane: ControlPlane,
  { pattern, dice, rounds, outageMs }: Tries,
): Promise<Report | undefined> {
  const chosen = faults.filter(({ name }) => pattern.test(name));
  if (chosen.length === 0) return undefined;
  const rows: (readonly (string | number)[])[] = [];
  let failed = false;
  const wanted = await undisturbed(plane, dice);
  for (const fault of chosen) {
    const recoveries: Recovery[] = [];
    const failures: string[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const moment of ['arriving', 'reclaiming'] as const) {
        let result = 'as undisturbed';
        try {
          recoveries.push(await suffer(fault, { plane, dice, moment, outageMs, wanted }));
        } catch (error) {
          failures.push((result = messageOf(error)));
        }
        console.error(`${fault.name}, ${moment}: ${result}`);
      }
    }
    failed ||= failures.length > 0;
    const tried = recoveries.length + failures.length;
    const times = recoveries.flatMap(({ actsAgainMs }) => actsAgainMs ?? []);
    const limit = fault.limitSeconds === undefined ? '' : `${fault.limitSeconds} s`;
    rows.push([fault.what, tried, lostOf(failures.length, tried), spreadOf(times, 'goes on all the time'), limit]);
  }
  return { table: tableOf(['fault', 'tried', 'lost', 'acts again after: median, worst', 'limit'], rows), failed };
}
