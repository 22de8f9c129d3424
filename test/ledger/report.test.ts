import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { formatMilliGpus, micros, milli } from '../../src/core/units/index.ts';
import { openStore, splitAt, type Entry, type InvestmentStretch, type OpenInterval } from '../../src/ledger/index.ts';
import { Random } from '../support/random.ts';
import { scratch } from './engines.ts';
import { closing, openInterval, opening, splitting } from './intervals.ts';

/*
 * `npm run report` as an auditor would use it. The first ledger is the one of docs/ledger.md, small enough to be added
 * up by hand; the second is large and added up here from its list of intervals.
 */

const main = fileURLToPath(new URL('../../src/ledger/report/main.ts', import.meta.url));
const hour = 3_600_000;
const at = (text: string) => Date.parse(`${text}+09:00`);
const march = ['--from', '2026-03-01', '--to', '2026-03-31', '--time-zone', 'Asia/Seoul'];

function run(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const env = { ...process.env, ...environment };
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    env,
    maxBuffer: 2 ** 28,
  });
  return { status, stdout, stderr };
}

function report(...args: readonly string[]): string {
  const { status, stdout, stderr } = run(args);
  assert.equal(status, 0, stderr);
  return stdout;
}

/** Lines of CSV as records. No cell of these ledgers needs quotes. */
function records(csv: string): Record<string, string>[] {
  const [head = '', ...lines] = csv.trimEnd().split('\r\n');
  const names = head.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, i) => [names[i] ?? '', cell])));
}

