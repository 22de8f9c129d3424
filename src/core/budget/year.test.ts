import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Random } from '../../../test/support/random.ts';
import { Heap } from '../ds/index.ts';
import { micros, milli, oneMicro } from '../units/index.ts';
import {
  admission,
  carriedOver,
  chargeOver,
  historyAfter,
  limitsAt,
  nextChangeAt,
  noCharge,
  rateFor,
  ReservedTime,
  splitAtPeriods,
  type BudgetLimits,
  type BudgetSpec,
  type Charge,
  type ChargeRate,
  type LastPeriod,
  type Period,
  type PeriodHistory,
  type RunningTime,
} from './index.ts';
import { budget, extension, hours, moment, reduction, supplement } from './testing.ts';

const zone = 'Asia/Seoul';
const hour = 3_600_000;
const borrowed = micros(500_000);

/** A quota's budget as an operator would follow it. */
interface Account {
  readonly name: string;
  /** Itself and what is above it. */
  readonly chain: readonly Account[];
  /** Budgets of its two half-years; the second takes the place of the first when it starts. */
  readonly halves: readonly [BudgetSpec, BudgetSpec];
  spec: BudgetSpec;
  history: PeriodHistory | undefined;
  last: LastPeriod | undefined;
  limits: BudgetLimits;
  /** Charge of what runs, and what `rate` x now has too much. */
  rate: bigint;
  offset: bigint;
  /** What each half-year came to. */
  readonly used: Charge[];
}

/** An interval as the ledger would keep it. */
interface Entry extends Period {
  readonly account: Account;
  readonly rate: ChargeRate;
}

/** A workload, decided on in advance but for its start. */
interface Job {
  readonly account: Account;
  readonly milliDevices: number;
  readonly weight: number;
  readonly walltime: number;
  readonly runtime: number;
  /** How long it stays within the guarantee. */
  readonly guaranteed: number;
}

interface Event {
  readonly at: number;
  readonly run: () => void;
}

/** 20 consortia of 24 institutions; every fifth consortium has its first half-year extended by a month. */
function accountsOf(random: Random): readonly Account[] {
  const accounts: Account[] = [];
  for (let consortium = 0; consortium < 20; consortium++) {
    const extended = consortium % 5 === 0;
    const parent = account(`consortium-${consortium}`, undefined, halvesOf(random, { extended, scale: 18 }));
    accounts.push(parent);
    for (let member = 0; member < 24; member++) {
      accounts.push(account(`${parent.name}-${member}`, parent, halvesOf(random, { extended, scale: 1 })));
    }
  }
  return accounts;
}

function account(name: string, parent: Account | undefined, halves: Account['halves']): Account {
  const chain: Account[] = [];
  const limits = limitsAt(halves[0], hours(0), 0);
  const made = { name, chain, halves, spec: halves[0], history: undefined, last: undefined, limits };
  const whole: Account = { ...made, rate: 0n, offset: 0n, used: [] };
  chain.push(whole, ...(parent?.chain ?? []));
  return whole;
}

function halvesOf(random: Random, { extended, scale }: { extended: boolean; scale: number }): Account['halves'] {
  const amount = () => scale * (2000 + random.below(6000));
  const adjustments = [
    supplement('2026-05-01', amount()),
    reduction('2026-07-01', scale * random.below(3000)),
    ...(extended ? [extension('2026-08-15', '2026-09-30')] : []),
    supplement('2026-11-01', amount()),
    supplement('2027-01-15', amount()),
  ];
  const common = { base: scale * (4000 + random.below(26_000)), carry: '0.5', grace: '0.2', adjustments };
  return [
    budget({ ...common, period: ['2026-03-01', '2026-08-31'] }),
    budget({ ...common, period: extended ? ['2026-10-01', '2027-03-31'] : ['2026-09-01', '2027-02-28'] }),
  ];
}

