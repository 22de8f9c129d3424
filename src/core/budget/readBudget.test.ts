import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resource } from '../../../test/support/fleet.ts';
import { budgetSpecOf } from './index.ts';
import { budget, extension, reduction, supplement } from './testing.ts';

const period = { start: '2026-03-01', end: '2027-02-28' };

function read(written: object | undefined, timeZone = 'Asia/Seoul') {
  const spec = { poolName: 'national', ...(written === undefined ? {} : { budget: written }) };
  return budgetSpecOf(resource('ResearchQuota', 'kaist', { spec }), timeZone);
}

describe('the budget of a manifest', () => {
  it('is read into integers and moments of the zone, adjustments in the order of their dates', () => {
    const got = read({
      normalizedGpuHours: '2242560',
      period,
      carryover: { maxFraction: '0.5' },
      overdraft: { graceFraction: '0.2' },
      adjustments: [
        { name: 'e1', date: '2027-01-10', kind: 'Extension', end: '2027-05-31' },
        { name: 's1', date: '2026-07-01', kind: 'Supplement', normalizedGpuHours: '50000', note: 'award 2026-17' },
        { name: 'r1', date: '2026-08-01', kind: 'Reduction', normalizedGpuHours: 10 },
      ],
    });
    const adjustments = [
      supplement('2026-07-01', 50_000),
      reduction('2026-08-01', 10),
      extension('2027-01-10', '2027-05-31'),
    ];
    assert.deepEqual(got, {
      budget: budget({ base: 2_242_560, carry: '0.5', grace: '0.2', adjustments }),
      problems: [],
    });
  });

  it('carries nothing over and gives no grace unless it says so', () => {
    assert.deepEqual(read({ normalizedGpuHours: 1000, period }), { budget: budget(), problems: [] });
  });

  it('is undefined where there is none', () => assert.equal(read(undefined), undefined));

  it('a period that is empty in the zone of the pool is a problem with the path of the field', () => {
    const written = { normalizedGpuHours: 1, period: { start: '2026-03-01', end: '2026-02-28T14:00:00Z' } };
    assert.deepEqual(read(written)?.problems, [
      "spec.budget.period.end: must come after period.start in the pool's time zone, Asia/Seoul",
    ]);
    assert.deepEqual(read(written, 'Asia/Karachi')?.problems.length, 1);
    assert.deepEqual(read(written, 'Pacific/Auckland')?.problems, []);
  });

  it('dates of a zone that does not exist are problems, one for each field', () => {
    const { problems } = read({ normalizedGpuHours: 1, period }, 'Mars/Base')!;
    assert.deepEqual(problems, [
      'spec.budget.period.start: no such moment: 2026-03-01, write a date such as 2026-03-01',
      'spec.budget.period.end: no such moment: 2027-02-28, write a date such as 2026-03-01',
    ]);
  });

  it('what was stored before the schema refused it is a problem, not an exception', () => {
    const manifest = resource('ResearchQuota', 'kaist', {
      spec: { poolName: 'national', budget: { normalizedGpuHours: 1, period } },
    });
    const written = { ...manifest.spec.budget!, normalizedGpuHours: '1e3', carryover: { maxFraction: '-1' } };
    const adjustments = [{ name: 'e1', date: '2026-04-01', kind: 'Extension' as const }];
    const stored = { ...manifest, spec: { ...manifest.spec, budget: { ...written, adjustments } } };
    const fields = budgetSpecOf(stored, 'UTC')!.problems.map((problem) => problem.split(':')[0]);
    assert.deepEqual(fields, [
      'spec.budget.normalizedGpuHours',
      'spec.budget.carryover.maxFraction',
      'spec.budget.adjustments[e1].end',
    ]);
  });
});
