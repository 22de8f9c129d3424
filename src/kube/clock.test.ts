import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from './clock.ts';
import { FakeClock } from './fake-clock.ts';

describe('the system clock', () => {
  it('moves the wall clock by the offset and leaves the monotonic one alone', () => {
    const day = 86_400_000;
    const plain = systemClock();
    const moved = systemClock(day);
    assert.ok(Math.abs(moved.now() - plain.now() - day) < 1000);
    assert.ok(Math.abs(moved.monotonic() - plain.monotonic()) < 1000);
  });

  it('sleeps for the whole time, never less', async () => {
    const clock = systemClock();
    const start = clock.monotonic();
    await clock.sleep(20);
    assert.ok(clock.monotonic() - start >= 20);
  });

  it('rejects a sleep with the reason of its signal, whether aborted before or meanwhile', async () => {
    const clock = systemClock();
    const reason = new Error('stop');
    await assert.rejects(clock.sleep(60_000, AbortSignal.abort(reason)), reason);
    const controller = new AbortController();
    const sleeping = clock.sleep(60_000, controller.signal);
    controller.abort(reason);
    await assert.rejects(sleeping, reason);
  });

  it('wraps a reason that is no error', async () => {
    await assert.rejects(systemClock().sleep(1, AbortSignal.abort('why')), { message: 'aborted', cause: 'why' });
  });

  it('sleeps longer than the longest timer of the platform', async () => {
    const controller = new AbortController();
    const sleeping = systemClock().sleep(2 ** 31 + 10, controller.signal);
    const first = await Promise.race([
      sleeping.then(() => 'woke'),
      systemClock()
        .sleep(20)
        .then(() => 'still asleep'),
    ]);
    controller.abort(new Error('stop'));
    await assert.rejects(sleeping);
    assert.equal(first, 'still asleep');
  });
});

describe('the fake clock', () => {
  it('wakes sleepers in the order they are due, at their own time', async () => {
    const clock = new FakeClock(1000);
    const woken: [string, number][] = [];
    for (const [name, ms] of [
      ['late', 30],
      ['early', 10],
      ['middle', 20],
    ] as const) {
      void clock.sleep(ms).then(() => woken.push([name, clock.now()]));
    }
    await clock.advance(25);
    assert.deepEqual(woken, [
      ['early', 1010],
      ['middle', 1020],
    ]);
    assert.equal(clock.now(), 1025);
    assert.equal(clock.sleeping, 1);
  });

  it('turns a loop that sleeps as often as it would in real time', async () => {
    const clock = new FakeClock();
    let turns = 0;
    const loop = async (): Promise<void> => {
      for (;;) {
        await clock.sleep(1000);
        turns += 1;
      }
    };
    void loop();
    await clock.advance(10_000);
    assert.equal(turns, 10);
  });

  it('lets the wall clock jump without waking anyone', async () => {
    const clock = new FakeClock(0);
    let woken = false;
    void clock.sleep(1000).then(() => {
      woken = true;
    });
    clock.jump(-5_000_000);
    await clock.advance(999);
    assert.equal(woken, false);
    assert.equal(clock.now(), -5_000_000 + 999);
    assert.equal(clock.monotonic(), 999);
  });

  it('rejects an aborted sleep and forgets it', async () => {
    const clock = new FakeClock();
    const controller = new AbortController();
    const sleeping = clock.sleep(1000, controller.signal);
    controller.abort(new Error('stop'));
    await assert.rejects(sleeping, { message: 'stop' });
    assert.equal(clock.sleeping, 0);
  });
});
