import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Figure } from './case.ts';
import { summarize } from './summary.ts';

const rowOf = (figure: Omit<Figure, 'what'>, faults: readonly string[] = []) =>
  summarize(new Map([['fill', { figures: [{ what: 'x', ...figure }], faults }]])).rows[0]?.slice(2);

const table: Record<string, { got: readonly (string | number)[] | undefined; want: readonly string[] }> = {
  'a rate is met when it is reached exactly': {
    got: rowOf({ unit: 'pods/s', samples: [100_000], reach: { atLeast: 100_000 } }),
    want: ['100,000 pods/s', '100,000 pods/s', 'yes'],
  },
  'a time is not met when it is as long as the limit': {
    got: rowOf({ unit: 'ms', samples: [10], reach: { under: 10 } }),
    want: ['< 10 ms', '10 ms', 'NO'],
  },
  'several rounds show their median and range': {
    got: rowOf({ unit: 'µs', samples: [3.14159, 1, 9] }),
    want: ['', '3.14 µs [1-9]', ''],
  },
  'where the slowest count the 99th percentile is judged': {
    got: rowOf({
      unit: 'ms',
      samples: Array.from({ length: 100 }, (_, i) => i + 1),
      as: 'p99',
      reach: { under: 99 },
    }),
    want: ['< 99 ms', '99 ms p99 of 100 [1-100]', 'NO'],
  },
  'a figure whose answers were wrong is worth nothing': {
    got: rowOf({ unit: 'ms', samples: [1], reach: { under: 10 } }, ['two pods on one device']),
    want: ['< 10 ms', '1 ms', 'WRONG'],
  },
};

for (const [rule, { got, want }] of Object.entries(table)) {
  test(rule, () => {
    assert.deepEqual(got, want);
  });
}