describe('the ledger of docs/ledger.md', () => {
  let folder: string;
  let url: string;

  /**
   * - vision trains on 8 H200 from 22:00 to 04:00 within its guarantee;
   * - it runs a sweep on 16 B200 from 10:00 to 14:00; from 12:00 on it is borrowed, at half price;
   * - company A serves on 24 H200 for the whole of 2 March, and nobody saw the end of it.
   */
  before(async () => {
    folder = mkdtempSync(join(scratch, 'moa-bill-'));
    url = `sqlite:${join(folder, 'ledger.sqlite')}`;
    const kaist = { pool: 'national', timeZone: 'Asia/Seoul', quotas: ['kaist', 'k-ai-alliance'] };
    const company = { ...kaist, quotas: ['company-a'] };
    const train = openInterval({
      ...{ podUid: 'pod-train', workload: 'vision/train', user: 'kim', node: 'h-1', account: kaist },
      start: at('2026-03-01T22:00:00'),
    });
    const sweep = openInterval({
      ...{ podUid: 'pod-sweep', workload: 'vision/sweep', user: 'lee', node: 'b-1', account: kaist },
      ...{ start: at('2026-03-02T10:00:00'), class: 'b200', milliDevices: 16_000, weight: milli(2000) },
    });
    const lent = { kind: 'Borrowed', borrowedChargeFactor: micros(500_000) } as const;
    const split = splitAt(sweep, at('2026-03-02T12:00:00'), lent);
    const serve = openInterval({
      ...{ podUid: 'pod-serve', workload: 'serve/llm', user: undefined, node: 'h-2', account: company },
      ...{ start: at('2026-03-02T00:00:00'), milliDevices: 24_000 },
    });
    const entries: Entry[] = [
      ...[opening(train), closing(train, at('2026-03-02T04:00:00'))],
      ...[opening(sweep), ...splitting(split), closing(split[1], at('2026-03-02T14:00:00'))],
      ...[opening(serve), closing(serve, at('2026-03-03T00:00:00'), true)],
      ...Array.from({ length: 24 }, (_, i): Entry => ({ type: 'invested', stretch: stretchOf(company, i) })),
      ...[40, 55, 130].map((seconds, i): Entry => {
        const wait = { account: company, investment: 'company-a-2026', workload: `serve/w${i}` };
        return { type: 'waited', wait: { ...wait, at: at('2026-03-02T09:00:00'), seconds, breach: false } };
      }),
    ];
    const store = await openStore(url);
    await store.write(await store.begin(), entries);
    await store.close();
  });
  after(() => rmSync(folder, { recursive: true }));

  /** Company A used 24 of its 96 all day; from 10:00 to 14:00, while the sweep ran, 32 were lent. */
  function stretchOf(account: OpenInterval['account'], of: number): InvestmentStretch {
    const start = at('2026-03-02T00:00:00') + of * hour;
    const level = (gpus: number) => String(gpus * 1000 * hour);
    const sums = {
      ...{ contributed: level(64), delivered: level(64), entitled: level(96) },
      ...{ effective: level(96), used: level(24), lent: level(of >= 10 && of < 14 ? 32 : 0) },
    };
    return { account, investment: 'company-a-2026', start, end: start + hour, sums };
  }

  it('the bill by quota and class', () => {
    assert.equal(
      report('--ledger', url, ...march),
      [
        'quota          class  deviceHours  guaranteed  borrowed  charged',
        'company-a      h200           576         576         0      576', // 24 x 24
        'k-ai-alliance  b200            64          64        64       96', // 16 x 4; 2 x 32; 64 + 64 / 2
        'k-ai-alliance  h200            48          48         0       48', // 8 x 6
        'kaist          b200            64          64        64       96',
        'kaist          h200            48          48         0       48',
        '',
      ].join('\n'),
    );
  });

  it('by user and day: a night counts where it was', () => {
    assert.equal(
      report('--ledger', url, ...march, '--quota', 'kaist', '--by', 'user,day'),
      [
        'user  day         deviceHours  guaranteed  borrowed  charged',
        'kim   2026-03-01           16          16         0       16', // 22:00 to 24:00
        'kim   2026-03-02           32          32         0       32', // 00:00 to 04:00
        'lee   2026-03-02           64          64        64       96',
        '',
      ].join('\n'),
    );
  });

  it('what it is made of, line by line', () => {
    const lines = records(report('intervals', '--ledger', url, ...march, '--quota', 'kaist'));
    assert.deepEqual(
      lines.map((line) => [line['podUid'], line['kind'], line['start'], line['hours'], line['charged']]),
      [
        ['pod-sweep', 'Guaranteed', '2026-03-02T01:00:00.000Z', '2.000000', '64'],
        ['pod-sweep', 'Borrowed', '2026-03-02T03:00:00.000Z', '2.000000', '32'],
        ['pod-train', 'Guaranteed', '2026-03-01T13:00:00.000Z', '6.000000', '48'],
      ],
    );
    const [serve] = records(report('intervals', '--ledger', url, ...march, '--quota', 'company-a'));
    assert.equal(serve?.['state'], 'ended unobserved');
  });

  it('FOCUS: the same, with what nobody used of the entitlement', () => {
    const lines = records(report('--ledger', url, ...march, '--format', 'focus'));
    assert.deepEqual(
      lines.map((line) => [
        ...[line['SubAccountId'], line['SkuId'], line['CommitmentDiscountStatus']],
        ...[line['ConsumedQuantity'], line['PricingQuantity']],
      ]),
      [
        ['company-a', 'h200', 'Used', '576', '576'],
        ['kaist', 'b200', 'Used', '64', '64'],
        ['kaist', 'b200', '', '64', '32'],
        ['kaist', 'h200', 'Used', '48', '48'],
        ['company-a', '', 'Unused', '', '1600'], // 96 x 24 - 24 x 24 - 32 x 4
      ],
    );
  });

  it('the account of the investment', () => {
    assert.equal(
      report('investments', '--ledger', url, ...march),
      [
        'company-a-2026 of company-a in pool national, followed for 24 hours',
        '  contributed (C), on average   64',
        '  delivered by the state (D)    64',
        '  entitlement (E)               96',
        '  public (P = C + D - E)        32',
        '  leverage (E / C)              1.5',
        '  public yield (P / D)          0.5',
        '  effective entitlement         96',
        '    used, GPU-hours             576', // 24 x 24
        '    lent, GPU-hours             128', // 32 x 4
        '    idle, GPU-hours             1600', // 2304 - 576 - 128
        '    used, share                 0.25',
        '    lent, share                 0.055555', // 128 / 2304
        '    idle, share                 0.694445',
        '  waits for what was lent       3',
        '    longer than promised        0',
        '    95 of 100 at most, seconds  130',
        '',
      ].join('\n'),
    );
  });

  it('the environment may name the ledger, so that a password is on no command line', () => {
    const { status, stdout } = run(march, { MOA_LEDGER: url });
    assert.equal(status, 0);
    assert.equal(stdout, report('--ledger', url, ...march));
  });

  it('a mistake ends with 2 and says what to write instead; a ledger that is away ends with 1', () => {
    const mistyped = run(['--ledger', 'sqlite:/no/such/file', ...march]);
    assert.equal(mistyped.status, 2);
    assert.match(mistyped.stderr, /there is no such file\n\nUsage: npm run report/);
    const away = run(['--ledger', 'postgres://moa@127.0.0.1:1/none', ...march]);
    assert.equal(away.status, 1);
    assert.match(away.stderr, /^PostgreSQL: .*ECONNREFUSED/);
    assert.match(run(['--help']).stdout, /^Usage: npm run report/);
  });
});

