import { before, describe, it } from 'node:test';

import { withCluster } from '../support/index.ts';
import { allSeen, unseen, unseens, type AllSeen } from './unseen.ts';

describe('what happens while nothing can be watched', () => {
  const cluster = withCluster({ crds: true });
  let wanted: AllSeen;
  before(async () => {
    wanted = await allSeen(cluster.plane);
  });

  for (const way of unseens.filter(({ name }) => /anew|burst/.test(name))) {
    it(`comes to what it comes to when all is seen: ${way.what}`, { timeout: 60_000 }, async () => {
      await unseen(cluster.plane, way, wanted);
    });
  }
});
