import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { formatMicro, formatMilliGpus, micros, milli } from '../../core/units/index.ts';
import { milliGpuHours, type Charge } from '../../core/budget/index.ts';
import type { InvestmentRow } from '../investmentRows.ts';
import type { UsageRow } from '../usage.ts';
import { parseReportArguments } from './arguments.ts';
import { csv } from './csv.ts';
import { focusCsv } from './focus.ts';
import { intervalLine } from './intervalLine.ts';
import { investmentAccount } from './investmentAccount.ts';
import { investmentsCsv, investmentsText } from './investmentLines.ts';
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

/** An investment that stood so for two hours, in normalized GPUs. */
const invested = (gpus: Partial<Record<keyof InvestmentRow['sums'], number>>, more: Partial<InvestmentRow> = {}) => {
  const levels = { contributed: 0, delivered: 0, entitled: 0, effective: 0, used: 0, lent: 0, ...gpus };
  const sums = Object.entries(levels).map(([name, level]) => [name, BigInt(level * 1000) * BigInt(2 * hour)]);
  return {
    account: { pool: 'national', timeZone: seoul, quotas: ['company-a'] },
    investment: 'company-a-2026',
    recordedMs: 2 * hour,
    sums: Object.fromEntries(sums) as InvestmentRow['sums'],
    waits: [],
    ...more,
  } satisfies InvestmentRow;
};

describe('the account of an investment', () => {
  /** DESIGN.md section 2.3: 64 H200 brought, 32 B200 delivered; a fifth of the nodes is down. */
  const deal = { contributed: 64, delivered: 64, entitled: 96, effective: 76.8, used: 40, lent: 20 };
  const shares = (given: Parameters<typeof invested>[0]) => {
    const found = investmentAccount(invested({ ...deal, ...given })).shares;
    return found === undefined ? undefined : [found.used, found.lent, found.idle].map(formatMicro);
  };

  it('leverage is what the investor may use for what it brought, yield what is public for what the state brought', () => {
    const { leverage, publicYield, average } = investmentAccount(invested(deal));
    assert.deepEqual([formatMicro(leverage!), formatMicro(publicYield!)], ['1.5', '0.5']);
    assert.deepEqual(
      [average.contributed, average.delivered, average.entitled, average.public, average.effective],
      [64_000, 64_000, 96_000, 32_000, 76_800],
    );
  });
  it('a host that brings no device has no leverage', () => {
    const host = investmentAccount(invested({ delivered: 3056, entitled: 760.027 }));
    assert.equal(host.leverage, undefined);
    assert.equal(formatMicro(host.publicYield!), '0.7513');
  });
  it('used, lent and idle add up to the effective entitlement, as hours and as shares', () => {
    const { time } = investmentAccount(invested(deal));
    assert.deepEqual([time.used, time.lent, time.idle].map(hours), ['80', '40', '33.6']);
    assert.deepEqual(shares({}), ['0.520833', '0.260416', '0.218751']);
    assert.deepEqual(shares({ used: 80 }), ['1', '0', '0']);
    assert.deepEqual(shares({ effective: 0 }), undefined);
  });
  it('whatever was used and lent: the shares sum to one exactly, the hours to those entitled', () => {
    const amount = fc.bigInt({ min: 0n, max: 10n ** 18n });
    fc.assert(
      fc.property(amount, amount, amount, (effective, used, lent) => {
        const row = invested({});
        const { shares: found, time } = investmentAccount({ ...row, sums: { ...row.sums, effective, used, lent } });
        assert.equal(time.used + time.lent + time.idle, effective * 10n ** 9n);
        assert.ok([time.used, time.lent, time.idle].every((part) => part >= 0n));
        if (effective === 0n) assert.equal(found, undefined);
        else {
          const { used: ofUse, lent: ofLoan, idle } = found!;
          assert.equal(ofUse + ofLoan + idle, 1_000_000);
          assert.ok([ofUse, ofLoan, idle].every((share) => share >= 0));
        }
      }),
    );
  });
  it('of 20 waits the 19th longest is what 95 of 100 do not exceed', () => {
    const waits = [
      { seconds: 10, count: 18, breaches: 0 },
      { seconds: 70, count: 1, breaches: 0 },
      { seconds: 4000, count: 1, breaches: 1 },
    ];
    const account = investmentAccount(invested(deal, { waits }));
    assert.deepEqual([account.waits, account.breaches, account.accessP95Seconds], [20, 1, 70]);
    assert.equal(investmentAccount(invested(deal)).accessP95Seconds, undefined);
  });
  it('without any time on record has no averages', () => {
    const { average, leverage } = investmentAccount(invested({}, { recordedMs: 0 }));
    assert.deepEqual([average.contributed, leverage], [0, undefined]);
  });
  it('is printed as a block for people and as a line of CSV', () => {
    const accounts = [investmentAccount(invested(deal))];
    assert.match(investmentsText(accounts), /^company-a-2026 of company-a in pool national, followed for 2 hours\n/);
    assert.match(investmentsText(accounts), /leverage \(E \/ C\) +1\.5\n/);
    assert.equal(
      investmentsCsv(accounts).split('\r\n')[1],
      'company-a-2026,national,company-a,2,64,64,96,32,1.5,0.5,76.8,80,40,33.6,0.520833,0.260416,0.218751,0,0,',
    );
    assert.match(investmentsText([]), /no investment in this time/);
  });
});

