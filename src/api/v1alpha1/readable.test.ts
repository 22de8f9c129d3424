import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { z } from 'zod';
import { parseDuration, parseInstant, parseMicro, parseMilliGpus } from '../../core/units/index.ts';
import { date } from './dates.ts';
import { duration, noLongerThan } from './durations.ts';
import { factor, fraction, gpuHours, positiveQuantity, quantity } from './numbers.ts';

type Scalar = string | number;

/** Text made of the pieces that the forms are made of, so that about half of it is accepted. */
const pieces = (...parts: readonly string[]) =>
  fc.array(fc.constantFrom(...parts), { minLength: 1, maxLength: 6 }).map((each) => each.join(''));

const decimals = fc.oneof(fc.integer({ min: -2 }), pieces('0', '1', '25', '.', '999', '000001'));
const durations = fc.oneof(
  pieces('1h', '30m', '0.5s', '90ms', '1', '.', 'h', '-', 'P'),
  pieces('3D', '1Y', '12M', '2W', 'T', 'T1H', 'T15M', '90S', 'D').map((parts) => `P${parts}`),
);
const dates = fc.oneof(
  pieces('2026', '-02', '-12', '-30', '-31', 'T', '09:00:00', 'Z', '+09:00', '.123'),
  fc
    .date({ min: new Date('2000-01-01'), max: new Date('2199-12-31'), noInvalidDate: true })
    .map((day) => day.toISOString()),
  fc.tuple(fc.nat(13), fc.nat(32)).map(([m, d]) => `2028-${String(m).padStart(2, '0')}-${String(d).padStart(2, '0')}`),
);

describe('what the schema accepts, the core can read:', () => {
  const table: readonly [
    what: string,
    schema: z.ZodType,
    texts: fc.Arbitrary<Scalar>,
    read: (text: never) => unknown,
  ][] = [
    ['quantities', quantity(), decimals, parseMilliGpus],
    ['quantities above 0', positiveQuantity(), decimals, (text) => (parseMilliGpus(text) ?? 0) > 0 || undefined],
    ['GPU-hours', gpuHours(), decimals, parseMilliGpus],
    ['fractions', fraction(), decimals, (text) => (parseMicro(text) ?? 2e6) <= 1e6 || undefined],
    ['factors', factor(), decimals, parseMicro],
    ['durations', duration(), durations, parseDuration],
    ['dates', date(), dates, (text) => parseInstant(text, 'Asia/Seoul')],
  ];
  for (const [what, schema, texts, read] of table) {
    it(what, () => {
      let accepted = 0;
      fc.assert(
        fc.property(texts, (text) => {
          if (!schema.safeParse(text).success) return;
          accepted += 1;
          assert.notEqual(read(text as never), undefined, `${text} is accepted, but cannot be read`);
        }),
        { numRuns: 3000 },
      );
      assert.ok(accepted > 30, `only ${accepted} texts were accepted`);
    });
  }

  it('and the schema compares durations as the core does', () => {
    const rule = noLongerThan<{ a: string; b: string }>('a', 'b');
    const valid = durations.filter((text) => duration().safeParse(text).success);
    fc.assert(
      fc.property(valid, valid, (a, b) => {
        const [x, y] = [parseDuration(a) ?? NaN, parseDuration(b) ?? NaN];
        // The core counts whole milliseconds; the schema is finer.
        if (x !== y) assert.equal(rule.holds({ a, b }), x < y, `${a} and ${b}`);
      }),
    );
  });
});
