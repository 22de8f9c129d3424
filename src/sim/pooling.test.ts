import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { sharesOf } from './pooling.ts';
import { jainIndexOf } from './summary.ts';
import { sampleDay, type TraceJob } from './traces/index.ts';
import { parseWalltimes } from './walltimes.ts';

const asks = (institution: string, gpus: number): TraceJob => ({
  id: institution,
  institution,
  gpus,
  submitSeconds: 0,
  durationSeconds: 3600,
});

it('shares are whole nodes in proportion to what is asked for, at least one each', () => {
  const shares = sharesOf([asks('a', 60), asks('b', 30), asks('c', 1)], 10);
  assert.deepEqual(Object.fromEntries(shares), { a: 48, b: 24, c: 8 });
});

it('shares sum to the pool, whatever is asked for, and who asks for more has no less', () => {
  fc.assert(
    fc.property(fc.nat(100), fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 40 }), (seed, jobs, nodes) => {
      const shares = [...sharesOf(sampleDay({ seed, jobs }), nodes).values()];
      assert.equal(
        shares.reduce((sum, share) => sum + share, 0),
        nodes * 8,
      );
      assert.deepEqual(
        shares,
        shares.toSorted((a, b) => b - a),
      );
    }),
  );
});

it('Jain’s index is 1 where all are served alike, and 1/n where one has everything', () => {
  assert.equal(jainIndexOf([0.5, 0.5, 0.5]), 1);
  assert.equal(jainIndexOf([0, 3, 0, 0]), 0.25);
  assert.equal(jainIndexOf([]), 1);
});

const hour = 3_600_000;
const walltimes: Record<string, { text: string; duration: number; want: number }> = {
  'who knows declares the truth': { text: 'exact', duration: 1234, want: 1234 },
  'a factor is rounded up to whole hours': { text: 'x2', duration: 1.6 * hour, want: 4 * hour },
  'a factor may be a fraction': { text: 'x1.5', duration: 2 * hour, want: 3 * hour },
  'a duration holds for every job, too short ones included': { text: '24h', duration: 90 * hour, want: 24 * hour },
};
for (const [rule, { text, duration, want }] of Object.entries(walltimes)) {
  it(`walltimes: ${rule}`, () => assert.equal(parseWalltimes(text)(duration), want));
}

for (const text of ['', 'twice', 'x0', '0', '-1h']) {
  it(`walltimes: "${text}" is refused, saying what to write`, () => {
    assert.throws(() => parseWalltimes(text), /write exact, a factor such as x2, or a duration such as 24h/);
  });
}
