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
          const at = dice.below(wanted.writes.length);
          const kind = wanted.writes[at]!;
          const nth = wanted.writes.slice(0, at + 1).filter((write) => write === kind).length;
          const pick = (count: number) => dice.below(count);
          const { crash, failure } = await attempt(cluster.plane, { kind, nth, side, wanted, pick });
          context.diagnostic(`at ${kind} ${nth}${crash === undefined ? ', which never came' : ''}`);
          assert.equal(failure, undefined);
        },
      );
    }
  }
});
