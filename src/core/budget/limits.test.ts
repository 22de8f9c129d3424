import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatInstant, formatMilliGpus } from '../units/index.ts';
import { endAt, grantedAt, limitsAt, nextChangeAt } from './index.ts';
import { budget, extension, hours, moment, reduction, supplement } from './testing.ts';

/** DESIGN.md section 2.2. */
const kaist = budget({
  base: 2_242_560,
  carry: '0.5',
  grace: '0.2',
  adjustments: [supplement('2026-07-01', 50_000)],
});

describe('what a budget grants', () => {
  const table: Record<string, { spec: typeof kaist; at: string; want: string }> = {
    'the base, before any adjustment': { spec: kaist, at: '2026-06-30T23:59:59+09:00', want: '2242560' },
    'a supplement from midnight of its date in the zone of the pool': {
      spec: kaist,
      at: '2026-06-30T15:00:00Z',
      want: '2292560',
    },
    'a reduction takes away': {
      spec: budget({ adjustments: [supplement('2026-04-01', 300), reduction('2026-05-01', 450)] }),
      at: '2026-05-01',
      want: '850',
    },
    'never below 0': { spec: budget({ adjustments: [reduction('2026-04-01', 1500)] }), at: '2026-05-01', want: '0' },
    'what a supplement gives after too large a reduction counts from the true sum': {
      spec: budget({ adjustments: [reduction('2026-04-01', 1500), supplement('2026-05-01', 600)] }),
      at: '2026-05-01',
      want: '100',
    },
    'an entry dated on the first day of the period counts': {
      spec: budget({ adjustments: [supplement('2026-03-01', 1)] }),
      at: '2026-03-01',
      want: '1001',
    },
    'an entry of an earlier period counts no more': {
      spec: budget({ adjustments: [supplement('2025-07-01', 500), supplement('2026-02-28T23:59:59+09:00', 500)] }),
      at: '2026-05-01',
      want: '1000',
    },
    'more than there can be saturates instead of losing precision': {
      spec: budget({ adjustments: Array.from({ length: 12 }, () => supplement('2026-04-01', 999_999_999_999)) }),
      at: '2026-05-01',
      want: '3000000000000',
    },
  };
  for (const [rule, { spec, at, want }] of Object.entries(table)) {
    it(rule, () => assert.equal(formatMilliGpus(grantedAt(spec, moment(at))), want));
  }

  it('grace comes on top of all that is granted and carried over, rounded down to the milli-hour', () => {
    const limits = limitsAt(kaist, hours('1000.003'), moment('2026-07-01'));
    assert.deepEqual([limits.granted, limits.carriedOver, limits.soft, limits.hard].map(formatMilliGpus), [
      '2292560',
      '1000.003',
      '2293560.003',
      '2752272.003',
    ]);
  });
});

describe('the end of a period', () => {
  const first = extension('2027-01-10', '2027-05-31');
  const table: Record<string, { spec: typeof kaist; at: string; want: string }> = {
    'is the midnight after its last day': { spec: kaist, at: '2026-07-01', want: '2027-02-28T15:00:00Z' },
    'moves when an extension takes force, not before': {
      spec: budget({ adjustments: [first] }),
      at: '2027-01-09',
      want: '2027-02-28T15:00:00Z',
    },
    'is that of the extension from then on': {
      spec: budget({ adjustments: [first] }),
      at: '2027-01-10',
      want: '2027-05-31T15:00:00Z',
    },
    'is that of the last extension, even where it is earlier': {
      spec: budget({ adjustments: [first, extension('2027-01-11', '2027-03-31')] }),
      at: '2027-01-11',
      want: '2027-03-31T15:00:00Z',
    },
    'is never before the written end': {
      spec: budget({ adjustments: [extension('2026-05-01', '2026-06-30')] }),
      at: '2026-08-01',
      want: '2027-02-28T15:00:00Z',
    },
    'can be moved after it has passed': {
      spec: budget({ adjustments: [extension('2027-03-15', '2027-04-30')] }),
      at: '2027-03-15',
      want: '2027-04-30T15:00:00Z',
    },
  };
  for (const [rule, { spec, at, want }] of Object.entries(table)) {
    it(rule, () => assert.equal(formatInstant(endAt(spec, moment(at))), want));
  }
});

describe('the next change of the limits', () => {
  it('visits the start, every date of the period and its end, and then nothing', () => {
    const spec = budget({
      adjustments: [
        supplement('2025-07-01', 1),
        supplement('2026-07-01', 1),
        reduction('2026-07-01', 1),
        extension('2026-09-01', '2027-05-31'),
      ],
    });
    const visited: string[] = [];
    for (let at = nextChangeAt(spec, 0); at !== undefined; at = nextChangeAt(spec, at)) visited.push(formatInstant(at));
    assert.deepEqual(visited, [
      '2026-02-28T15:00:00Z',
      '2026-06-30T15:00:00Z',
      '2026-08-31T15:00:00Z',
      '2027-05-31T15:00:00Z',
    ]);
  });
});
