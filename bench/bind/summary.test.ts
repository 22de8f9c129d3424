import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ContenderName } from './contenders.ts';
import type { Measurement } from './measure.ts';
import { disturbance, summarize } from './summary.ts';

function measurement(contender: ContenderName, seconds: number, elsewhere = 0): Measurement {
  return {
    contender,
    kubernetes: 'v1.36.1',
    pods: 101,
    secondsFromStart: seconds + 1,
    secondsFromFirst: seconds,
    cpu: { contender: 1, apiServer: 2, etcd: 3, bench: 1, elsewhere },
    peakMemoryMiB: 50,
    faults: [],
  };
}

describe('summarize', () => {
  it('compares with the bare client of the same round', () => {
    // The machine was twice as slow in the second and third round; Moa is half as fast as the bare client throughout.
    const rounds = [1, 2, 2].flatMap((slowness) => [measurement('bare', slowness), measurement('moa', 2 * slowness)]);
    const { columns, rows } = summarize(rounds);
    assert.deepEqual(
      rows.map((row) => [row[0], row[1], row[columns.indexOf('of bare')]]),
      [
        ['bare', '50 [50-100]', '1.00'],
        ['moa', '25 [25-50]', '0.50'],
      ],
    );
  });

  it('has no ratio where the bare client did not run', () => {
    const { columns, rows } = summarize([measurement('moa', 1)]);
    assert.equal(rows[0]?.[columns.indexOf('of bare')], '-');
  });
});

describe('disturbance', () => {
  it('is silent on a quiet machine', () => {
    assert.deepEqual(disturbance([measurement('moa', 9, 1.9)], 2), []);
  });
  it('names the contenders that were disturbed', () => {
    const [note] = disturbance([measurement('bare', 9, 2.1), measurement('moa', 9)], 2);
    assert.match(note ?? '', /in 1 of 2 measurements \(bare\)/);
  });
});
