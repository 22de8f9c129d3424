import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import fc from 'fast-check';

import type { ResearchQuotaStatus } from '../../api/v1alpha1/index.ts';
import { hoursNeededFor, limitsAt, type BudgetSpec, type Charge } from '../../core/budget/index.ts';
import { budgetStatus } from '../../core/status/index.ts';
import type { Fleet, PodFacts } from '../../core/snapshot/index.ts';
import {
  acceleratorClass,
  fleetOf,
  node,
  pod as podFacts,
  policyInputOf,
  pool,
  quota as quotaSpec,
} from '../../core/testing/world.ts';
import { micros, oneMicro } from '../../core/units/index.ts';
import { FakeClock } from '../../kube/index.ts';
import {
  chargeFor,
  Journal,
  LedgerWriter,
  noCharge,
  openStore,
  recover,
  Tally,
  type Store,
} from '../../ledger/index.ts';
import { attributedHoldings } from './attribution.ts';
import { Bookkeeper } from './bookkeeper.ts';
import { BudgetBooks } from './budgetBooks.ts';
import { Accounts } from './holdings.ts';
import { TouchedPods } from './touched.ts';

/*
 * Fleets whose pods come and go, whose guarantees change, whose budget periods end, and whose keepers of the books die,
 * beside a model: what each pod held, and on what terms, from one settling to the next.
 */

const minute = 60_000;
const begin = Date.parse('2026-06-01T00:00:00Z');
const weights = { h200: 1000, b200: 2000 } as const;
type Class = keyof typeof weights;
/** Borrowed time costs this much of the full price, in millionths. */
const factor = 500_000;
/** Quotas with the chain that pays, their own first. */
const chains = { a: ['a', 'top'], b: ['b', 'top'], c: ['c'] } as const;
type Payer = keyof typeof chains;
/** Budgets begin with the history and end so many hours later. */
const periodHours = { a: 20, top: 45, c: 30 } as const;
type Budgeted = keyof typeof periodHours;
const endOf = (quota: Budgeted) => begin + periodHours[quota] * 60 * minute;
/** Thousandths of GPU-hours for a period; half of what is left may pass into the next. */
const base = 80_000;

type Step =
  | { readonly type: 'wait'; readonly minutes: number }
  | {
      readonly type: 'bind';
      readonly quota: Payer;
      readonly class: Class;
      readonly devices: number;
      readonly grace: boolean;
    }
  | { readonly type: 'end'; readonly pick: number; readonly completes: boolean }
  | { readonly type: 'guarantee'; readonly quota: Payer; readonly gpus: number }
  | { readonly type: 'settle' }
  /** The manifest of c gets its next period, if the first is over. */
  | { readonly type: 'nextPeriod' }
  | { readonly type: 'die'; readonly downMinutes: number; readonly ends: readonly number[]; readonly binds: number };

const quotaName = fc.constantFrom<Payer>('a', 'b', 'c');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('wait'), minutes: fc.integer({ min: 1, max: 900 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('bind'),
      quota: quotaName,
      class: fc.constantFrom<Class>('h200', 'b200'),
      devices: fc.integer({ min: 1, max: 8 }),
      grace: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('end'), pick: fc.nat(99), completes: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('guarantee'), quota: quotaName, gpus: fc.nat(24) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('settle') }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('nextPeriod') }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('die'),
      downMinutes: fc.nat(300),
      ends: fc.array(fc.nat(99), { maxLength: 2 }),
      binds: fc.nat(2),
    }),
  },
);

/** A pod of the model: what it held on which terms, stretch by stretch. */
interface ModelPod {
  readonly facts: PodFacts;
  readonly quota: Payer;
  readonly class: Class;
  readonly devices: number;
  readonly grace: boolean;
  /** None before it was first taken into the books. */
  readonly stretches: { readonly start: number; end: number; readonly guaranteed: boolean }[];
}

