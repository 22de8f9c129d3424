import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { milli, type MilliGpus } from '../../src/core/units/index.ts';
import { FakeClock } from '../../src/kube/index.ts';
import {
  type Entry,
  InvestmentMeter,
  type InvestmentStretch,
  Journal,
  LedgerWriter,
  openStore,
  type Store,
} from '../../src/ledger/index.ts';
import { forEachEngine, scratch, type LedgerSource } from './engines.ts';

const hour = 3_600_000;
const midnight = Date.parse('2026-03-01T00:00:00+09:00');
const account = (...quotas: string[]) => ({ pool: 'national', timeZone: 'Asia/Seoul', quotas });

/** So many minutes of an investment of 64 + 64 normalized GPUs that entitle to 96, from a minute of the month on. */
function stretch(investment: string, [from, to]: readonly [number, number], used = 48): Entry {
  const level = (gpus: number) => String(BigInt(gpus * 1000) * BigInt((to - from) * 60_000));
  const sums: InvestmentStretch['sums'] = {
    ...{ contributed: level(64), delivered: level(64), entitled: level(96) },
    ...{ effective: level(96), used: level(used), lent: level(24) },
  };
  const [start, end] = [midnight + from * 60_000, midnight + to * 60_000];
  return { type: 'invested', stretch: { account: account('company-a', 'alliance'), investment, start, end, sums } };
}

function waited(investment: string, workload: string, seconds: number, minute = 0): Entry {
  const wait = { investment, workload, seconds, at: midnight + minute * 60_000, breach: seconds > 3600 };
  return { type: 'waited', wait: { ...wait, account: account('company-a', 'alliance') } };
}

function suite(source: LedgerSource): void {
  let store: Store;
  let term: number;
  before(async () => {
    store = await openStore(await source.fresh());
    term = await store.begin();
  });
  after(() => store.close());

  const day = { from: midnight, to: midnight + 24 * hour };
  const rowOf = async (investment: string, asked: { from: number; to: number; quota?: string } = day) =>
    (await store.investments(asked)).find((row) => row.investment === investment);
  /** Minutes on record and normalized GPU-minutes used. */
  const usedOf = async (investment: string, asked = day) => {
    const row = await rowOf(investment, asked);
    return row === undefined ? undefined : [row.recordedMs / 60_000, Number(row.sums.used / 1000n) / 60_000];
  };

  it('hours of an investment add up', async () => {
    await store.write(term, [stretch('adds', [0, 60]), stretch('adds', [60, 90], 0), stretch('adds', [120, 180])]);
    const row = await rowOf('adds');
    assert.equal(row?.recordedMs, 150 * 60_000);
    const minutes = Object.entries(row.sums).map(([name, sum]) => [name, Number(sum / 1000n) / 60_000]);
    assert.deepEqual(Object.fromEntries(minutes), {
      ...{ contributed: 64 * 150, delivered: 64 * 150, entitled: 96 * 150 },
      ...{ effective: 96 * 150, used: 48 * 120, lent: 24 * 150 },
    });
  });
  it('of a stretch that is written again the longest counts, in whatever order they come', async () => {
    await store.write(term, [stretch('grows', [0, 1])]);
    await store.write(term, [stretch('grows', [0, 3]), stretch('grows', [0, 2])]);
    await store.write(term, [stretch('grows', [0, 1])]);
    assert.deepEqual(await usedOf('grows'), [3, 3 * 48]);
  });
  it('a stretch that overlaps another one is refused', async () => {
    await store.write(term, [stretch('overlaps', [10, 20])]);
    for (const times of [
      [5, 11],
      [12, 15],
      [19, 30],
      [5, 30],
    ] as const)
      await store.write(term, [stretch('overlaps', times)]);
    await store.write(term, [stretch('overlaps', [0, 10]), stretch('overlaps', [20, 30])]);
    assert.deepEqual(await usedOf('overlaps'), [30, 30 * 48]);
  });
  it('a stretch counts in proportion where only a part of it lies in the time', async () => {
    await store.write(term, [stretch('cut', [0, 60]), stretch('cut', [60, 120])]);
    const asked = { from: midnight + hour / 2, to: midnight + 1.75 * hour };
    assert.deepEqual(await usedOf('cut', asked), [75, 75 * 48]);
    assert.deepEqual(await usedOf('cut', { from: midnight + 600_000, to: midnight + 1_200_000 }), [10, 480]);
    assert.equal(await usedOf('cut', { from: midnight + 2 * hour, to: midnight + 3 * hour }), undefined);
  });
  it('waits are counted once, by how long they were', async () => {
    const waits = [waited('waits', 'a', 70), waited('waits', 'b', 70), waited('waits', 'c', 4000)];
    await store.write(term, waits);
    await store.write(term, [...waits, waited('waits', 'a', 70), waited('waits', 'late', 5, 1440)]);
    assert.deepEqual((await rowOf('waits'))?.waits, [
      { seconds: 70, count: 2, breaches: 0 },
      { seconds: 4000, count: 1, breaches: 1 },
    ]);
  });
  it('is asked for by quota: that of the investor, or one above it', async () => {
    await store.write(term, [stretch('asked', [0, 1])]);
    assert.ok(await rowOf('asked', { ...day, quota: 'company-a' }));
    assert.ok(await rowOf('asked', { ...day, quota: 'alliance' }));
    assert.equal(await rowOf('asked', { ...day, quota: 'kaist' }), undefined);
  });
  it('what a meter sees reaches the store through a journal, once, though the process dies before it is written', async () => {
    const levels = { contributed: 64, delivered: 64, entitled: 96, effective: 96, used: 48, lent: 24 };
    const milliGpus = Object.entries(levels).map(([name, gpus]) => [name, milli(gpus * 1000)]);
    const standing = {
      account: account('company-a', 'alliance'),
      investment: 'metered',
      levels: Object.fromEntries(milliGpus) as Record<keyof typeof levels, MilliGpus>,
    };
    const folder = mkdtempSync(join(scratch, 'moa-metered-'));
    /** A process that looks every minute; what it has recorded is in the journal when it dies. */
    const lives = async (from: number, to: number): Promise<void> => {
      const journal = new Journal(join(folder, 'journal'));
      const writer = new LedgerWriter({ store, journal, clock: new FakeClock() });
      await writer.begin();
      const meter = new InvestmentMeter();
      for (let minute = from; minute <= to; minute++) {
        const entries = meter.observe([standing], midnight + minute * 60_000);
        writer.record(entries);
        if (minute % 7 === 0) writer.record(entries);
        if (minute === 20) await writer.flush();
      }
      journal.close();
    };
    await lives(0, 50);
    await lives(51, 100);
    await lives(101, 101);
    rmSync(folder, { recursive: true });
    term = await store.begin();
    // The minutes between two lives nobody saw.
    assert.deepEqual(await usedOf('metered'), [50 + 49, (50 + 49) * 48]);
  });
  it('nothing is written for a term that is over', async () => {
    await assert.rejects(store.write(term - 1, [stretch('fenced', [0, 1])]), { code: 'Fenced' });
    assert.equal(await rowOf('fenced'), undefined);
  });
}

describe('investments in the ledger', () => {
  forEachEngine(suite);
});