describe('a line of the intervals', () => {
  const interval = {
    ...{ podUid: 'p-1', class: 'b200', workload: 'lab/train', user: 'kim', node: 'n-1' },
    account: { pool: 'national', timeZone: seoul, quotas: ['lab', 'kaist'] },
    start: midnight - hour,
    end: midnight + 2 * hour,
    unobserved: false,
    milliDevices: 4000,
    weight: milli(2000),
    kind: 'Borrowed' as const,
    chargeFactor: micros(500_000),
  };
  const time = { from: midnight, to: midnight + 24 * hour, at: midnight + 12 * hour };
  const line = (given: Partial<Parameters<typeof intervalLine>[0]> = {}) =>
    intervalLine({ ...interval, ...given }, time)
      .trimEnd()
      .split(',')
      .slice(8);

  it('charges what lies within the time: 4 B200 of weight 2 for two of its three hours at half price are 8', () => {
    assert.deepEqual(line(), [
      ...['4', '2', 'Borrowed', '0.5', '2026-02-28T14:00:00.000Z', '2026-02-28T17:00:00.000Z', 'ended'],
      ...['2.000000', '8'],
    ]);
  });
  it('what is open counts until now, and an end that nobody saw is marked', () => {
    assert.deepEqual(line({ end: undefined }).slice(5), ['', 'open', '12.000000', '48']);
    assert.equal(line({ unobserved: true })[6], 'ended unobserved');
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
    const idle = investmentAccount(invested({ effective: 2, used: 1.5 }));
    const [head = '', ...body] = focusCsv(asked, rows, [idle]).trimEnd().split('\r\n');
    const columns = head.split(',');
    const table = body.map((line) => new Map(line.split(',').map((cell, i) => [columns[i], cell])));
    const pick = (names: string[]) => table.map((line) => names.map((name) => line.get(name)));
    assert.deepEqual(
      pick(['SubAccountId', 'CommitmentDiscountStatus', 'ConsumedQuantity', 'PricingQuantity', 'x_User']),
      [
        ['lab', 'Used', '8', '8', 'kim'],
        ['lab', '', '8', '2', ''],
        ['company-a', 'Unused', '', '1', ''],
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
  it('the environment names the ledger where the arguments name none', () => {
    const rest = ['intervals', ...needed.slice(2)];
    const { ledger, subject, format } = parseReportArguments(rest, 'sqlite:y');
    assert.deepEqual([ledger, subject, format], ['sqlite:y', 'intervals', 'csv']);
    assert.equal(parseReportArguments(needed, 'sqlite:y').ledger, 'sqlite:x');
    assert.equal(parseReportArguments(rest).ledger, 'sqlite:moa-ledger.sqlite');
  });
  const wrong: Record<string, [string[], RegExp]> = {
    'a missing date': [['--ledger', 'sqlite:x'], /--from is missing: give a date/],
    'a date that does not exist': [[...needed, '--to', '2026-02-30'], /--to 2026-02-30: give a date/],
    'a time that ends before it begins': [[...needed, '--to', '2026-02-01'], /lies before/],
    'an unknown dimension': [[...needed, '--by', 'quota,node'], /--by node: use pool, quota, user/],
    'an unknown format': [[...needed, '--format', 'xml'], /--format xml: use table, csv, focus/],
    'an unknown flag': [[...needed, '--all'], /--all/],
    'an unknown subject': [['bills', ...needed], /the subject bills: use usage, intervals, investments/],
    'a second subject': [['usage', 'intervals', ...needed], /one subject at a time/],
    'an unknown time zone': [[...needed, '--time-zone', 'Asia/Soul'], /--time-zone Asia\/Soul is unknown/],
    'a dimension for what has none': [['investments', ...needed, '--by', 'user'], /--by is for usage/],
    'FOCUS for what is no use': [['investments', ...needed, '--format', 'focus'], /focus is for usage/],
    'intervals as a table': [['intervals', ...needed, '--format', 'table'], /listed as csv/],
  };
  for (const [rule, [args, want]] of Object.entries(wrong))
    it(`${rule} is refused with what to write instead`, () => {
      assert.throws(() => parseReportArguments(args), { name: 'UsageError', message: want });
    });
});
