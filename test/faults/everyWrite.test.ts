import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { Random, withCluster } from '../support/index.ts';
import { undisturbedCrashRun, type Reference } from './crash.ts';
import { attempt } from './everyWrite.ts';
import { writeKinds } from './writeKind.ts';

/** Some of the deaths of `npm run faults -- --every-write`, others each time. */
const deaths = 2;

describe('an operator that dies at one of its writes and is started again', () => {
  const cluster = withCluster({ crds: true });
  const seed = Date.now() % 100_000;
  const dice = new Random(seed);
  let wanted: Reference;
  before(async () => {
    wanted = await undisturbedCrashRun(cluster.plane);
  });
  after(() => {
    console.log(`random numbers began at ${seed}`);
  });

  it('makes every kind of write that there is', () => {
    assert.deepEqual(new Set(wanted.writes), new Set(writeKinds));
  });

  for (const side of ['before', 'after'] as const) {
    for (let i = 0; i < deaths / 2; i++) {
      it(
        `comes to what an undisturbed one comes to: dead ${side} the API server has heard of it`,
        { timeout: 60_000 },
        async (context) => {
          const nth = 1 + dice.below(wanted.writes.length);
          const { write, failure } = await attempt(cluster.plane, {
            nth,
            side,
            wanted,
            pick: (count) => dice.below(count),
          });
          context.diagnostic(`at write ${nth}, ${write ?? 'which never came'}`);
          assert.equal(failure, undefined);
        },
      );
    }
  }
});
