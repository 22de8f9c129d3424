import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { micros, milli } from '../../src/core/units/index.ts';
import { chargeFor, openStore, splitAt, type Store, type UsageQuery, type UsageRow } from '../../src/ledger/index.ts';
import { openDatabase } from '../../src/ledger/engines/open.ts';
import { forEachEngine, type LedgerSource } from './engines.ts';
import { closing, kaist, openInterval, opening, splitting } from './intervals.ts';

const hour = 3_600_000;
const day = 24 * hour;
const at = Date.parse;
const year = { from: at('2026-01-01T00:00:00+09:00'), to: at('2027-01-01T00:00:00+09:00') };
const deviceMs = (rows: readonly UsageRow[]) => rows.reduce((sum, row) => sum + row.deviceMs, 0n);

function suite(source: LedgerSource): void {
  let url: string;
  let store: Store;
  let term: number;
  before(async () => {
    url = await source.fresh();
    store = await openStore(url);
    term = await store.begin();
  });
  after(() => store.close());

  /** What a pod's own quota used, so that tests share one ledger. */
  const usedBy = async (quota: string, asked: Partial<UsageQuery> = {}) =>
    store.usage({ ...year, at: year.to, quota, ...asked });
  const account = (quota: string) => ({ ...kaist, quotas: [quota, 'alliance'] });

  it('an interval is read back as it was written', async () => {
    const interval = openInterval({ podUid: 'whole', milliDevices: 333, user: undefined, kind: 'Borrowed' });
    assert.deepEqual(await store.write(term, [opening(interval)]), { opened: 1, closed: 0 });
    const { intervals } = await store.open();
    assert.deepEqual(
      intervals.find(({ podUid }) => podUid === 'whole'),
      interval,
    );
    await store.write(term, [closing(interval, interval.start)]);
  });

  it('writing the same entries again changes nothing', async () => {
    const first = openInterval({ podUid: 'again', account: account('again') });
    const [, second] = splitAt(first, first.start + hour);
    const entries = [
      opening(first),
      ...splitting(splitAt(first, first.start + hour)),
      closing(second, second.start + hour),
    ];
    assert.deepEqual(await store.write(term, entries), { opened: 2, closed: 2 });
    assert.deepEqual(await store.write(term, entries), { opened: 0, closed: 0 });
    for (const entry of entries) await store.write(term, [entry]);
    assert.equal(deviceMs(await usedBy('again')), 2n * 8000n * BigInt(hour));
  });

  it('what is closed stays closed: the first end counts', async () => {
    const interval = openInterval({ podUid: 'first-end', account: account('first-end') });
    await store.write(term, [opening(interval), closing(interval, interval.start + hour)]);
    await store.write(term, [closing(interval, interval.start + 2 * hour)]);
    assert.equal(deviceMs(await usedBy('first-end')), 8000n * BigInt(hour));
  });

  it('an interval that overlaps another of its pod and class is refused', async () => {
    const interval = openInterval({ podUid: 'overlap', account: account('overlap') });
    await store.write(term, [opening(interval)]);
    const late = openInterval({ ...interval, start: interval.start + 1 });
    const early = openInterval({ ...interval, start: interval.start - 1 });
    assert.equal((await store.write(term, [opening(late)])).opened, 0);
    assert.equal((await store.write(term, [opening(early)])).opened, 0);
    assert.equal((await store.write(term, [opening(early), closing(early, early.start + hour)])).opened, 0);
    await store.write(term, [closing(interval, interval.start + hour)]);
    assert.equal(deviceMs(await usedBy('overlap')), 8000n * BigInt(hour));
  });

  it('a pod may hold devices of two classes at a time', async () => {
    const interval = openInterval({ podUid: 'two', account: account('two') });
    const other = openInterval({ ...interval, class: 'atom', weight: milli(250) });
    await store.write(term, [opening(interval), opening(other)]);
    await store.write(term, [closing(interval, interval.start + hour), closing(other, other.start + hour)]);
    const rows = await usedBy('two');
    assert.deepEqual(rows.map((row) => row.class).toSorted(), ['atom', 'h200']);
  });

  it('an end before the start costs nothing', async () => {
    const interval = openInterval({ podUid: 'backwards', account: account('backwards') });
    await store.write(term, [opening(interval)]);
    await store.write(term, [closing(interval, interval.start - hour)]);
    assert.equal(deviceMs(await usedBy('backwards')), 0n);
  });

  it('a later term ends the earlier one: nothing of it is written any more', async () => {
    const interval = openInterval({ podUid: 'fenced', account: account('fenced') });
    const other = await openStore(url);
    try {
      const later = await other.begin();
      await assert.rejects(store.write(term, [opening(interval)]), { code: 'Fenced', retryable: false });
      assert.equal((await other.write(later, [])).opened, 0);
      term = later;
    } finally {
      await other.close();
    }
    assert.deepEqual(await usedBy('fenced'), []);
  });

  it('the last sighting is kept, and never goes back', async () => {
    await store.write(term, [{ type: 'seen', at: 5000 }]);
    await store.write(term, [{ type: 'seen', at: 4000 }]);
    assert.equal((await store.open()).seenAt, 5000);
  });

  it('says when the last interval of a pod ended', async () => {
    const interval = openInterval({ podUid: 'ends' });
    const [first, second] = splitAt(interval, interval.start + hour);
    const keys = [{ podUid: 'unknown', class: 'h200' }, interval, { podUid: 'ends', class: 'atom' }];
    await store.write(term, [opening(interval)]);
    assert.deepEqual(await store.lastEnds(keys), [undefined, undefined, undefined]);
    await store.write(term, splitting([first, second]));
    assert.deepEqual(await store.lastEnds(keys), [undefined, first.end, undefined]);
    await store.write(term, [closing(second, second.start + hour)]);
    assert.deepEqual(await store.lastEnds(keys), [undefined, second.start + hour, undefined]);
  });

  it('a parent has used what its children used', async () => {
    const of = (quotas: string[]) => ({ ...kaist, quotas });
    const own = openInterval({ podUid: 'p', account: of(['parent']) });
    const child = openInterval({ podUid: 'c', account: of(['child', 'parent']) });
    const grandchild = openInterval({ podUid: 'g', account: of(['grandchild', 'child', 'parent']) });
    for (const interval of [own, child, grandchild])
      await store.write(term, [opening(interval), closing(interval, interval.start + hour)]);
    const hours = async (quota: string) => Number(deviceMs(await usedBy(quota))) / 8000 / hour;
    assert.deepEqual(await Promise.all(['parent', 'child', 'grandchild'].map(hours)), [3, 2, 1]);
  });

  it('days and months begin at midnight of the pool', async () => {
    // 23:00 to 01:00 in Seoul, over the end of a month.
    const start = at('2026-03-31T23:00:00+09:00');
    const interval = openInterval({ podUid: 'midnight', account: account('midnight'), start });
    await store.write(term, [opening(interval), closing(interval, start + 2 * hour)]);
    for (const per of ['day', 'month'] as const)
      for (const users of [false, true]) {
        const rows = await usedBy('midnight', { per, users });
        const slots = per === 'day' ? ['2026-03-31', '2026-04-01'] : ['2026-03-01', '2026-04-01'];
        const want = slots.map((date) => [at(`${date}T00:00:00+09:00`), 8000n * BigInt(hour)]);
        assert.deepEqual(
          rows.map((row) => [row.slot, row.deviceMs]),
          want,
          `per ${per}, users ${users}`,
        );
        assert.deepEqual(
          rows.map((row) => row.user),
          users ? ['kim', 'kim'] : [undefined, undefined],
        );
      }
  });

  it('a time that ends within a day counts to the millisecond', async () => {
    const start = at('2026-05-01T00:00:00+09:00');
    const interval = openInterval({ podUid: 'edges', account: account('edges'), start });
    await store.write(term, [opening(interval), closing(interval, start + 10 * day)]);
    for (const users of [false, true]) {
      const rows = await usedBy('edges', { from: start + hour + 1, to: start + 5 * day + 7, users });
      assert.equal(deviceMs(rows), 8000n * BigInt(5 * day + 7 - hour - 1));
    }
  });

  it('what is open counts until the moment of the question', async () => {
    const start = at('2026-06-15T12:00:00+09:00');
    const interval = openInterval({ podUid: 'running', account: account('running'), start });
    await store.write(term, [opening(interval)]);
    assert.equal(deviceMs(await usedBy('running', { at: start + hour })), 8000n * BigInt(hour));
    assert.equal(deviceMs(await usedBy('running', { at: start })), 0n);
    assert.equal(deviceMs(await usedBy('running', { at: start + hour, to: start + 5 })), 8000n * 5n);
    await store.write(term, [closing(interval, start)]);
  });

  it('weights and factors stay those of the interval', async () => {
    const start = at('2026-06-15T12:00:00+09:00');
    const interval = openInterval({ podUid: 'terms', account: account('terms'), start });
    const lent = { kind: 'Borrowed', borrowedChargeFactor: micros(500_000) } as const;
    const [, borrowed] = splitAt(interval, start + hour, lent);
    await store.write(term, [opening(interval), ...splitting(splitAt(interval, start + hour, lent))]);
    await store.write(term, [closing(borrowed, borrowed.start + hour)]);
    const charges = (await usedBy('terms')).map((row) => [row.kind, chargeFor(row.deviceMs, row)]);
    const full = 8000n * BigInt(hour) * 1000n * 1_000_000n;
    assert.deepEqual(
      new Map(charges as [string, bigint][]),
      new Map([
        ['Guaranteed', full],
        ['Borrowed', full / 2n],
      ]),
    );
  });

  it('a year of a nation in one sum does not overflow', async () => {
    const start = at('2025-01-01T00:00:00+09:00');
    const everything = openInterval({ account: account('nation'), start, milliDevices: 600_000_000 });
    for (let month = 0; month < 12; month += 1) {
      const interval = openInterval({ ...everything, podUid: `nation-${month}`, start: start + month * 30 * day });
      await store.write(term, [opening(interval), closing(interval, interval.start + 30 * day)]);
    }
    const rows = await store.usage({ from: start, to: year.from, at: 0, quota: 'nation' });
    assert.equal(deviceMs(rows), 600_000_000n * BigInt(360 * day));
  });

  it('lists the intervals of a time page by page, each once, those that are open as well', async () => {
    const start = at('2025-06-01T00:00:00+09:00');
    const of = openInterval({ account: account('listed'), start });
    const many = Array.from({ length: 5003 }, (_, i) => ({ ...of, podUid: `listed-${i}` }));
    const stays = { ...of, podUid: 'listed-open' };
    const early = { ...of, podUid: 'listed-early', start: start - 2 * hour };
    await store.write(
      term,
      [...many, early].flatMap((one) => [opening(one), closing(one, one.start + hour)]),
    );
    await store.write(term, [opening(stays)]);
    const asked = { from: start, to: start + day, quota: 'listed' };
    const first = await store.intervals(asked);
    const second = await store.intervals({ ...asked, after: first.at(-1)! });
    assert.deepEqual([first.length, second.length], [5000, 4]);
    assert.deepEqual(await store.intervals({ ...asked, after: second.at(-1)! }), []);
    const uids = [...first, ...second].map(({ podUid }) => podUid);
    assert.deepEqual(new Set(uids), new Set([...many, stays].map(({ podUid }) => podUid)));
    assert.deepEqual(await store.intervals({ ...asked, quota: 'nobody' }), []);
    await store.write(term, [closing(stays, start)]);
  });

  it('opened again it is as it was', async () => {
    const again = await openStore(url);
    try {
      assert.deepEqual(
        deviceMs(await again.usage({ ...year, at: year.to })),
        deviceMs(await usedBy('alliance')) + deviceMs(await usedBy('parent')),
      );
    } finally {
      await again.close();
    }
  });

  it('a ledger of a later version of Moa is not touched', async () => {
    const later = await source.fresh();
    await (await openStore(later)).close();
    const database = openDatabase(later);
    await database.transaction((query) => query('insert into ledger_migrations (version) values (1000)'));
    await database.close();
    await assert.rejects(openStore(later), { code: 'TooNew', retryable: false });
  });
}

describe('the store of the ledger', () => {
  forEachEngine(suite);

  it('an unknown kind of URL is refused with what to write instead', async () => {
    await assert.rejects(openStore('mysql://host/db'), { code: 'BadUrl', message: /sqlite:PATH or postgres:/ });
    await assert.rejects(openStore('sqlite:'), { code: 'BadUrl' });
  });

  it('a file that cannot be opened is unavailable, and may be tried again', async () => {
    await assert.rejects(openStore('sqlite:/nowhere/at/all.db'), { code: 'Unavailable', retryable: true });
  });

  it('a server that is away is unavailable, and may be tried again', async () => {
    await assert.rejects(openStore('postgres://moa@127.0.0.1:1/none'), { code: 'Unavailable', retryable: true });
  });
});
