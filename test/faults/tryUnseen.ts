import type { ControlPlane } from '../../tools/cluster/index.ts';
import { lostOf, messageOf, spreadOf, tableOf, type Report } from './report.ts';
import { allSeen, unseen, unseens, type Recovered } from './unseen.ts';

/** Has things happen unseen again and again. */
export async function tryUnseen(
  plane: ControlPlane,
  { pattern, rounds }: { readonly pattern: RegExp; readonly rounds: number },
): Promise<Report> {
  const chosen = unseens.filter(({ name }) => pattern.test(name));
  const rows: (readonly (string | number)[])[] = [];
  let failed = false;
  if (chosen.length > 0) {
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
      const times = recovered.map(({ doneMs }) => doneMs);
      rows.push([way.what, rounds, lostOf(failures.length, rounds), ends, spreadOf(times, '')]);
    }
  }
  return {
    table: tableOf(['what is not seen', 'tried', 'lost', 'ends not seen', 'done after: median, worst'], rows),
    failed,
  };
}
