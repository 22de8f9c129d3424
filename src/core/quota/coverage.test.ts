import assert from 'node:assert/strict';
import { it } from 'node:test';
import { milli } from '../units/index.ts';
import { Coverage, type Guarantee, type Hold } from './coverage.ts';

/** Two classes, worth 1 and 2; 4 devices of the second are guaranteed, and 8 normalized GPUs of any. */
const guarantee: Guarantee = { flexible: milli(8000), classes: [0, 4], weights: [milli(1000), milli(2000)] };
const hold = (classIndex: number, devices: number, asBorrower = false): Hold => ({ classIndex, devices, asBorrower });

const table: Record<string, { holds: readonly Hold[]; want: readonly boolean[] }> = {
  'the oldest are covered, those beyond the guarantee are not': {
    holds: [hold(0, 4), hold(0, 4), hold(0, 1)],
    want: [true, true, false],
  },
  'a pod that does not fit whole is borrowed whole, and leaves what is left to a smaller one': {
    holds: [hold(0, 4), hold(0, 8), hold(0, 4)],
    want: [true, false, true],
  },
  'devices of a class use the guarantee of that class first, then that of any class': {
    holds: [hold(1, 4), hold(1, 2), hold(0, 4), hold(0, 1)],
    want: [true, true, true, false],
  },
  "one class's guarantee covers no other class": { holds: [hold(0, 8), hold(0, 1)], want: [true, false] },
  'a class that the guarantee does not know is not covered': { holds: [hold(2, 1), hold(0, 8)], want: [false, true] },
  'what a budget admitted as a borrower is not covered and uses nothing up': {
    holds: [hold(0, 8, true), hold(0, 8)],
    want: [false, true],
  },
};

for (const [rule, { holds, want }] of Object.entries(table)) {
  it(rule, () => {
    const coverage = new Coverage(guarantee);
    assert.deepEqual(
      holds.map((one) => coverage.cover(one)),
      want,
    );
  });
}
