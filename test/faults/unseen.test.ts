import { after, before, describe, it } from 'node:test';

import { Random, withCluster } from '../support/index.ts';
import { allSeen, unseen, unseens, type AllSeen } from './unseen.ts';

describe('what happens while nothing can be watched', () => {
  const cluster = withCluster({ crds: true });
  const seed = Date.now() % 100_000;
  /** One of them: `npm run faults` has all. */
  const way = new Random(seed).pick(unseens);
  let wanted: AllSeen;
  before(async () => {
    wanted = await allSeen(cluster.plane);
  });
  after(() => {
    console.log(`random numbers began at ${seed}`);
  });

  it(`comes to what it comes to when all is seen: ${way.what}`, { timeout: 60_000 }, async () => {
    await unseen(cluster.plane, way, wanted);
  });
});
