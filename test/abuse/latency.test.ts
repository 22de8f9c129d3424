import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { withCluster, withOperator } from '../support/index.ts';
import { attacks } from './attacks.ts';
import { quantile } from './probe.ts';
import { Scene } from './scene.ts';

/** `npm run bench -- abuse` does the same with ten times as much, and for longer. */
const extent = { size: 1000, seconds: 3, signal: new AbortController().signal };
/** Milliseconds. On a machine of our own it is tens; what this must find is a scheduler that stands still. */
const mostMedian = 5_000;

describe('what one institution does to others', () => {
  const cluster = withCluster({ crds: true });
  const operator = withOperator(cluster);
  let scene: Scene | undefined;
  before(
    async () => {
      scene = await Scene.create(cluster, operator, 20);
    },
    { timeout: 120_000 },
  );
  after(() => scene?.close());

  for (const attack of attacks) {
    it(`others start within seconds though one institution has or does this: ${attack.what}`, async (context) => {
      assert.ok(scene !== undefined);
      const { quiet, attacked, toldAfterMs, memory } = await scene.round(attack, extent);
      const of = (values: readonly number[]) => `${quantile(values, 0.5).toFixed(0)} ms`;
      context.diagnostic(
        `bound after ${of(attacked.moa)} instead of ${of(quiet.moa)} (API server alone ${of(attacked.bare)} instead of ` +
          `${of(quiet.bare)}), told after ${toldAfterMs.toFixed(0)} ms, ${memory.under.resident.toFixed(0)} MiB`,
      );
      assert.ok(quantile(attacked.moa, 0.5) < mostMedian, of(attacked.moa));
    });
  }
});
