import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatMilliGpus, micros, milli, oneMicro } from '../units/index.ts';
import {
  addCharges,
  chargeFor,
  chargeOfHours,
  chargeOver,
  hoursNeededFor,
  milliGpuHours,
  noCharge,
  rateFor,
  type Charge,
} from './index.ts';
import { hours } from './testing.ts';

const hour = 3_600_000;
const year = 365 * 24 * hour;
const full = (weight: number) => ({ weight: milli(weight), chargeFactor: oneMicro });

describe('a charge', () => {
  const table: Record<string, { devices: number; weight: number; time: number; factor?: number; want: string }> = {
    '256 H200 for a year are 2,242,560 hours': { devices: 256, weight: 1000, time: year, want: '2242560' },
    '128 B200 of weight 2 for a year are as many': { devices: 128, weight: 2000, time: year, want: '2242560' },
    'an accelerator of weight 0.25 costs a quarter': { devices: 4, weight: 250, time: hour, want: '1' },
    'half a device costs half': { devices: 0.5, weight: 1000, time: hour, want: '0.5' },
    'borrowed at factor 0.5 costs half': { devices: 8, weight: 1000, time: hour, factor: 500_000, want: '4' },
    'borrowed at factor 0 costs nothing': { devices: 8, weight: 1000, time: hour, factor: 0, want: '0' },
    'less than a milli-hour shows as none': { devices: 1, weight: 1000, time: 3599, want: '0' },
    '3.6 seconds of one GPU are a milli-hour': { devices: 1, weight: 1000, time: 3600, want: '0.001' },
  };
  for (const [rule, { devices, weight, time, factor = 1_000_000, want }] of Object.entries(table)) {
    it(rule, () => {
      const rate = rateFor(devices * 1000, { weight: milli(weight), chargeFactor: micros(factor) });
      assert.equal(formatMilliGpus(milliGpuHours(chargeOver(rate, time))), want);
    });
  }

  it('is the same by rate and time as by device time', () => {
    assert.equal(chargeFor(8000n * 60_000n, full(2000)), chargeOver(rateFor(8000, full(2000)), 60_000));
  });

  it('of parts of an interval, of devices and of time, sums to that of the whole', () => {
    const cuts = fc.array(fc.nat(year), { maxLength: 8 });
    fc.assert(
      fc.property(
        fc.nat(10 ** 9),
        fc.nat(10 ** 9),
        fc.record({ weight: fc.nat(10 ** 7).map(milli), chargeFactor: fc.nat(2 * 10 ** 6).map(micros) }),
        cuts,
        (devices, others, price, at) => {
          const edges = [0, ...at.sort((a, b) => a - b), year];
          const parts = edges.slice(1).flatMap((end, i) => {
            const time = end - edges[i]!;
            return [chargeOver(rateFor(devices, price), time), chargeOver(rateFor(others, price), time)];
          });
          assert.equal(parts.reduce(addCharges, noCharge), chargeOver(rateFor(devices + others, price), year));
        },
      ),
    );
  });

  it('of hours gives the hours back, and the least more needs another milli-hour', () => {
    fc.assert(
      fc.property(fc.nat(10 ** 15 - 1), (value) => {
        const charge = chargeOfHours(hours(formatMilliGpus(value)));
        assert.equal(milliGpuHours(charge), value);
        assert.equal(hoursNeededFor(charge), value);
        assert.equal(hoursNeededFor(addCharges(charge, 1n as Charge)), value + 1);
        assert.equal(milliGpuHours((charge - 1n) as Charge), Math.max(0, value - 1));
      }),
    );
  });
});