class Trial {
  now = begin;
  readonly fleet: Fleet;
  readonly #store: Store;
  readonly #path: string;
  readonly #prefix: string;
  readonly #guarantees = { a: 8, b: 4, c: 12 };
  /** Whether c is in its second period, and whether a process died since. */
  #followsUp = false;
  diedSince = false;
  /** What the API server has of the quotas. */
  readonly #statuses = new Map<string, ResearchQuotaStatus>();
  readonly #touched: TouchedPods;
  readonly #pods = new Map<string, ModelPod>();
  readonly #ended: ModelPod[] = [];
  #journal: Journal;
  #writer: LedgerWriter;
  #accounts = new Accounts();
  #keeper: Bookkeeper;
  #budgets: BudgetBooks;

  constructor(store: Store, path: string, number: number) {
    this.#store = store;
    this.#path = path;
    this.#prefix = `t${number}`;
    this.fleet = fleetOf({ nodes: [node('h200', 1000), node('b200', 1000, { product: 'b200' })] });
    this.fleet.setPolicy(this.#policy());
    this.#touched = new TouchedPods(
      () => this.now,
      () => undefined,
    );
    this.fleet.onHolding = (uid) => this.#touched.note(this.fleet, uid);
    this.#journal = new Journal(path);
    this.#writer = new LedgerWriter({ store, journal: this.#journal, clock: new FakeClock() });
    const tally = new Tally([]);
    this.#keeper = new Bookkeeper(tally, this.#accounts);
    this.#budgets = new BudgetBooks(tally, this.#keeper, (name) => this.#statuses.get(name));
  }

  /** What came over into the second period of c; undefined while it is in its first. */
  get carried(): number | undefined {
    return this.#followsUp ? this.#budgets.of(this.name('c'), this.now).carriedOver : undefined;
  }

  name(quota: string): string {
    return `${this.#prefix}-${quota}`;
  }

