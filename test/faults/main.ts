import process from 'node:process';
import { parseArgs } from 'node:util';

import { createTransport, loadKubeConfig } from '../../src/kube/index.ts';
import { applyCrds, startControlPlane } from '../../tools/cluster/index.ts';
import { Random } from '../support/index.ts';
import { faults } from './faults.ts';
import { suffer, undisturbed, type Recovery } from './run.ts';

const usage = `npm run faults -- [PATTERN] [--rounds N] [--outage SECONDS] [--seed N]

Runs a small scene on a real control plane again and again, lets one fault at a time strike in it, and compares what it
comes to with an undisturbed run. Prints the table of docs/reliability.md.
  PATTERN    a regular expression for the names of the faults; all of them without it
  --rounds   how often each is tried at each of two moments; 1 without it
  --outage   how long an API server that is away stays away; 20 without it
  --seed     where randomness begins; 1 without it`;

/** What became of one fault. */
interface Row {
  readonly what: string;
  readonly recoveries: Recovery[];
  readonly failures: string[];
  readonly limitSeconds: number | undefined;
}

const { values, positionals } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1' },
    outage: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', short: 'h' },
  },
  allowPositionals: true,
});
if (values.help === true) console.log(usage);
else await tryAll(new RegExp(positionals[0] ?? ''));

async function tryAll(pattern: RegExp): Promise<void> {
  const plane = await startControlPlane();
  const transport = createTransport({ kubeConfig: loadKubeConfig(plane.kubeconfig), userAgent: 'moa-faults' });
  const rows: Row[] = [];
  try {
    await applyCrds(transport);
    const dice = new Random(Number(values.seed));
    const wanted = await undisturbed(plane, dice);
    for (const fault of faults.filter(({ name }) => pattern.test(name))) {
      const row: Row = { what: fault.what, recoveries: [], failures: [], limitSeconds: fault.limitSeconds };
      rows.push(row);
      for (let round = 0; round < Number(values.rounds); round++) {
        for (const moment of ['arriving', 'reclaiming'] as const) {
          const outageMs = Number(values.outage) * 1000;
          try {
            row.recoveries.push(await suffer(fault, { plane, dice, moment, outageMs, wanted }));
          } catch (error) {
            row.failures.push(error instanceof Error ? error.message : String(error));
          }
          console.error(`${fault.name}, ${moment}: ${row.failures.at(-1) ?? 'as undisturbed'}`);
        }
      }
    }
  } finally {
    await transport.close();
    await plane.stop();
  }
  console.log(tableOf(rows));
  if (rows.some(({ failures }) => failures.length > 0)) process.exitCode = 1;
}

function tableOf(rows: readonly Row[]): string {
  const lines = rows.map(({ what, recoveries, failures, limitSeconds }) => {
    const tried = recoveries.length + failures.length;
    const lost = failures.length === 0 ? 'nothing' : `${failures.length} of ${tried} came to something else`;
    const limit = limitSeconds === undefined ? '' : `${limitSeconds} s`;
    return [what, tried, lost, spread(recoveries.map(({ actsAgainMs }) => actsAgainMs)), limit].join(' | ');
  });
  const head = 'fault | tried | lost | acts again after: median, worst | limit\n---|---|---|---|---';
  return `${head}\n${lines.join('\n')}`;
}

function spread(times: readonly (number | undefined)[]): string {
  const known = times.filter((time) => time !== undefined).sort((a, b) => a - b);
  const seconds = (ms: number | undefined) => `${((ms ?? 0) / 1000).toFixed(1)} s`;
  if (known.length === 0) return 'goes on all the time';
  return `${seconds(known[Math.floor(known.length / 2)])}, ${seconds(known.at(-1))}`;
}
