import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { formatMicro, formatMilliGpus, micros, milli } from '../../core/units/index.ts';
import { milliGpuHours, type Charge } from '../../core/budget/index.ts';
import type { UsageRow } from '../usage.ts';
import { parseReportArguments } from './arguments.ts';
import { csv } from './csv.ts';
import { focusCsv } from './focus.ts';
import { investmentAccount, type InvestmentFigures } from './investment.ts';
import { questionFor, statement, type Dimension } from './statement.ts';

const hour = 3_600_000;
const seoul = 'Asia/Seoul';
const midnight = Date.parse('2026-03-01T00:00:00+09:00');

/** An hour of eight devices, unless given otherwise. */
const row = (given: Partial<UsageRow> = {}): UsageRow => ({
  account: { pool: 'national', timeZone: seoul, quotas: ['lab', 'kaist'] },
  class: 'h200',
  weight: milli(1000),
  kind: 'Guaranteed',
  chargeFactor: micros(1_000_000),
  user: undefined,
  slot: undefined,
  deviceMs: 8000n * BigInt(hour),
  ...given,
});
const hours = (amount: Charge) => formatMilliGpus(milliGpuHours(amount));
const lines = (rows: UsageRow[], by: Dimension[]) =>
  statement(rows, by).map(({ key, guaranteed, borrowed, charged }) => [
    ...key,
    ...[guaranteed, borrowed, charged].map(hours),
  ]);

describe('a statement', () => {
  const borrowed = row({ kind: 'Borrowed', chargeFactor: micros(500_000), class: 'b200', weight: milli(2000) });

  it('a quota has what its children used', () => {
    const own = row({ account: { pool: 'national', timeZone: seoul, quotas: ['kaist'] } });
    assert.deepEqual(lines([row(), own], ['quota']), [
      ['kaist', '16', '0', '16'],
      ['lab', '8', '0', '8'],
    ]);
  });
  it('shows borrowed use in full and charges it with the factor', () => {
    assert.deepEqual(lines([row(), borrowed], ['pool']), [['national', '8', '16', '16']]);
    assert.deepEqual(lines([row(), borrowed], ['class']), [
      ['b200', '0', '16', '8'],
      ['h200', '8', '0', '8'],
    ]);
  });
  it('names days and months in the time zone of the pool', () => {
    assert.deepEqual(lines([row({ slot: midnight })], ['day']), [['2026-03-01', '8', '0', '8']]);
    assert.deepEqual(lines([row({ slot: midnight })], ['month', 'user']), [['2026-03', '', '8', '0', '8']]);
  });
  it('rounds once: thirds of a milli-unit add up', () => {
    const third = row({ deviceMs: 1200n });
    assert.deepEqual(lines([third], ['pool']), [['national', '0', '0', '0']]);
    assert.deepEqual(
      lines(
        Array.from({ length: 3000 }, () => third),
        ['pool'],
      ),
      [['national', '0.001', '0', '0.001']],
    );
  });
  it('asks the store for as much as it needs', () => {
    assert.deepEqual(questionFor(['quota']), { users: false });
    assert.deepEqual(questionFor(['user', 'month']), { users: true, per: 'month' });
    assert.deepEqual(questionFor(['month', 'day']), { users: false, per: 'day' });
  });
});

describe('the account of an investment', () => {
  /** DESIGN.md section 2.3: 64 H200 brought, 32 B200 delivered. */
  const figures: InvestmentFigures = {
    name: 'company-a-2026',
    contributed: milli(64_000),
    delivered: milli(64_000),
    entitlement: milli(96_000),
    public: milli(32_000),
    entitledTime: 300n as Charge,
    usedTime: 100n as Charge,
    lentTime: 50n as Charge,
    accessP95Seconds: 90,
  };
  const shares = (given: Partial<InvestmentFigures>) => {
    const found = investmentAccount({ ...figures, ...given }).shares;
    return found === undefined ? undefined : [found.used, found.lent, found.idle].map(formatMicro);
  };

  it('leverage is what the investor may use for what it brought, yield what is public for what the state brought', () => {
    const { leverage, publicYield } = investmentAccount(figures);
    assert.deepEqual([formatMicro(leverage!), formatMicro(publicYield!)], ['1.5', '0.5']);
  });
  it('a host that brings no device has no leverage', () => {
    const host = { contributed: milli(0), delivered: milli(3_056_000), public: milli(2_295_973) };
    const { leverage, publicYield } = investmentAccount({ ...figures, ...host });
    assert.equal(leverage, undefined);
    assert.equal(formatMicro(publicYield!), '0.7513');
  });
  it('used, lent and idle add up to one', () => {
    assert.deepEqual(shares({}), ['0.333333', '0.166666', '0.500001']);
    assert.deepEqual(shares({ usedTime: 400n as Charge }), ['1', '0', '0']);
    assert.deepEqual(shares({ usedTime: 200n as Charge, lentTime: 200n as Charge }), ['0.666666', '0.333334', '0']);
    assert.equal(shares({ entitledTime: 0n as Charge }), undefined);
  });
});