  async lead(): Promise<void> {
    this.#journal.close();
    this.#journal = new Journal(this.#path);
    this.#writer = new LedgerWriter({ store: this.#store, journal: this.#journal, clock: new FakeClock() });
    await this.#writer.begin();
    this.#touched.take();
    const { now } = this;
    const snapshot = this.fleet.snapshot(now);
    this.#accounts = new Accounts();
    const occupants = [...snapshot.running.pods()].map(({ pod }) => ({ pod, end: undefined }));
    const holdings = attributedHoldings(snapshot, this.#accounts, { occupants, now });
    const { entries, open } = await recover(this.#store, holdings, now);
    this.#writer.record(entries);
    const tally = new Tally(open.map((one) => ({ ...one, account: this.#accounts.shared(one.account) })));
    this.#keeper = new Bookkeeper(tally, this.#accounts);
    this.#budgets = new BudgetBooks(tally, this.#keeper, (name) => this.#statuses.get(name));
    this.settle();
  }

  async play(one: Step): Promise<void> {
    switch (one.type) {
      case 'wait':
        this.settle();
        this.now += one.minutes * minute;
        this.settle();
        return;
      case 'bind':
        this.#bind(one);
        return;
      case 'end':
        this.#end(one.pick, one.completes);
        return;
      case 'guarantee':
        this.settle();
        this.#guarantees[one.quota] = one.gpus;
        this.fleet.setPolicy(this.#policy());
        return;
      case 'settle':
        this.settle();
        return;
      case 'nextPeriod':
        this.settle();
        if (this.now < endOf('c')) return;
        this.#followsUp = true;
        this.fleet.setPolicy(this.#policy());
        this.settle();
        await this.#ask();
        return;
      case 'die': {
        this.settle();
        this.#writer.record([{ type: 'seen', at: this.now }]);
        const diedAt = this.now;
        const gone = one.ends.map((pick) => this.#picked(pick)).filter((pod) => pod !== undefined);
        this.now += one.downMinutes * minute;
        for (const pod of new Set(gone)) {
          this.#close(pod, diedAt);
          this.fleet.removePod(pod.facts.uid);
        }
        for (let i = 0; i < one.binds; i++) this.#bind({ quota: 'b', class: 'h200', devices: 2, grace: false });
        await this.lead();
        this.diedSince = this.#followsUp;
        return;
      }
    }
  }

  /** As the operator does after each cycle, and the model beside it. */
  settle(): void {
    const { now } = this;
    const snapshot = this.fleet.snapshot(now);
    this.#budgets.follow(snapshot.policy, now);
    this.#keeper.follow(this.#touched.take(), snapshot, now);
    this.#keeper.settle(snapshot, now);
    this.#writer.record(this.#keeper.takeEntries());
    this.#attribute();
    this.#publish();
  }

  /** Writes the statuses, of which a next leader learns the periods. */
  #publish(): void {
    const { now } = this;
    for (const quota of Object.keys(periodHours) as Budgeted[]) {
      const quotaName = this.name(quota);
      const book = this.#budgets.of(quotaName, now);
      const spec = this.#budgetOf(quota);
      const line = { quotaName, limits: limitsAt(spec, book.carriedOver, now), used: book.used, reserved: noCharge };
      const budget = budgetStatus({ lines: [line], own: { spec, line, book }, now });
      this.#statuses.set(quotaName, budget === undefined ? {} : { budget });
    }
  }

  /** Asks the store for what the tally does not know. */
  async #ask(): Promise<void> {
    await this.#writer.flush();
    await this.#budgets.settle(this.#store);
    this.#publish();
  }

  /** The books at the end of the history: everything that ever ran, to the last unit, by quota and period. */
  async check(): Promise<void> {
    this.settle();
    // A split may lie a millisecond ahead.
    this.now += minute;
    this.settle();
    await this.#ask();
    for (const quota of Object.keys(periodHours) as Budgeted[]) {
      const { used, carriedOver } = this.#budgets.of(this.name(quota), this.now);
      const { start, end } = this.#budgetOf(quota).period;
      assert.equal(used, this.#expected(quota, start, Math.min(end, this.now)), `budget of ${quota}`);
      const left = base - hoursNeededFor(this.#expected(quota, begin, endOf(quota)) as Charge);
      assert.equal(carriedOver, start === begin ? 0 : Math.min(Math.max(0, left), base / 2), `carried into ${quota}`);
    }
    while (this.#pods.size > 0) this.#end(0, true);
    this.settle();
    await this.#writer.flush();
    assert.equal(this.#journal.bytes, 0);
    this.#journal.close();
    const to = this.now + 1;
    for (const quota of ['a', 'b', 'c', 'top']) {
      const name = this.name(quota);
      const rows = await this.#store.usage({ from: 0, to, at: to, quota: name });
      const charged = rows.reduce((sum, row) => sum + chargeFor(row.deviceMs, row), 0n);
      assert.equal(charged, this.#expected(quota, 0, to), `charge of ${quota}`);
      const intervals = await this.#store.intervals({ from: 0, to, quota: name });
      for (const one of intervals) {
        const ends = (Object.keys(periodHours) as Budgeted[]).filter((q) => one.account.quotas.includes(this.name(q)));
        for (const edge of ends.map(endOf)) assert.ok(one.start >= edge || one.end! <= edge, 'a period ends within');
        assert.ok(one.end! > one.start || one.end === one.start);
      }
    }
  }

  #bind({ quota, class: accelerator, devices, grace }: Omit<Extract<Step, { type: 'bind' }>, 'type'>): void {
    const held = { nodeName: accelerator, phase: 'Running', boundAt: this.now, borrower: grace } as const;
    const pod = podFacts(this.name(quota), devices, {
      ...held,
      name: `${this.#prefix}-${this.#ended.length + this.#pods.size}`,
    });
    const { uid } = pod;
    this.fleet.upsertPod(pod);
    const model: ModelPod = { facts: pod, quota, class: accelerator, devices, grace, stretches: [] };
    this.#pods.set(uid, model);
  }

  #end(pick: number, completes: boolean): void {
    const pod = this.#picked(pick);
    if (pod === undefined) return;
    this.#close(pod, this.now);
    if (completes) this.fleet.upsertPod({ ...pod.facts, phase: 'Succeeded' });
    else this.fleet.removePod(pod.facts.uid);
  }

  #picked(pick: number): ModelPod | undefined {
    return [...this.#pods.values()][pick % Math.max(1, this.#pods.size)];
  }

  #close(pod: ModelPod, at: number): void {
    const last = pod.stretches.at(-1);
    if (last !== undefined) last.end = Math.max(at, last.start);
    this.#pods.delete(pod.facts.uid);
    this.#ended.push(pod);
  }

  /** DESIGN.md section 4.4 by hand: each quota's guarantee goes to its pods, the oldest first, to each whole or not. */
  #attribute(): void {
    const left = { ...this.#guarantees };
    for (const pod of this.#pods.values()) {
      const worth = (pod.devices * weights[pod.class]) / 1000;
      const guaranteed = !pod.grace && worth <= left[pod.quota];
      if (guaranteed) left[pod.quota] -= worth;
      const last = pod.stretches.at(-1);
      if (last === undefined) pod.stretches.push({ start: pod.facts.boundAt!, end: Infinity, guaranteed });
      else if (last.guaranteed !== guaranteed) {
        // A millisecond at least belongs to what it was.
        last.end = Math.max(this.now, last.start + 1);
        pod.stretches.push({ start: last.end, end: Infinity, guaranteed });
      }
    }
  }

  #expected(quota: string, from: number, to: number): bigint {
    let sum = 0n;
    for (const pod of [...this.#ended, ...this.#pods.values()]) {
      if (!(chains[pod.quota] as readonly string[]).includes(quota)) continue;
      for (const { start, end, guaranteed } of pod.stretches) {
        const time = Math.max(0, Math.min(end, to) - Math.max(start, from));
        sum += BigInt(time * pod.devices * 1000) * BigInt(weights[pod.class] * (guaranteed ? 1_000_000 : factor));
      }
    }
    return sum;
  }

  #budgetOf(quota: Budgeted): BudgetSpec {
    const end = endOf(quota);
    const isSecond = quota === 'c' && this.#followsUp;
    return {
      base: base as BudgetSpec['base'],
      period: isSecond ? { start: end, end: 2 * end - begin } : { start: begin, end },
      carryoverFraction: micros(500_000),
      graceFraction: oneMicro,
      adjustments: [],
    };
  }

  #policy() {
    const [a, b, c, top] = ['a', 'b', 'c', 'top'].map((name) => this.name(name));
    const budget = (quota: Budgeted) => ({ budget: this.#budgetOf(quota) });
    const below = { parentName: top };
    return policyInputOf({
      pools: [
        pool({
          classes: [acceleratorClass('h200'), acceleratorClass('b200', 2)],
          borrowedChargeFactor: micros(factor),
        }),
      ],
      quotas: [
        quotaSpec(top!, 0, budget('top')),
        quotaSpec(a!, this.#guarantees.a, { ...below, ...budget('a') }),
        quotaSpec(b!, this.#guarantees.b, below),
        quotaSpec(c!, this.#guarantees.c, budget('c')),
      ],
    });
  }
}

describe('the books of an operator, beside a model of a few lines', () => {
  let folder: string;
  let trials = 0;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'moa-books-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('charge what was held, guaranteed or borrowed, to the last unit, over deaths, period ends and changed guarantees', async () => {
    const seen = { carried: 0, nothing: 0, diedSince: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }), async (steps) => {
        const store = await openStore('sqlite::memory:');
        const trial = new Trial(store, join(folder, `${(trials += 1)}.journal`), trials);
        await trial.lead();
        for (const one of steps) await trial.play(one);
        await trial.check();
        if (trial.carried === 0) seen.nothing++;
        else if (trial.carried !== undefined) seen.carried++;
        if (trial.diedSince) seen.diedSince++;
        await store.close();
      }),
      { numRuns: 250, seed: 5 },
    );
    assert.ok(seen.carried > 10 && seen.nothing > 10 && seen.diedSince > 10, JSON.stringify(seen));
  });
});