function jobOf(random: Random, of: Account): Job {
  const walltime = hour + random.below(72 * hour);
  const runtime = random.below(walltime + 1);
  const guaranteed = random.chance(0.5) ? runtime : random.below(runtime + 1);
  const milliDevices = random.chance(0.1) ? 250 : 1000 * (1 + random.below(32));
  return { account: of, milliDevices, weight: random.pick([250, 1000, 2000]), walltime, runtime, guaranteed };
}

/** The year itself: follows the events and keeps the books. */
class Year {
  readonly entries: Entry[] = [];
  readonly running = new Map<string, RunningTime>();
  readonly reserved = new ReservedTime();
  readonly outcomes: Record<string, number> = {};
  readonly #events = new Heap<Event>((a, b) => a.at - b.at);
  #now = 0;

  at(at: number, run: () => void): void {
    this.#events.push({ at, run });
  }

  run(): void {
    for (let event = this.#events.pop(); event !== undefined; event = this.#events.pop()) {
      this.#now = event.at;
      event.run();
    }
  }

  /** Follows a budget from change to change; at the end of a half-year its successor is written into the manifest. */
  follow(account: Account): void {
    const now = this.#now;
    const [first, second] = account.halves;
    if (account.spec === first && now >= second.period.start) {
      this.#closePeriod(account);
      account.spec = second;
    } else if (account.spec === second && now >= account.limits.period.end && account.used.length === 1) {
      this.#closePeriod(account);
    }
    account.history = historyAfter(account.history, account.spec);
    const terms = account.history.previous;
    account.last = terms && { terms, used: account.used[0] ?? noCharge };
    account.limits = limitsAt(account.spec, carriedOver(account.spec, account.last, zone), now);
    const next = nextChangeAt(account.spec, now);
    if (next !== undefined) this.at(next, () => this.follow(account));
  }

