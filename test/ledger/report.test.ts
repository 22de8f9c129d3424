import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
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
const borrowedChargeFactor = micros(500_000);
const march = ['--from', '2026-03-01', '--to', '2026-03-31', '--time-zone', 'Asia/Seoul'];

function run(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const env = { ...process.env, MOA_LEDGER: undefined, ...environment };
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

  before(async () => {
    folder = mkdtempSync(join(scratch, 'moa-bill-'));
    url = `sqlite:${join(folder, 'ledger.sqlite')}`;
    const kaist = { pool: 'national', timeZone: 'Asia/Seoul', quotas: ['kaist', 'k-ai-alliance'] };
    const company = { ...kaist, quotas: ['company-a'] };
    const train = openInterval({
      ...{ podUid: 'pod-train', workload: 'vision/train', user: 'kim', node: 'h-1', account: kaist },
      start: at('2026-03-01T22:00:00'),
    });
    const evaluate = openInterval({
      ...{ podUid: 'pod-eval', workload: 'vision/eval', user: 'kim', node: 'h-3', account: kaist },
      ...{ start: at('2026-03-02T08:00:00'), milliDevices: 32_000 },
    });
    const sweep = openInterval({
      ...{ podUid: 'pod-sweep', workload: 'vision/sweep', user: 'lee', node: 'b-1', account: kaist },
      ...{ start: at('2026-03-02T10:00:00'), class: 'b200', milliDevices: 16_000, weight: milli(2000) },
      ...{ kind: 'Borrowed', chargeFactor: borrowedChargeFactor },
    });
    const covered = { kind: 'Guaranteed', borrowedChargeFactor } as const;
    const split = splitAt(sweep, at('2026-03-02T12:00:00'), covered);
    const serve = openInterval({
      ...{ podUid: 'pod-serve', workload: 'serve/llm', user: undefined, node: 'h-2', account: company },
      ...{ start: at('2026-03-02T00:00:00'), milliDevices: 24_000 },
    });
    const entries: Entry[] = [
      ...[opening(train), closing(train, at('2026-03-02T04:00:00'))],
      ...[opening(evaluate), closing(evaluate, at('2026-03-02T12:00:00'))],
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

  /** Company A used 24 of its 96 all day; from 10:00 to 12:00, while the sweep borrowed, 32 were lent. */
  function stretchOf(account: OpenInterval['account'], of: number): InvestmentStretch {
    const start = at('2026-03-02T00:00:00') + of * hour;
    const level = (gpus: number) => String(gpus * 1000 * hour);
    const sums = {
      ...{ contributed: level(64), delivered: level(64), entitled: level(96) },
      ...{ effective: level(96), used: level(24), lent: level(of >= 10 && of < 12 ? 32 : 0) },
    };
    return { account, investment: 'company-a-2026', start, end: start + hour, sums };
  }

  it('prints what the page shows, whatever it is asked for there', () => {
    const page = readFileSync(new URL('../../docs/ledger.md', import.meta.url), 'utf8');
    const blocks = [...page.matchAll(/```console\n\$ npm run report -- (.*)\n([^]*?)```/g)];
    assert.equal(blocks.length, 4);
    for (const [, args = '', want] of blocks)
      assert.equal(report(...args.split(' '), '--ledger', url).replaceAll('\r\n', '\n'), want, args);
  });

  it('what nobody saw end is marked', () => {
    const lines = records(report('intervals', '--ledger', url, ...march, '--quota', 'company-a'));
    assert.deepEqual(
      lines.map((line) => [line['podUid'], line['state'], line['charged']]),
      [['pod-serve', 'ended unobserved', '576']],
    );
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
        ['kaist', 'h200', 'Used', '176', '176'],
        ['company-a', '', 'Unused', '', '1664'], // 96 x 24 - 24 x 24 - 32 x 2
      ],
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
