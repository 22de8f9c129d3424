import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createHealth } from './health.ts';

function atTime(milliseconds = 0) {
  const time = { milliseconds };
  return { time, health: createHealth(() => time.milliseconds) };
}

describe('liveness', () => {
  it('a process without loops is alive', () => {
    assert.deepEqual(atTime().health.liveness(), [{ name: 'ping' }]);
  });

  it('a loop may be silent exactly as long as it said, and no longer', () => {
    const { time, health } = atTime(5000);
    health.loop('scheduler', 60_000);
    time.milliseconds += 60_000;
    assert.deepEqual(health.liveness().at(1), { name: 'scheduler' });
    time.milliseconds += 30_400;
    assert.deepEqual(health.liveness().at(1), {
      name: 'scheduler',
      problem: 'no sign of life for 90.4 s, allowed are 60 s',
    });
  });

  it('a loop that comes back is alive again', () => {
    const { time, health } = atTime();
    const heartbeat = health.loop('scheduler', 1000);
    time.milliseconds = 5000;
    heartbeat.beat();
    assert.deepEqual(health.liveness().at(1), { name: 'scheduler' });
  });

  it('a loop that has ended as it should is not missed, and its name is free', () => {
    const { time, health } = atTime();
    const first = health.loop('scheduler', 1000);
    first.stop();
    time.milliseconds = 5000;
    assert.deepEqual(health.liveness(), [{ name: 'ping' }]);
    health.loop('scheduler', 1000);
    first.stop();
    assert.deepEqual(health.liveness().at(1), { name: 'scheduler' });
  });

  it('two loops of one name would hide each other, so the second is refused', () => {
    const { health } = atTime();
    health.loop('scheduler', 1000);
    assert.throws(() => health.loop('scheduler', 1000), /scheduler is already watched/);
  });
});

describe('readiness', () => {
  it('before anything is known to be needed, the process is starting', () => {
    assert.deepEqual(atTime().health.readiness(), [{ name: 'startup', problem: 'still starting' }]);
  });

  it('each condition is asked anew and says what is missing', () => {
    const { health } = atTime();
    let missing: string | undefined = 'the list of pods';
    health.requireReady('caches', () => missing);
    assert.deepEqual(health.readiness(), [{ name: 'caches', problem: 'the list of pods' }]);
    missing = undefined;
    assert.deepEqual(health.readiness(), [{ name: 'caches' }]);
  });

  it('a condition that throws is not met', () => {
    const { health } = atTime();
    health.requireReady('caches', () => {
      throw new Error('gone');
    });
    assert.deepEqual(health.readiness(), [{ name: 'caches', problem: 'the check itself failed: gone' }]);
  });
});
