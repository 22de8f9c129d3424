import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import fc from 'fast-check';

import { dateAt, type MilliGpus } from '../../src/core/units/index.ts';
import { FakeClock } from '../../src/kube/index.ts';
import {
  type Charge,
  chargeFactorOf,
  chargeFor,
  type Entry,
  type Holding,
  type HoldingKind,
  Journal,
  LedgerWriter,
  noCharge,
  type OpenInterval,
  openStore,
  recover,
  splitAt,
  type Store,
  Tally,
  type UsageRow,
} from '../../src/ledger/index.ts';
import { forEachEngine, scratch, type LedgerSource } from './engines.ts';
import { borrowedChargeFactor, chains, history, type PodTerms, type Step } from './history.ts';
import { closing, opening, splitting } from './intervals.ts';

const begin = Date.parse('2026-02-27T03:04:05.678Z');
const forever = { from: 0, to: Date.parse('2100-01-01T00:00:00Z') };
const runs = { SQLite: 1500, PostgreSQL: 200 };

/** The whole model: a pod that holds devices, on terms that change now and then. */
interface ModelPod {
  readonly uid: string;
  readonly quotas: readonly string[];
  readonly user: string | undefined;
  readonly terms: PodTerms;
  readonly segments: { readonly kind: HoldingKind; readonly start: number; end: number | undefined }[];
}

/** What the pod has cost in the model until `now`. A split may lie a moment ahead of it. */
function cost(pod: ModelPod, now: number): Charge {
  let sum = 0n;
  for (const { kind, start, end = now } of pod.segments) {
    const factor = kind === 'Borrowed' ? BigInt(borrowedChargeFactor) : 1_000_000n;
    const milliseconds = Math.max(0, Math.min(end, now) - start);
    sum += BigInt(pod.terms.weight) * BigInt(pod.terms.milliDevices) * BigInt(milliseconds) * factor;
  }
  return sum as Charge;
}

/** Plays a history on the model and on the ledger side by side. */
class Trial {
  now = begin;
  readonly pods: ModelPod[] = [];
  readonly #prefix: string;
  readonly #store: Store;
  readonly #path: string;
  readonly #recorded: Entry[] = [];
  #seenAt = 0;
  #watchedFrom = 0;
  #clockWentBack = false;
  #journal: Journal;
  #writer: LedgerWriter;
  #tally = new Tally([]);

