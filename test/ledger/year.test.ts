import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';

import {
  admission,
  budgetSpecOf,
  carriedOver,
  chargeOver,
  historyAfter,
  limitsAt,
  nextChangeAt,
  rateFor,
  ReservedTime,
  type BudgetLimits,
  type BudgetSpec,
  type Charge,
  type LastPeriod,
  type Period,
  type PeriodHistory,
} from '../../src/core/budget/index.ts';
import { Heap } from '../../src/core/ds/index.ts';
import { micros, milli, oneMicro } from '../../src/core/units/index.ts';
import { FakeClock } from '../../src/kube/index.ts';
import {
  chargeFactorOf,
  chargeFor,
  Journal,
  LedgerWriter,
  noCharge,
  openStore,
  recover,
  splitAt,
  Tally,
  type Holding,
  type OpenInterval,
  type Store,
} from '../../src/ledger/index.ts';
import { resource } from '../support/fleet.ts';
import { Random } from '../support/random.ts';
import { scratch } from './engines.ts';
import { closing, opening, splitting } from './intervals.ts';

/*
 * A year of 500 quotas through everything that keeps the books: budgets from manifests, admission, tally, journal,
 * writer, SQLite, restarts. The model beside it is a list of what each job held, and multiplication.
 */

const zone = 'Asia/Seoul';
const hour = 3_600_000;
const day = 24 * hour;
const borrowedChargeFactor = micros(500_000);
const at = (date: string) => Date.parse(`${date}T00:00:00+09:00`);
const [from, to] = [at('2026-02-20'), at('2027-04-10')];
/** Moments at which the process dies. */
const deaths = ['2026-04-17', '2026-08-31', '2026-12-24'].map((date) => at(date) + 12_345_678);

/** A quota, its manifests of two half-years, and what the operator knows of its budget. */
interface Quota {
  readonly name: string;
  /** Names from its own to the topmost. */
  readonly names: readonly string[];
  readonly halves: readonly [BudgetSpec, BudgetSpec];
  spec: BudgetSpec;
  history: PeriodHistory | undefined;
  last: LastPeriod | undefined;
  limits: BudgetLimits;
  /** For which time the tally counts it. */
  watched: Period | undefined;
  /** What each period had come to when it was over, by the tally. */
  readonly closed: { readonly period: Period; readonly used: Charge }[];
}

/** A workload of one pod. */
interface Job {
  readonly quota: Quota;
  readonly uid: string;
  readonly user: string;
  readonly class: string;
  readonly weight: number;
  readonly milliDevices: number;
  readonly walltime: number;
  readonly runtime: number;
  /** How long it stays within the guarantee. */
  readonly guaranteed: number;
}

/** What the model remembers: the job held its devices from `start` on, guaranteed until `turns`, until `ends`. */
interface Held {
  readonly job: Job;
  readonly start: number;
  readonly turns: number;
  readonly ends: number;
}

/** 20 consortia of 24 institutions; every fifth consortium has its first half-year extended by a month. */
function quotasOf(random: Random): Map<string, Quota> {
  const quotas = new Map<string, Quota>();
  for (let consortium = 0; consortium < 20; consortium++) {
    const extended = consortium % 5 === 0;
    const top = `consortium-${consortium}`;
    for (let member = -1; member < 24; member++) {
      const names = member < 0 ? [top] : [`${top}-${member}`, top];
      const [name = ''] = names;
      const halves = halvesOf(name, random, { extended, scale: member < 0 ? 18 : 1 });
      const [spec] = halves;
      const state = { spec, history: undefined, last: undefined, watched: undefined };
      const limits = limitsAt(spec, carriedNothing, 0);
      quotas.set(name, { name, names, halves, ...state, limits, closed: [] });
    }
  }
  return quotas;
}

const carriedNothing = 0 as ReturnType<typeof carriedOver>;

