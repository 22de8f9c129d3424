import { after, before, describe, it } from 'node:test';

import { Random, withCluster } from '../support/index.ts';
import { faults } from './faults.ts';
import type { Outcome } from './outcomes.ts';
import { suffer, undisturbed, type Moment } from './run.ts';

/** One of each kind, at one moment each: `npm run faults` has all of them, at both, as often as one likes. */
const quick: Readonly<Record<string, Moment>> = {
  'leader killed': 'arriving',
  'leader told to end': 'arriving',
  'etcd restarted': 'reclaiming',
  '500 storm': 'reclaiming',
  'connections dropped': 'arriving',
  'events in disorder': 'arriving',
  'stale list': 'arriving',
};

describe('a fault in the middle of scheduling', () => {
  const cluster = withCluster({ crds: true });
  const seed = Date.now() % 100_000;
  const dice = new Random(seed);
  let wanted: Outcome | undefined;
  before(async () => {
    wanted = await undisturbed(cluster.plane, dice);
  });
  after(() => {
    console.log(`random numbers began at ${seed}`);
  });

  for (const fault of faults.filter(({ name }) => name in quick)) {
    it(`comes to what an undisturbed run comes to: ${fault.what}`, { timeout: 120_000 }, async () => {
      if (wanted === undefined) throw new Error('there is no undisturbed run to compare with');
      const moment = quick[fault.name] ?? 'arriving';
      await suffer(fault, { plane: cluster.plane, dice, moment, outageMs: 3000, wanted });
    });
  }
});
