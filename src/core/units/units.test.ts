import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  formatDuration,
  formatMilliGpus,
  milli,
  mulDivFloor,
  parseDuration,
  parseInstant,
  parseMicro,
  parseMilliGpus,
  parsePeriodEnd,
  parseResourceQuantity,
  scaleDown,
} from './index.ts';

describe('quantities', () => {
  const table: [string, string | number, number | undefined][] = [
    ['a whole number is thousands of milli-units', 2, 2000],
    ['text with decimals is exact', '0.25', 250],
    ['three decimals are the finest', '0.001', 1],
    ['a fourth decimal is refused', '0.0001', undefined],
    ['a negative number is refused', '-1', undefined],
    ['an exponent is refused', '1e3', undefined],
    ['empty text is refused', '', undefined],
    ['a point without decimals is refused', '1.', undefined],
  ];
  for (const [rule, text, want] of table) it(rule, () => assert.equal(parseMilliGpus(text), want));

  it('reading what was written gives the same number back', () => {
    fc.assert(fc.property(fc.nat(2 ** 40), (n) => assert.equal(parseMilliGpus(formatMilliGpus(n)), n)));
  });

  it('products beyond 2^53 stay exact', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 45), fc.nat(1_000_000), (a, b) =>
        assert.equal(mulDivFloor(a, b, 1_000_000), Number((BigInt(a) * BigInt(b)) / 1_000_000n)),
      ),
    );
  });

  it('a share of 3,056 GPUs at 0.2487 rounds down to the milli-unit', () => {
    assert.equal(formatMilliGpus(scaleDown(milli(3_056_000), parseMicro('0.2487')!)), '760.027');
  });
});

describe('durations', () => {
  const table: [string, string, number | undefined][] = [
    ['Go minutes', '15m', 900_000],
    ['Go parts add up', '1h30m', 5_400_000],
    ['Go fractions', '1.5h', 5_400_000],
    ['ISO months are thirty days each', 'P12M', 360 * 86_400_000],
    ['ISO minutes stand behind the T', 'PT15M', 900_000],
    ['ISO weeks', 'P2W', 14 * 86_400_000],
    ['a bare number is no duration', '15', undefined],
    ['an unknown unit is refused', '15d', undefined],
    ['P alone is refused', 'P', undefined],
    ['PT alone is refused', 'PT', undefined],
    ['a negative duration is refused', '-5m', undefined],
    ['empty text is refused', '', undefined],
  ];
  for (const [rule, text, want] of table) it(rule, () => assert.equal(parseDuration(text), want));

  it('speaks in at most two parts', () => {
    assert.equal(formatDuration(7_500_000), '2h 5m');
    assert.equal(formatDuration(0), '0s');
    assert.equal(formatDuration(3 * 86_400_000), '3d');
  });
});

describe('dates', () => {
  it('a bare date is midnight in the time zone of the pool', () => {
    assert.equal(parseInstant('2026-03-01', 'Asia/Seoul'), Date.parse('2026-02-28T15:00:00Z'));
  });
  it('a bare end date is inclusive', () => {
    assert.equal(parsePeriodEnd('2027-02-28', 'UTC'), Date.parse('2027-03-01T00:00:00Z'));
  });
  it('an instant is taken as it is', () => {
    assert.equal(parsePeriodEnd('2027-02-28T12:00:00+09:00', 'UTC'), Date.parse('2027-02-28T03:00:00Z'));
  });
  it('a day that does not exist is refused', () => assert.equal(parseInstant('2026-02-30', 'UTC'), undefined));
  it('an unknown time zone is refused', () => assert.equal(parseInstant('2026-02-20', 'Mars/Base'), undefined));
});

describe('resource quantities of Kubernetes', () => {
  const table: [string, string, string | number, number | undefined][] = [
    ['cpu counts thousandths', 'cpu', '500m', 500],
    ['cpu in decimals is exact', 'cpu', '0.1', 100],
    ['cpu below a thousandth rounds up', 'cpu', '100u', 1],
    ['memory counts bytes', 'memory', '2Gi', 2 ** 31],
    ['memory in thousandths rounds up to a byte', 'memory', '1500m', 2],
    ['an exponent is read', 'memory', '1e3', 1000],
    ['devices are whole', 'nvidia.com/gpu', '8', 8],
    ['text is refused', 'cpu', 'many', undefined],
  ];
  for (const [rule, resource, text, want] of table)
    it(rule, () => assert.equal(parseResourceQuantity(resource, text), want));
});