  submit(job: Job): void {
    const now = this.#now;
    const { chain } = job.account;
    const price = { weight: milli(job.weight), chargeFactor: oneMicro };
    const rate = rateFor(job.milliDevices, price);
    const cost = chargeOver(rate, job.walltime);
    const lines = chain.map((one) => ({
      quotaName: one.name,
      limits: one.limits,
      used: this.usedBy(one),
      reserved: this.reserved.at(one.name, now),
    }));
    const { outcome } = admission(lines, cost, now);
    this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1;
    if (outcome !== 'Full' && outcome !== 'Borrower') return;
    for (const { limits, used, reserved } of lines) {
      assert.ok(limits.period.start <= now && now < limits.period.end);
      assert.ok(used + reserved + cost <= (outcome === 'Full' ? limits.softCharge : limits.hardCharge));
    }

    const id = String(this.entries.length);
    const running = { id, quotas: chain.map(({ name }) => name), rate, endsAt: now + job.walltime };
    this.running.set(id, running);
    this.reserved.begin(running);
    const turns = now + (outcome === 'Full' ? job.guaranteed : 0);
    const ends = now + job.runtime;
    this.#hold({ account: job.account, rate, start: now, end: turns });
    const lent = rateFor(job.milliDevices, { ...price, chargeFactor: borrowed });
    this.at(turns, () => this.#hold({ account: job.account, rate: lent, start: turns, end: ends }));
    this.at(ends, () => {
      this.running.delete(id);
      this.reserved.finish(id);
    });
  }

  /** What an account has used of its present half-year. */
  usedBy({ rate, offset }: Account): Charge {
    return (rate * BigInt(this.#now) - offset) as Charge;
  }

  /** The accumulator against the sum over all that runs. */
  checkReserved(accounts: readonly Account[]): void {
    const now = this.#now;
    const want = new Map<string, bigint>();
    for (const { quotas, rate, endsAt } of this.running.values()) {
      const left = rate * BigInt(Math.max(0, endsAt - now));
      for (const quota of quotas) want.set(quota, (want.get(quota) ?? 0n) + left);
    }
    for (const { name } of accounts) assert.equal(this.reserved.at(name, now), want.get(name) ?? 0n);
  }

  #hold(entry: Entry): void {
    this.entries.push(entry);
    this.#turn(entry, entry.rate);
    this.at(entry.end, () => this.#turn(entry, 0n - entry.rate));
  }

  #turn({ account }: Entry, rate: bigint): void {
    for (const one of account.chain) {
      one.rate += rate;
      one.offset += rate * BigInt(this.#now);
    }
  }

  /** What still runs is charged to the next half-year from here on. */
  #closePeriod(account: Account): void {
    account.used.push(this.usedBy(account));
    account.offset = account.rate * BigInt(this.#now);
  }
}

/** What the intervals come to in each half-year of each account, worked out without any of the meters. */
function accountsFromIntervals(entries: readonly Entry[], accounts: readonly Account[]): Map<Account, bigint[]> {
  const sums = new Map(accounts.map((one) => [one, [0n, 0n]]));
  const periodsOf = ({ halves: [first, second], limits }: Account): readonly Period[] => [
    { start: first.period.start, end: second.period.start },
    limits.period,
  ];
  for (const { account: holder, rate, start, end } of entries) {
    const parts = splitAtPeriods({ start, end }, holder.chain.flatMap(periodsOf));
    assert.equal(
      parts.reduce((sum, part) => sum + chargeOver(rate, part.end - part.start), 0n),
      chargeOver(rate, end - start),
    );
    for (const part of parts) {
      for (const one of holder.chain) {
        const half = periodsOf(one).findIndex((period) => part.start >= period.start && part.end <= period.end);
        const sum = sums.get(one)!;
        if (half >= 0) sum[half]! += chargeOver(rate, part.end - part.start);
      }
    }
  }
  return sums;
}

describe('a year of 500 budgets', () => {
  it('balances: tranches, extensions, period ends and carry-over, to the last unit of charge', (t) => {
    const random = new Random(2026);
    const accounts = accountsOf(random);
    const year = new Year();
    const began = performance.now();

    for (const one of accounts) year.at(0, () => year.follow(one));
    const [from, to] = [moment('2026-02-20'), moment('2027-04-10')];
    for (const one of accounts) {
      if (one.chain.length === 1) continue;
      for (let i = 0; i < 250; i++) {
        const job = jobOf(random, one);
        year.at(from + random.below(to - from), () => year.submit(job));
      }
    }
    for (let at = from; at < to; at += 15 * 24 * hour) year.at(at, () => year.checkReserved(accounts));
    year.run();

    const sums = accountsFromIntervals(year.entries, accounts);
    for (const one of accounts) {
      assert.deepEqual(one.used, sums.get(one), one.name);
      const members = accounts.filter(({ chain }) => chain.length === 2 && chain[1] === one);
      if (members.length === 0) continue;
      const ofMembers = [0, 1].map((half) => members.reduce((sum, { used }) => sum + used[half]!, 0n));
      assert.deepEqual(one.used, ofMembers, one.name);
    }
    const carried = accounts.map(({ limits }) => limits.carriedOver);
    const took = performance.now() - began;

    assert.ok(carried.some((amount) => amount > 0) && carried.some((amount) => amount === 0));
    for (const [i, { halves }] of accounts.entries()) assert.ok(carried[i]! <= halves[0].base / 2);
    for (const outcome of ['Full', 'Borrower', 'BudgetExhausted', 'BudgetExpired', 'BudgetNotStarted']) {
      assert.ok((year.outcomes[outcome] ?? 0) > 1000, `${outcome}: ${year.outcomes[outcome]}`);
    }
    assert.equal(year.running.size, 0);
    t.diagnostic(`${Math.round(took)} ms, ${year.entries.length} intervals, ${JSON.stringify(year.outcomes)}`);
    assert.ok(took < 30_000, 'a year passes in seconds');
  });
});