/** Two manifests, one for each half-year, with tranches, a cut and, for some, an extension. */
function halvesOf(name: string, random: Random, { extended, scale }: { extended: boolean; scale: number }) {
  const amount = () => String(scale * (2000 + random.below(6000)));
  const adjustments = [
    { name: 'half', date: '2026-05-01', kind: 'Supplement', normalizedGpuHours: amount() },
    { name: 'cut', date: '2026-07-01', kind: 'Reduction', normalizedGpuHours: String(1 + scale * random.below(3000)) },
    ...(extended ? [{ name: 'longer', date: '2026-08-15', kind: 'Extension', end: '2026-09-30' }] : []),
    { name: 'next', date: '2026-11-01', kind: 'Supplement', normalizedGpuHours: amount() },
    { name: 'last', date: '2027-01-15', kind: 'Supplement', normalizedGpuHours: amount() },
  ];
  const base = String(scale * (4000 + random.below(26_000)));
  const written = (start: string, end: string): BudgetSpec => {
    const budget = {
      normalizedGpuHours: base,
      period: { start, end },
      carryover: { maxFraction: '0.5' },
      overdraft: { graceFraction: '0.2' },
      adjustments,
    };
    const read = budgetSpecOf(resource('ResearchQuota', name, { spec: { poolName: 'national', budget } }), zone);
    assert.deepEqual(read?.problems, []);
    return read.budget;
  };
  const second = extended ? written('2026-10-01', '2027-03-31') : written('2026-09-01', '2027-02-28');
  return [written('2026-03-01', '2026-08-31'), second] as const;
}

function jobOf(random: Random, quota: Quota, number: number): Job {
  const walltime = hour + random.below(72 * hour);
  const runtime = random.below(walltime + 1);
  const [accelerator, weight] = random.pick([
    ['a100', 250],
    ['h200', 1000],
    ['b200', 2000],
  ] as const);
  return {
    quota,
    uid: `pod-${number}`,
    user: `user-${random.below(5)}`,
    class: accelerator,
    weight,
    milliDevices: random.chance(0.1) ? 250 : 1000 * (1 + random.below(32)),
    walltime,
    runtime,
    guaranteed: random.chance(0.5) ? runtime : random.below(runtime + 1),
  };
}

/** The part of an operator that keeps the books, on a clock of its own. */
class Operator {
  now = 0;
  readonly held: Held[] = [];
  readonly outcomes: Record<string, number> = {};
  readonly #quotas: ReadonlyMap<string, Quota>;
  readonly #store: Store;
  readonly #path: string;
  readonly #reserved = new ReservedTime();
  readonly #events = new Heap<{ readonly at: number; readonly run: () => void | Promise<void> }>((a, b) => a.at - b.at);
  #journal: Journal;
  #writer: LedgerWriter;
  #tally = new Tally([]);

  constructor(quotas: ReadonlyMap<string, Quota>, store: Store, path: string) {
    this.#quotas = quotas;
    this.#store = store;
    this.#path = path;
    this.#journal = new Journal(path);
    this.#writer = new LedgerWriter({ store, journal: this.#journal, clock: new FakeClock() });
  }

  at(moment: number, run: () => void | Promise<void>): void {
    this.#events.push({ at: moment, run });
  }

  async run(): Promise<void> {
    await this.#writer.begin();
    for (let event = this.#events.pop(); event !== undefined; event = this.#events.pop()) {
      this.now = event.at;
      await event.run();
    }
    await this.#writer.flush();
    this.#journal.close();
  }

  /** Follows some budgets, whose limits change now, and comes back at their next change. */
  async follow(quotas: readonly Quota[]): Promise<void> {
    const { now } = this;
    const next = new Map<number, Quota[]>();
    for (const quota of quotas) {
      this.#turnPeriod(quota);
      const history = (quota.history = historyAfter(quota.history, quota.spec));
      const [first] = quota.closed;
      const terms = history.previous;
      quota.last = terms === undefined || first === undefined ? undefined : { terms, used: first.used };
      quota.limits = limitsAt(quota.spec, carriedOver(quota.spec, quota.last, zone), now);
      const moment = nextChangeAt(quota.spec, now);
      if (moment !== undefined) next.set(moment, [...(next.get(moment) ?? []), quota]);
    }
    await this.#watch(quotas.filter(({ watched, limits }) => !isDeepStrictEqual(watched, limits.period)));
    for (const [moment, some] of next) this.at(moment, () => this.follow(some));
  }