  constructor(store: Store, path: string, number: number) {
    this.#store = store;
    this.#path = path;
    this.#prefix = `${number}-`;
    [this.#journal, this.#writer] = this.#process();
  }

  quota(name: string): string {
    return this.#prefix + name;
  }

  async start(holdings: readonly Holding[] = []): Promise<void> {
    await this.#writer.begin();
    // Histories share a ledger, and what it has seen lies ahead of those that come later.
    this.#seenAt = (await this.#store.open()).seenAt;
    const { entries, open } = await recover(this.#store, holdings, this.now);
    this.#tally = new Tally(open);
    this.#record(entries);
    await this.#writer.flush();
    const from = this.#latest();
    for (const name of ['a', 'b', 'c', 'top']) {
      const quota = this.quota(name);
      this.#tally.watch(quota, { start: forever.from, end: forever.to }, from);
      const rows = await this.#store.usage({ from: 0, to: from, at: from, quota });
      this.#tally.settle(quota, from, chargeOf(rows));
      this.#watchedFrom = from;
    }
  }

  async play(step: Step): Promise<void> {
    switch (step.type) {
      case 'wait':
        this.now += step.milliseconds;
        return;
      case 'clockBack':
        this.now -= step.milliseconds;
        this.#clockWentBack = true;
        return;
      case 'bind': {
        const interval = this.#intervalOf(this.#bind(step));
        this.#tally.open(interval);
        this.#record([opening(interval)]);
        return;
      }
      case 'relabel': {
        const interval = this.#pick(step.pick);
        if (interval === undefined) return;
        const split = splitAt(interval, this.now, { kind: step.kind, borrowedChargeFactor });
        this.#tally.close(interval, split[0].end);
        this.#tally.open(split[1]);
        this.#record(splitting(split));
        const pod = this.#podOf(interval.podUid);
        const at = Math.max(this.now, interval.start + 1);
        pod.segments.at(-1)!.end = at;
        pod.segments.push({ kind: step.kind, start: at, end: undefined });
        return;
      }
      case 'end': {
        const interval = this.#pick(step.pick);
        if (interval === undefined) return;
        this.#tally.close(interval, this.now);
        this.#record([closing(interval, this.now)]);
        endModel(this.#podOf(interval.podUid), this.now);
        return;
      }
      case 'seen':
        this.#record([{ type: 'seen', at: this.now }]);
        return;
      case 'flush':
        await this.#writer.flush();
        return;
      case 'replay': {
        const first = this.#recorded.length === 0 ? 0 : step.pick % this.#recorded.length;
        this.#record(this.#recorded.slice(first, first + step.count));
        return;
      }
      case 'crash':
        await this.#crash(step);
        return;
    }
  }

  /** Ends everything and compares the books with the model: by quota, and by user and day. */
  async check(): Promise<void> {
    this.checkTally();
    for (const interval of [...this.#tally.values()]) {
      this.#record([closing(interval, this.now)]);
      endModel(this.#podOf(interval.podUid), this.now);
    }
    await this.#writer.flush();
    this.#journal.close();
    assert.equal(this.#journal.bytes, 0);
    for (const name of ['a', 'b', 'c', 'top']) {
      const quota = this.quota(name);
      const asked = { ...forever, at: forever.to, quota };
      const rows = await this.#store.usage(asked);
      assert.equal(chargeOf(rows), this.#expected(quota, forever.to), `charge of ${name}`);

      // Totals by day and by month, against a reading of every interval.
      const exact = await this.#store.usage({ ...asked, users: true, per: 'day' });
      const byDay = await this.#store.usage({ ...asked, per: 'day' });
      assert.deepEqual(sumsBy(byDay, dayOf), sumsBy(exact, dayOf));
      const byMonth = await this.#store.usage({ ...asked, users: true, per: 'month' });
      assert.deepEqual(sumsBy(byMonth, monthAndUser), sumsBy(exact, monthAndUser));
    }
  }

  /**
   * What the tally says is defined from the last moment on that anything began, ended or was settled at; and as long as
   * the clock has not gone back behind it. The books themselves have to stand both.
   */
  checkTally(): void {
    if (this.#clockWentBack || this.now < Math.max(this.#watchedFrom, this.#latest())) return;
    for (const name of ['a', 'b', 'c', 'top'])
      assert.equal(
        this.#tally.used(this.quota(name), this.now),
        this.#expected(this.quota(name), this.now),
        `tally of ${name}`,
      );
  }

  #expected(quota: string, now: number): Charge {
    const costs = this.pods.filter(({ quotas }) => quotas.includes(quota)).map((pod) => cost(pod, now));
    return costs.reduce<bigint>((sum, charge) => sum + charge, noCharge) as Charge;
  }

  /** The last moment of the model: not always now, as a split may lie ahead of it and the clock may go back. */
  #latest(): number {
    const moments = this.pods.flatMap(({ segments }) => segments.map(({ start, end = start }) => end));
    return moments.reduce((latest, moment) => Math.max(latest, moment), this.now);
  }

  #process(): [Journal, LedgerWriter] {
    const journal = new Journal(this.#path);
    return [journal, new LedgerWriter({ store: this.#store, journal, clock: new FakeClock() })];
  }

  #record(entries: readonly Entry[]): void {
    this.#recorded.push(...entries);
    for (const entry of entries) if (entry.type === 'seen') this.#seenAt = Math.max(this.#seenAt, entry.at);
    this.#writer.record(entries);
  }

  #bind({ quota, user, terms }: { quota: number; user: number; terms: PodTerms }): ModelPod {
    const pod: ModelPod = {
      uid: `${this.#prefix}${this.pods.length}`,
      quotas: chains[quota]!.map((name) => this.quota(name)),
      user: user === 0 ? undefined : `user-${user}`,
      terms,
      segments: [{ kind: terms.kind, start: this.now, end: undefined }],
    };
    this.pods.push(pod);
    return pod;
  }

  async #crash({ downMs, ends, binds }: Extract<Step, { type: 'crash' }>): Promise<void> {
    this.#journal.close();
    const running = [...this.#tally.values()].map(({ podUid }) => this.#podOf(podUid));
    const late = binds.map((bind) => this.#bind(bind));
    const diedAt = this.now;
    this.now = Math.max(this.now, this.#clockWentBack ? 0 : this.#latest()) + downMs;
    const ended = new Map<string, number>();
    const gone = new Set<string>();
    for (const { pick, afterMs, known } of ends) {
      const pod = running[pick % Math.max(running.length, 1)];
      if (pod === undefined || ended.has(pod.uid) || gone.has(pod.uid)) continue;
      const { start } = pod.segments.at(-1)!;
      const end = known ? Math.min(diedAt + afterMs, this.now) : Math.min(this.#seenAt, this.now);
      if (known) ended.set(pod.uid, Math.max(end, start));
      else gone.add(pod.uid);
      endModel(pod, end);
    }
    // A pod tells of its binding and of its latest terms, never of what it was before.
    const holdings = [...running, ...late]
      .filter(({ uid }) => !gone.has(uid))
      .map((pod): Holding => ({ ...this.#intervalOf(pod), start: pod.segments[0]!.start, end: ended.get(pod.uid) }));
    [this.#journal, this.#writer] = this.#process();
    await this.start(holdings);
  }

  #intervalOf({ uid, quotas, user, terms, segments }: ModelPod): OpenInterval {
    const { kind, start } = segments.at(-1)!;
    return {
      podUid: uid,
      class: terms.class,
      start,
      end: undefined,
      unobserved: false,
      account: { pool: 'national', timeZone: 'Europe/Berlin', quotas },
      workload: uid,
      user,
      node: 'node-1',
      milliDevices: terms.milliDevices,
      weight: terms.weight satisfies MilliGpus,
      kind,
      chargeFactor: chargeFactorOf({ kind, borrowedChargeFactor }),
    };
  }

  #pick(pick: number): OpenInterval | undefined {
    const open = [...this.#tally.values()];
    return open[pick % Math.max(open.length, 1)];
  }

  #podOf(uid: string): ModelPod {
    return this.pods.find((pod) => pod.uid === uid)!;
  }
}

function endModel(pod: ModelPod, end: number): void {
  const last = pod.segments.at(-1)!;
  last.end = Math.max(end, last.start);
}

function chargeOf(rows: readonly UsageRow[]): Charge {
  return rows.reduce<bigint>((sum, row) => sum + chargeFor(row.deviceMs, row), 0n) as Charge;
}

/** Device time by price and kind, and by whatever `key` tells apart. */
function sumsBy(rows: readonly UsageRow[], key: (row: UsageRow) => string): [string, bigint][] {
  const sums = new Map<string, bigint>();
  for (const row of rows) {
    const { account, class: accelerator, weight, chargeFactor, kind } = row;
    const text = [account.quotas.join('/'), accelerator, weight, chargeFactor, kind, key(row)].join(' ');
    sums.set(text, (sums.get(text) ?? 0n) + row.deviceMs);
  }
  return [...sums].filter(([, sum]) => sum > 0n).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

const dayOf = ({ slot, account }: UsageRow) => dateAt(slot!, account.timeZone);
const monthAndUser = (row: UsageRow) => `${dayOf(row).slice(0, 7)} ${row.user ?? '-'}`;

function suite(source: LedgerSource, engine: keyof typeof runs): void {
  let store: Store | undefined;
  let folder: string;
  let trials = 0;
  before(() => {
    folder = mkdtempSync(join(scratch, 'moa-journal-'));
  });
  after(async () => {
    await store?.close();
    rmSync(folder, { recursive: true });
  });

  /** The same ledger for some histories in a row: its accounts are read with every question. */
  const ledger = async (): Promise<Store> => {
    if (trials % 50 === 0) {
      await store?.close();
      store = undefined;
    }
    trials += 1;
    store ??= await openStore(await source.fresh());
    return store;
  };

  it(`equals weight x devices x time, over ${runs[engine]} histories with crashes, replays and clock steps`, async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const trial = new Trial(await ledger(), join(folder, `${trials}.journal`), trials);
        await trial.start();
        for (const step of steps) {
          await trial.play(step);
          trial.checkTally();
        }
        await trial.check();
      }),
      { numRuns: runs[engine] },
    );
  });
}

describe('the ledger, beside a model of a few lines', () => {
  forEachEngine(suite);
});
