import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dateAt, dayAt, monthAt } from './index.ts';

const at = Date.parse;
const hour = 3_600_000;

describe('calendar slots', () => {
  it('a day of Seoul begins at 15:00 UTC of the day before', () => {
    const want = { start: at('2026-02-28T15:00:00Z'), end: at('2026-03-01T15:00:00Z') };
    assert.deepEqual(dayAt(want.start, 'Asia/Seoul'), want);
    assert.deepEqual(dayAt(want.end - 1, 'Asia/Seoul'), want);
  });
  it('a day on which clocks go forward has 23 hours, one on which they go back 25', () => {
    const length = (date: string) => {
      const { start, end } = dayAt(at(`${date}T12:00:00Z`), 'Europe/Berlin');
      return (end - start) / hour;
    };
    assert.deepEqual([length('2026-03-29'), length('2026-10-25'), length('2026-06-01')], [23, 25, 24]);
  });
  it('a month begins at midnight of its first day and ends where the next begins', () => {
    const want = { start: at('2026-01-31T15:00:00Z'), end: at('2026-02-28T15:00:00Z') };
    assert.deepEqual(monthAt(at('2026-02-10T00:00:00Z'), 'Asia/Seoul'), want);
  });
  it('the date is that of the zone', () => {
    assert.equal(dateAt(at('2026-02-28T15:00:00Z'), 'Asia/Seoul'), '2026-03-01');
    assert.equal(dateAt(at('2026-02-28T15:00:00Z'), 'UTC'), '2026-02-28');
  });
  it('an unknown zone throws', () => assert.throws(() => dayAt(0, 'Mars/Base'), RangeError));
});
