import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { accessWindowMs, countedReclaims, reclaimsOfStatus, reclaimStatus, type Reclaim } from './reclaims.ts';

const now = Date.parse('2026-06-01T00:00:00Z');

function reclaims(...seconds: readonly number[]): Reclaim[] {
  return seconds.map((each, i) => ({ at: now - 1000 + i, seconds: each, breach: false }));
}

describe('the access that an investor gets', () => {
  it('95 of 100 reclaims were done within p95Seconds', () => {
    const hundred = reclaims(...Array.from({ length: 100 }, (_, i) => 100 - i));
    assert.equal(reclaimStatus({ reclaims: hundred, waitingSince: [] }, undefined, now).p95Seconds, 95);
    assert.equal(reclaimStatus({ reclaims: reclaims(7), waitingSince: [] }, undefined, now).p95Seconds, 7);
    assert.equal(reclaimStatus({ reclaims: [], waitingSince: [] }, undefined, now).p95Seconds, 0);
  });

  it('a reclaim counts for 30 days', () => {
    const breach = { at: now - accessWindowMs, seconds: 9, breach: true };
    const breaches = (at: number) => reclaimStatus({ reclaims: [breach], waitingSince: [] }, 1000, at).breaches;
    assert.deepEqual([breaches(now - 1), breaches(now)], [1, 0]);
  });

  it('a wait that is past the promise is a breach though it goes on; without a promise there is none', () => {
    const record = { reclaims: [], waitingSince: [now - 60_000, now - 60_001] };
    assert.equal(reclaimStatus(record, 60_000, now).breaches, 1);
    assert.equal(reclaimStatus(record, undefined, now).breaches, 0);
  });

  it('of more than a hundred the latest are kept, breaches before others', () => {
    const [first, ...rest] = reclaims(...Array.from({ length: 150 }, (_, i) => i));
    const counted = countedReclaims([{ ...first!, breach: true }, ...rest], now);
    assert.deepEqual(
      counted.map(({ seconds }) => seconds),
      [0, ...Array.from({ length: 99 }, (_, i) => i + 51)],
    );
  });

  it('what a status keeps is read back as it was', () => {
    const record = [...reclaims(1, 2, 3), { at: now, seconds: 9, breach: true }];
    const status = { reclaim: reclaimStatus({ reclaims: record, waitingSince: [] }, 1000, now) };
    assert.deepEqual(reclaimsOfStatus(status), record);
  });
});
