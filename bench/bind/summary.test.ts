import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ContenderName } from './contenders.ts';
import { disturbance, summarize, type RoundMeasurement } from './summary.ts';

function measurement(contender: ContenderName, seconds: number, { elsewhere = 0, round = 1 } = {}): RoundMeasurement {
  return {
    round,
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
    const rounds = [1, 2, 2].flatMap((slowness, round) => [
      measurement('bare', slowness, { round }),
      measurement('moa', 2 * slowness, { round }),
    ]);
    const { columns, rows } = summarize(rounds);
    assert.deepEqual(
      rows.map((row) => [row[0], row[1], row[columns.indexOf('of bare')]]),
      [
        ['bare', '50 [50-100]', '1.00'],
        ['moa', '25 [25-50]', '0.50'],
      ],
    );
  });

  it('a round that the bare client missed has no ratio', () => {
    const second = [measurement('bare', 1, { round: 2 }), measurement('moa', 2, { round: 2 })];
    const { columns, rows } = summarize([measurement('moa', 1), ...second]);
    assert.equal(rows[1]?.[columns.indexOf('of bare')], '0.50');
  });

  it('has no ratio where the bare client did not run', () => {
    const { columns, rows } = summarize([measurement('moa', 1)]);
    assert.equal(rows[0]?.[columns.indexOf('of bare')], '-');
  });
});

describe('disturbance', () => {
  it('is silent on a quiet machine', () => {
    assert.deepEqual(disturbance([measurement('moa', 9, { elsewhere: 1.9 })], 2), []);
  });
  it('names the contenders that were disturbed', () => {
    const [note] = disturbance([measurement('bare', 9, { elsewhere: 2.1 }), measurement('moa', 9)], 2);
    assert.match(note ?? '', /in 1 of 2 measurements \(bare\)/);
  });
});