  submit(job: Job): void {
    const { now } = this;
    const rate = rateFor(job.milliDevices, { weight: milli(job.weight), chargeFactor: oneMicro });
    const cost = chargeOver(rate, job.walltime);
    const lines = job.quota.names.map((quotaName) => ({
      quotaName,
      limits: this.#quotas.get(quotaName)!.limits,
      used: this.#tally.used(quotaName, now) ?? noCharge,
      reserved: this.#reserved.at(quotaName, now),
    }));
    const { outcome } = admission(lines, cost, now);
    this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1;
    if (outcome !== 'Full' && outcome !== 'Borrower') return;
    const held: Held = {
      job,
      start: now,
      turns: now + (outcome === 'Full' ? job.guaranteed : 0),
      ends: now + job.runtime,
    };
    this.held.push(held);
    this.#reserved.begin({ id: job.uid, quotas: job.quota.names, rate, endsAt: now + job.walltime });
    const interval = intervalOf(held, outcome === 'Full');
    this.#tally.open(interval);
    this.#writer.record([opening(interval)]);
    if (held.turns > now && held.turns < held.ends) this.at(held.turns, () => this.#split(interval, 'Borrowed'));
    this.at(held.ends, () => {
      const open = this.#tally.get(interval);
      assert.ok(open);
      this.#tally.close(open, this.now);
      this.#writer.record([closing(open, this.now)]);
      this.#reserved.finish(job.uid);
    });
  }

  /** The process dies and another one takes over: what it knows comes from journal, store and the pods that run. */
  async die(): Promise<void> {
    const names = [...this.#quotas.keys()];
    const before = names.map((name) => this.#tally.used(name, this.now));
    this.#journal.close();
    this.#journal = new Journal(this.#path);
    this.#writer = new LedgerWriter({ store: this.#store, journal: this.#journal, clock: new FakeClock() });
    await this.#writer.begin();
    const running = this.held.filter(({ start, ends }) => start <= this.now && ends > this.now);
    const holdings = running.map((one): Holding => intervalOf(one, one.turns > this.now));
    const { entries, open } = await recover(this.#store, holdings, this.now);
    assert.equal(open.length, running.length);
    this.#tally = new Tally(open);
    this.#writer.record(entries);
    await this.#watch([...this.#quotas.values()]);
    assert.deepEqual(
      names.map((name) => this.#tally.used(name, this.now)),
      before,
    );
  }

  flush(): Promise<void> {
    return this.#writer.flush();
  }

  /** Closes a period that is over; when the next one has begun its manifest takes the place of the first. */
  #turnPeriod(quota: Quota): void {
    const { now } = this;
    const [first, second] = quota.halves;
    const periods = quota.spec === first ? 0 : 1;
    if (quota.history !== undefined && now >= quota.limits.period.end && quota.closed.length === periods) {
      const used = this.#tally.used(quota.name, now);
      assert.ok(used !== undefined);
      quota.closed.push({ period: quota.limits.period, used });
      this.#splitAllOf(quota);
    }
    if (now >= second.period.start) quota.spec = second;
  }

  /** Where a period ends, what runs goes on in another interval. */
  #splitAllOf({ name }: Quota): void {
    const running = [...this.#tally.values()].filter(({ account }) => account.quotas.includes(name));
    for (const interval of running) if (interval.start < this.now) this.#split(interval, interval.kind);
  }

  #split(key: OpenInterval, kind: OpenInterval['kind']): void {
    const interval = this.#tally.get(key);
    assert.ok(interval);
    const split = splitAt(interval, this.now, { kind, borrowedChargeFactor });
    this.#tally.close(interval, split[0].end);
    this.#tally.open(split[1]);
    this.#writer.record(splitting(split));
  }

  /** Counts quotas anew: what was used of their periods until now is asked of the store, once for each time. */
  async #watch(quotas: readonly Quota[]): Promise<void> {
    if (quotas.length === 0) return;
    const { now } = this;
    await this.#writer.flush();
    for (const some of Map.groupBy(quotas, ({ limits: { period } }) => `${period.start} ${period.end}`).values()) {
      const { period } = some[0]!.limits;
      const until = Math.min(now, period.end);
      const rows = until > period.start ? await this.#store.usage({ from: period.start, to: until, at: now }) : [];
      const used = new Map<string, bigint>();
      for (const row of rows)
        for (const name of row.account.quotas) used.set(name, (used.get(name) ?? 0n) + chargeFor(row.deviceMs, row));
      for (const quota of some) {
        quota.watched = period;
        this.#tally.watch(quota.name, period, now);
        this.#tally.settle(quota.name, now, (used.get(quota.name) ?? 0n) as Charge);
      }
    }
  }
}

function intervalOf({ job, start }: Held, guaranteed: boolean): OpenInterval {
  const kind = guaranteed ? 'Guaranteed' : 'Borrowed';
  return {
    podUid: job.uid,
    class: job.class,
    start,
    end: undefined,
    unobserved: false,
    account: { pool: 'national', timeZone: zone, quotas: job.quota.names },
    workload: job.uid,
    user: job.user,
    node: 'node-1',
    milliDevices: job.milliDevices,
    weight: milli(job.weight),
    kind,
    chargeFactor: chargeFactorOf({ kind, borrowedChargeFactor }),
  };
}

/** weight x devices x time x factor, of all that a quota and its children held within a time. */
function model(held: readonly Held[], name: string, { start, end }: Period): bigint {
  const overlap = (a: number, b: number) => BigInt(Math.max(0, Math.min(b, end) - Math.max(a, start)));
  let sum = 0n;
  for (const { job, start: begun, turns, ends } of held) {
    if (!job.quota.names.includes(name)) continue;
    const time = overlap(begun, turns) * 1_000_000n + overlap(turns, ends) * BigInt(borrowedChargeFactor);
    sum += BigInt(job.weight) * BigInt(job.milliDevices) * time;
  }
  return sum;
}

describe('a year of 500 budgets, kept in a ledger', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(scratch, 'moa-year-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('balances to the last unit of charge, over tranches, extensions, period ends and three deaths', async (t) => {
    const began = performance.now();
    const random = new Random(2026);
    const quotas = quotasOf(random);
    assert.equal(quotas.size, 500);
    const store = await openStore(`sqlite:${join(folder, 'ledger.db')}`);
    const operator = new Operator(quotas, store, join(folder, 'journal'));
    operator.at(from, () => operator.follow([...quotas.values()]));
    let jobs = 0;
    for (const quota of quotas.values()) {
      if (quota.names.length === 1) continue;
      for (let i = 0; i < 100; i++) {
        const job = jobOf(random, quota, jobs++);
        operator.at(from + 1 + random.below(to - from), () => operator.submit(job));
      }
    }
    for (const death of deaths) operator.at(death, () => operator.die());
    for (let moment = from; moment < to; moment += 10 * day) operator.at(moment, () => operator.flush());
    await operator.run();
    const ran = performance.now() - began;

    const heldBy = Map.groupBy(operator.held, ({ job }) => job.quota.names.at(-1) ?? '');
    for (const { name, names, closed } of quotas.values()) {
      assert.equal(closed.length, 2, `${name}: both half-years are over`);
      const mine = heldBy.get(names.at(-1) ?? '') ?? [];
      for (const { period, used } of closed) {
        const want = model(mine, name, period);
        assert.equal(used, want, `${name}: what the tally said when the period ended`);
        const asked = { from: period.start, to: period.end, at: to, quota: name };
        const rows = await store.usage(asked);
        assert.equal(
          rows
            .filter(({ account }) => account.quotas.includes(name))
            .reduce((sum, row) => sum + chargeFor(row.deviceMs, row), 0n),
          want,
          `${name}: what the store says`,
        );
      }
    }
    // The pool as a whole, whenever a period lay: every job, once.
    const all = { start: 0, end: to + 365 * day };
    const whole = await store.usage({ from: all.start, to: all.end, at: all.end });
    let [stored, wanted] = [0n, 0n];
    for (const row of whole) stored += chargeFor(row.deviceMs, row);
    for (const [name, held] of heldBy) wanted += model(held, name, all);
    assert.equal(stored, wanted);
    assert.deepEqual((await store.open()).intervals, []);
    await store.close();

    for (const outcome of ['Full', 'Borrower', 'BudgetExhausted', 'BudgetExpired', 'BudgetNotStarted'])
      assert.ok((operator.outcomes[outcome] ?? 0) > 300, `${outcome}: ${operator.outcomes[outcome]}`);
    assert.ok([...quotas.values()].some(({ limits }) => limits.carriedOver > 0));
    const seconds = (milliseconds: number) => (milliseconds / 1000).toFixed(1);
    const checked = performance.now() - began - ran;
    t.diagnostic(
      `the year took ${seconds(ran)} s, checking it ${seconds(checked)} s: ${jobs} jobs, ${JSON.stringify(operator.outcomes)}`,
    );
  });
});
