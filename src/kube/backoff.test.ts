import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { backOffMs } from './backoff.ts';

const backOff = { baseMs: 100, maxMs: 1000 };

const cases: Record<string, { failures: number; random: number; want: number }> = {
  'begins with at least half of the base': { failures: 1, random: 0, want: 50 },
  'doubles with each failure': { failures: 3, random: 0, want: 200 },
  'is jittered up to what is due': { failures: 3, random: 0.5, want: 300 },
  'does not grow above its maximum': { failures: 20, random: 0, want: 500 },
  'stays finite however often something failed': { failures: 100_000, random: 0, want: 500 },
};

describe('a back-off', () => {
  for (const [name, { failures, random, want }] of Object.entries(cases)) {
    it(name, () =>
      assert.equal(
        backOffMs(backOff, failures, () => random),
        want,
      ),
    );
  }
});
