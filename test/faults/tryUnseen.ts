import type { ControlPlane } from '../../tools/cluster/index.ts';
import { lostOf, messageOf, spreadOf, tableOf, type Report } from './report.ts';
import { allSeen, unseen, unseens, type Recovered } from './unseen.ts';

const columns = [
  'what is not seen',
  'tried',
  'lost',
  'ends not seen',
  'not in the ledger',
  'done after: median, worst',
];

/** Has things happen unseen again and again. @returns undefined where nothing of that name is known */
export async function tryUnseen(
  plane: ControlPlane,
  { pattern, rounds }: { readonly pattern: RegExp; readonly rounds: number },
): Promise<Report | undefined> {
  const chosen = unseens.filter(({ name }) => pattern.test(name));
  if (chosen.length === 0) return undefined;
  const rows: (readonly (string | number)[])[] = [];
  let failed = false;
  const wanted = await allSeen(plane);
  for (const way of chosen) {
    const recovered: Recovered[] = [];
    const failures: string[] = [];
    for (let round = 0; round < rounds; round++) {
      let result = 'as if all had been seen';
      try {
        recovered.push(await unseen(plane, way, wanted));
      } catch (error) {
        failures.push((result = messageOf(error)));
      }
      console.error(`${way.name}: ${result}`);
    }
    failed ||= failures.length > 0;
    const ends = recovered.reduce((sum, { unobserved }) => sum + unobserved, 0);
    const absent = recovered.reduce((sum, one) => sum + one.absent, 0);
    const times = recovered.map(({ doneMs }) => doneMs);
    rows.push([way.what, rounds, lostOf(failures.length, rounds), ends, absent, spreadOf(times, '')]);
  }
  return { table: tableOf(columns, rows), failed };
}
