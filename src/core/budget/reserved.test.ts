import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatMilliGpus, milli, oneMicro } from '../units/index.ts';
import { milliGpuHours, rateFor, ReservedTime, type ChargeRate, type RunningTime } from './index.ts';

const hour = 3_600_000;
const rate = (gpus: number) => rateFor(gpus * 1000, { weight: milli(1000), chargeFactor: oneMicro });

describe('reserved walltime', () => {
  const shown = (reserved: ReservedTime, quota: string, now: number) =>
    formatMilliGpus(milliGpuHours(reserved.at(quota, now)));

  it('is what is left of each walltime, children included, and 0 once it is over', () => {
    const reserved = new ReservedTime();
    reserved.begin({ id: 'a', quotas: ['kaist', 'alliance'], rate: rate(8), endsAt: 10 * hour });
    reserved.begin({ id: 'b', quotas: ['alliance'], rate: rate(1), endsAt: 4 * hour });
    const at = (now: number) => [shown(reserved, 'kaist', now), shown(reserved, 'alliance', now)];
    assert.deepEqual(at(0), ['80', '84']);
    assert.deepEqual(at(4 * hour), ['48', '48']);
    assert.deepEqual(at(9.75 * hour), ['2', '2']);
    assert.deepEqual(at(20 * hour), ['0', '0']);
  });

  it('comes back when the clock goes back', () => {
    const reserved = new ReservedTime();
    reserved.begin({ id: 'a', quotas: ['kaist'], rate: rate(1), endsAt: 4 * hour });
    assert.equal(shown(reserved, 'kaist', 5 * hour), '0');
    assert.equal(shown(reserved, 'kaist', 3 * hour), '1');
  });

  it('of what begins again counts once, by its last walltime', () => {
    const reserved = new ReservedTime();
    for (const endsAt of [4, 9]) reserved.begin({ id: 'a', quotas: ['kaist'], rate: rate(1), endsAt: endsAt * hour });
    assert.equal(shown(reserved, 'kaist', 0), '9');
    reserved.finish('a');
    reserved.finish('a');
    assert.equal(shown(reserved, 'kaist', 0), '0');
  });

  it('equals the sum over all that runs, whatever begins and ends and however the clock moves', () => {
    const quotas = [['a'], ['a', 'top'], ['b', 'top'], ['top']];
    const step = fc.oneof(
      fc.record({
        do: fc.constant('begin' as const),
        id: fc.nat(12).map(String),
        quotas: fc.constantFrom(...quotas),
        rate: fc.bigInt({ min: 0n, max: 10n ** 15n }).map((value) => value as ChargeRate),
        endsAt: fc.nat(100),
      }),
      fc.record({ do: fc.constant('finish' as const), id: fc.nat(12).map(String) }),
      fc.record({ do: fc.constant('look' as const), now: fc.nat(120) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const reserved = new ReservedTime();
        const running = new Map<string, RunningTime>();
        for (const each of steps) {
          if (each.do === 'begin') {
            reserved.begin(each);
            running.set(each.id, each);
          } else if (each.do === 'finish') {
            reserved.finish(each.id);
            running.delete(each.id);
          } else {
            for (const quota of ['a', 'b', 'top', 'unknown']) {
              const want: bigint = [...running.values()]
                .filter((one) => one.quotas.includes(quota) && one.endsAt > each.now)
                .reduce((sum, one) => sum + one.rate * BigInt(one.endsAt - each.now), 0n);
              assert.equal(reserved.at(quota, each.now), want);
            }
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
