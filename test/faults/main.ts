import process from 'node:process';
import { parseArgs } from 'node:util';

import { createTransport, loadKubeConfig } from '../../src/kube/index.ts';
import { applyCrds, startControlPlane, type ControlPlane } from '../../tools/cluster/index.ts';
import { Random } from '../support/index.ts';
import { undisturbedCrashRun } from './crash.ts';
import { atEveryWrite, tableOfCrashes } from './everyWrite.ts';
import { faults } from './faults.ts';
import { suffer, undisturbed, type Recovery } from './run.ts';

const usage = `npm run faults -- [PATTERN] [--rounds N] [--outage SECONDS] [--seed N]
npm run faults -- --every-write [--planes N]

Runs a small scene on a real control plane again and again, lets one fault at a time strike in it, and compares what it
comes to with an undisturbed run. Prints the table of docs/reliability.md.
  PATTERN    a regular expression for the names of the faults; all of them without it
  --rounds   how often each is tried at each of two moments; 1 without it
  --outage   how long an API server that is away stays away; 20 without it
  --seed     where randomness begins; 1 without it

With --every-write, the operator dies instead at each of its writes in a smaller scene, once before the API server hears
of it and once before the operator hears what came of it, and is started again at once. Some 130 deaths of 9 seconds.
  --planes   on so many control planes at the same time; 1 without it`;

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
    'every-write': { type: 'boolean' },
    planes: { type: 'string', default: '1' },
    help: { type: 'boolean', short: 'h' },
  },
  allowPositionals: true,
});
if (values.help === true) console.log(usage);
else if (values['every-write'] === true) await onPlanes(Number(values.planes), tryEveryWrite);
else await onPlanes(1, ([plane]) => tryAll(plane, new RegExp(positionals[0] ?? '')));

type Planes = readonly [ControlPlane, ...ControlPlane[]];

/** Starts control planes, and stops them whatever happens. */
async function onPlanes(count: number, play: (planes: Planes) => Promise<void>): Promise<void> {
  const planes: [ControlPlane, ...ControlPlane[]] = [await startControlPlane()];
  try {
    while (planes.length < count) planes.push(await startControlPlane());
    for (const { kubeconfig } of planes) {
      const transport = createTransport({ kubeConfig: loadKubeConfig(kubeconfig), userAgent: 'moa-faults' });
      await applyCrds(transport).finally(() => transport.close());
    }
    await play(planes);
  } finally {
    await Promise.all(planes.map((plane) => plane.stop()));
  }
}

async function tryEveryWrite(planes: Planes): Promise<void> {
  const wanted = await undisturbedCrashRun(planes[0]);
  console.error(`undisturbed, the operator sends ${wanted.writes.length} writes`);
  const attempts = await atEveryWrite(planes, wanted, ({ nth, side, write, failure }) => {
    console.error(`${side} write ${nth}, ${write ?? 'which never came'}: ${failure ?? 'as undisturbed'}`);
  });
  console.log(tableOfCrashes(attempts));
  if (attempts.some(({ failure }) => failure !== undefined)) process.exitCode = 1;
}

async function tryAll(plane: ControlPlane, pattern: RegExp): Promise<void> {
  const rows: Row[] = [];
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