describe('CSV', () => {
  it('quotes what has commas, quotes or line breaks', () => {
    assert.equal(csv(['a', 'b'], [['x,y', 'say "no"\n']]), 'a,b\r\n"x,y","say ""no""\n"\r\n');
  });
  it('text that a spreadsheet would run is made harmless', () => {
    assert.equal(csv(['user'], [['=1+1'], ['@x'], [undefined], [-5]]), "user\r\n'=1+1\r\n'@x\r\n\r\n-5\r\n");
  });

  it('FOCUS: guaranteed use draws on a commitment, borrowed use on none, idle guarantee is unused', () => {
    const asked = { from: midnight, to: midnight + 36 * hour, at: 0, per: 'day' } as const;
    const rows = [
      row({ slot: midnight + 24 * hour, user: 'kim' }),
      row({ kind: 'Borrowed', chargeFactor: micros(250_000) }),
    ];
    const idle = { pool: 'national', quota: 'lab', idleTime: 3_600_000_000_000_000_000n as Charge };
    const [head = '', ...body] = focusCsv(asked, rows, [idle]).trimEnd().split('\r\n');
    const columns = head.split(',');
    const table = body.map((line) => new Map(line.split(',').map((cell, i) => [columns[i], cell])));
    const pick = (names: string[]) => table.map((line) => names.map((name) => line.get(name)));
    assert.deepEqual(
      pick(['SubAccountId', 'CommitmentDiscountStatus', 'ConsumedQuantity', 'PricingQuantity', 'x_User']),
      [
        ['lab', 'Used', '8', '8', 'kim'],
        ['lab', '', '8', '2', ''],
        ['lab', 'Unused', '', '1', ''],
      ],
    );
    // The second day was asked for until noon.
    assert.deepEqual(pick(['ChargePeriodStart', 'ChargePeriodEnd'])[0], [
      '2026-03-01T15:00:00.000Z',
      '2026-03-02T03:00:00.000Z',
    ]);
    assert.ok(
      table.every((line) => line.get('ChargeCategory') === 'Usage' && line.get('BillingAccountId') === 'national'),
    );
  });
});

describe('the arguments of a report', () => {
  const needed = ['--ledger', 'sqlite:x', '--from', '2026-03-01', '--to', '2026-03-31'];
  it('dates are inclusive, in the time zone that is given', () => {
    const { from, to, by, format } = parseReportArguments([...needed, '--time-zone', seoul]);
    assert.deepEqual([from, to], [midnight, Date.parse('2026-04-01T00:00:00+09:00')]);
    assert.deepEqual([by, format], [['quota', 'class'], 'table']);
  });
  const wrong: Record<string, [string[], RegExp]> = {
    'a missing ledger': [['--from', '2026-03-01', '--to', '2026-03-02'], /--ledger is missing: sqlite:PATH/],
    'a missing date': [['--ledger', 'sqlite:x'], /--from is missing: give a date/],
    'a date that does not exist': [[...needed, '--to', '2026-02-30'], /--to 2026-02-30: give a date/],
    'a time that ends before it begins': [[...needed, '--to', '2026-02-01'], /lies before/],
    'an unknown dimension': [[...needed, '--by', 'quota,node'], /--by node: use some of/],
    'an unknown format': [[...needed, '--format', 'xml'], /use one of table, csv, focus/],
    'an unknown flag': [[...needed, '--all'], /--all/],
  };
  for (const [rule, [args, want]] of Object.entries(wrong))
    it(`${rule} is refused with what to write instead`, () => {
      assert.throws(() => parseReportArguments(args), { name: 'UsageError', message: want });
    });
});
