import process from 'node:process';
import { parseArgs } from 'node:util';

import { createTransport, loadKubeConfig } from '../../src/kube/index.ts';
import { applyCrds, startControlPlane, type ControlPlane } from '../../tools/cluster/index.ts';
import { Random } from '../support/index.ts';
import { undisturbedCrashRun } from './crash.ts';
import { atEveryWrite, reportOf } from './everyWrite.ts';
import type { Planes, Report } from './report.ts';
import { tryFaults } from './tryFaults.ts';
import { tryUnseen } from './tryUnseen.ts';

const usage = `npm run faults -- [PATTERN] [--rounds N] [--outage SECONDS] [--seed N]
npm run faults -- --every-write [--planes N] [--seed N]

Runs a small scene on a real control plane again and again, lets one fault at a time strike in it, and compares what it
comes to with an undisturbed run. Then does the same with what happens while nothing can be watched. Prints the tables of
docs/reliability.md.
  PATTERN    a regular expression for the names of what is tried; all of it without it
  --rounds   how often each fault is tried at each of two moments, and each time without watches; 1 without it
  --outage   how long an API server that is away stays away; 20 without it
  --seed     where randomness begins; 1 without it

With --every-write, the operator dies instead at each of its writes, once before the API server hears of it and once
before the operator hears what came of it, and is started again at once: some 130 deaths of 10 seconds.
  --planes   on so many control planes at the same time; 1 without it
  --seed     writes that are under way at the same time overtake each other at random; without it they keep their order`;

const { values, positionals } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1' },
    outage: { type: 'string', default: '20' },
    seed: { type: 'string' },
    'every-write': { type: 'boolean' },
    planes: { type: 'string', default: '1' },
    help: { type: 'boolean', short: 'h' },
  },
  allowPositionals: true,
});
if (values.help === true) console.log(usage);
else if (values['every-write'] === true) await onPlanes(Number(values.planes), dieAtEveryWrite);
else await onPlanes(1, tryAll);

/** Starts control planes, and stops them whatever happens. */
async function onPlanes(count: number, play: (planes: Planes) => Promise<readonly Report[]>): Promise<void> {
  const planes: [ControlPlane, ...ControlPlane[]] = [await startControlPlane()];
  try {
    while (planes.length < count) planes.push(await startControlPlane());
    for (const { kubeconfig } of planes) {
      const transport = createTransport({ kubeConfig: loadKubeConfig(kubeconfig), userAgent: 'moa-faults' });
      await applyCrds(transport).finally(() => transport.close());
    }
    for (const { table, failed } of await play(planes)) {
      console.log(`${table}\n`);
      if (failed) process.exitCode = 1;
    }
  } finally {
    await Promise.all(planes.map((plane) => plane.stop()));
  }
}

async function tryAll([plane]: Planes): Promise<readonly Report[]> {
  const pattern = new RegExp(positionals[0] ?? '');
  const [rounds, outageMs] = [Number(values.rounds), Number(values.outage) * 1000];
  const faults = await tryFaults(plane, { pattern, dice: new Random(Number(values.seed ?? 1)), rounds, outageMs });
  const unseen = await tryUnseen(plane, { pattern, rounds });
  return [faults, unseen].filter((report) => report !== undefined);
}

async function dieAtEveryWrite(planes: Planes): Promise<readonly Report[]> {
  const wanted = await undisturbedCrashRun(planes[0]);
  console.error(`undisturbed, the operator sends ${wanted.writes.length} writes`);
  const dice = values.seed === undefined ? undefined : new Random(Number(values.seed));
  const pick = (count: number) => dice?.below(count) ?? 0;
  const attempts = await atEveryWrite(planes, { wanted, pick }, ({ kind, nth, side, crash, failure }) => {
    const told = crash === undefined ? 'as undisturbed, which never came' : `as undisturbed, ${JSON.stringify(crash)}`;
    console.error(`${side} ${kind} ${nth}: ${failure ?? told}`);
  });
  return [reportOf(attempts)];
}
