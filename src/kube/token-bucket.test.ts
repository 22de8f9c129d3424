import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from './fake-clock.ts';
import { TokenBucket } from './token-bucket.ts';

describe('a token bucket', () => {
  it('gives a burst at once, then the rate', async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket({ perSecond: 2, burst: 3 }, clock);
    const take = (): boolean => bucket.tryTake();
    assert.deepEqual([take(), take(), take(), take()], [true, true, true, false]);
    await clock.advance(500);
    assert.deepEqual([take(), take()], [true, false]);
  });

  it('saves no more than a burst', async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket({ perSecond: 100, burst: 2 }, clock);
    await clock.advance(3_600_000);
    assert.deepEqual([bucket.tryTake(), bucket.tryTake(), bucket.tryTake()], [true, true, false]);
  });

  it('tells those who reserve how long to wait, each behind the one before', async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket({ perSecond: 10, burst: 1 }, clock);
    assert.deepEqual([bucket.reserve(), bucket.reserve(), bucket.reserve()], [0, 100, 200]);
    await clock.advance(300);
    assert.equal(bucket.reserve(), 0);
  });

  it('does not give to others what is reserved', async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket({ perSecond: 10, burst: 1 }, clock);
    bucket.reserve();
    bucket.reserve();
    await clock.advance(100);
    assert.equal(bucket.tryTake(), false);
    await clock.advance(100);
    assert.equal(bucket.tryTake(), true);
  });
});