describe('a ledger of thousands of intervals', () => {
  let folder: string;
  let url: string;
  before(async () => {
    folder = mkdtempSync(join(scratch, 'moa-audit-'));
    url = `sqlite:${join(folder, 'ledger.sqlite')}`;
    const store = await openStore(url);
    const term = await store.begin();
    const random = new Random(7);
    const entries: Entry[] = [];
    for (let i = 0; i < 6000; i++) {
      const interval = openInterval({
        podUid: `pod-${i}`,
        account: {
          pool: 'national',
          timeZone: 'Asia/Seoul',
          quotas: [`lab-${random.below(9)}`, `u-${random.below(3)}`],
        },
        user: random.chance(0.2) ? undefined : `user-${random.below(5)}`,
        start: at('2026-02-20T00:00:00') + random.below(50 * 24 * hour),
        class: random.pick(['h200', 'b200']),
        milliDevices: random.chance(0.2) ? 250 : 1000 * (1 + random.below(16)),
        weight: milli(random.pick([250, 1000, 2000, 333])),
        kind: random.pick(['Guaranteed', 'Borrowed'] as const),
        chargeFactor: micros(random.pick([1_000_000, 500_000, 730_001])),
      });
      entries.push(opening(interval), closing(interval, interval.start + random.below(72 * hour)));
    }
    await store.write(term, entries);
    await store.close();
  });
  after(() => rmSync(folder, { recursive: true }));

  it('its bill is what its list of intervals adds up to, in any breakdown', () => {
    const [from, to] = [at('2026-03-01T00:00:00'), at('2026-04-01T00:00:00')];
    const thousandths = (text = '') => BigInt(Math.round(Number(text) * 1000));
    const lines = records(report('intervals', '--ledger', url, ...march));
    assert.ok(lines.length > 3000, `${lines.length} lines`);
    for (const by of ['quota', 'user', 'class', 'pool'] as const) {
      const sums = new Map<string, { guaranteed: bigint; borrowed: bigint; charged: bigint }>();
      for (const line of lines) {
        const time = Math.min(Date.parse(line['end']!), to) - Math.max(Date.parse(line['start']!), from);
        // Devices and weight in thousandths, times milliseconds.
        const full = BigInt(time) * thousandths(line['devices']) * thousandths(line['weight']);
        const factor = BigInt(Math.round(Number(line['chargeFactor']) * 1_000_000));
        const keys = by === 'quota' ? [line['quota'], line['parents']] : [line[by]];
        for (const key of keys) {
          const sum = sums.get(key!) ?? { guaranteed: 0n, borrowed: 0n, charged: 0n };
          if (line['kind'] === 'Guaranteed') sum.guaranteed += full * 1_000_000n;
          else sum.borrowed += full * 1_000_000n;
          sum.charged += full * factor;
          sums.set(key!, sum);
        }
      }
      const shown = (sum: bigint) => formatMilliGpus(Number(sum / (3_600_000n * 1_000_000_000n)));
      const want = [...sums].map(([key, { guaranteed, borrowed, charged }]) =>
        [key, shown(guaranteed), shown(borrowed), shown(charged)].join(' '),
      );
      const bill = records(report('--ledger', url, ...march, '--by', by, '--format', 'csv'));
      const got = bill.map((line) => [line[by], line['guaranteed'], line['borrowed'], line['charged']].join(' '));
      assert.deepEqual(got.toSorted(), want.toSorted(), by);
    }
  });
});
