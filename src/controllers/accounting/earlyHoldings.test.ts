import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';

import type { PodFacts } from '../../core/snapshot/index.ts';
import { fleetOf, node, pod, quota } from '../../core/testing/world.ts';
import { FakeClock } from '../../kube/index.ts';
import { openStore, type Store } from '../../ledger/index.ts';
import { EarlyHoldings } from './earlyHoldings.ts';
import { openBooks } from './openBooks.ts';
import { TouchedPods } from './touched.ts';

const minute = 60_000;
const begin = Date.parse('2026-06-01T00:00:00Z');
const runs = (name: string, devices: number, since = 0): PodFacts =>
  pod('kaist', devices, { name, nodeName: 'n', phase: 'Running', boundAt: begin + since * minute });

/** An operator that leads and whose ledger does not answer until its books are opened. */
class Process {
  readonly clock: FakeClock;
  readonly fleet;
  readonly early: EarlyHoldings;
  readonly badLines: string[] = [];
  readonly #touched: TouchedPods;
  readonly #path: string;

  constructor(path: string, startsAt: number, { guaranteed = 6, pods = [] as readonly PodFacts[] } = {}) {
    this.#path = path;
    this.clock = new FakeClock(begin + startsAt * minute);
    this.fleet = fleetOf({ quotas: [quota('kaist', guaranteed)], nodes: [node('n')], pods });
    this.#touched = new TouchedPods(
      () => this.clock.now(),
      () => undefined,
    );
    this.#touched.begin(pods);
    this.fleet.onHolding = (uid) => this.#touched.note(this.fleet, uid);
    this.early = new EarlyHoldings(path, (line) => this.badLines.push(line));
  }

  /** What a cycle does. */
  follow(isWatched = true): void {
    const now = this.clock.now();
    this.early.follow(this.#touched.news(), this.fleet.snapshot(now), { now, isWatched });
  }

  async wait(minutes: number): Promise<void> {
    await this.clock.advance(minutes * minute);
    this.follow();
  }

  open(store: Store) {
    return openBooks({
      ...{ store, fleet: this.fleet, touched: this.#touched, early: this.early, clock: this.clock },
      transport: { request: () => Promise.resolve({ items: [] }) } as never,
      statusOf: () => undefined,
      signal: new AbortController().signal,
    });
  }

  /** Opens the books. @returns what the ledger then has: pod, minutes of begin and end, kind, a star for an end unseen */
  async ledger(): Promise<readonly string[]> {
    const store = await openStore(`sqlite:${this.#path}.sqlite`);
    const { mended } = await this.open(store);
    await store.write(await store.begin(), mended);
    const intervals = await store.intervals({ from: 0, to: this.clock.now() + 1 });
    await store.close();
    const minutes = (at: number) => (at - begin) / minute;
    return intervals
      .map(({ podUid, start, end, kind, unobserved }) => {
        const until = end === undefined ? 'open' : `${minutes(end)}${unobserved ? '*' : ''}`;
        return `${podUid.slice(4)} ${minutes(start)}-${until} ${kind}`;
      })
      .sort();
  }
}

describe('what pods held before the ledger had answered', () => {
  let folder: string;
  let path: string;
  let files = 0;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'moa-early-'));
  });
  after(() => rmSync(folder, { recursive: true }));
  beforeEach(() => {
    path = join(folder, `early-${(files += 1)}`);
  });

  it('is charged though the operator dies: what ended when it ended, the rest to when it was last known', async () => {
    const first = new Process(path, 0);
    for (const one of [runs('ended', 2), runs('unseen', 2), runs('stays', 2)]) first.fleet.upsertPod(one);
    first.follow();
    await first.wait(10);
    first.fleet.removePod('uid-ended');
    first.follow();
    await first.clock.advance(10 * minute);
    first.follow(false);
    first.early.close();

    const next = new Process(path, 60, { pods: [runs('stays', 2)] });
    const want = ['ended 0-10 Guaranteed', 'stays 0-open Guaranteed', 'unseen 0-10* Guaranteed'];
    assert.deepEqual(await next.ledger(), want);
    // It died again before it could forget what it has written by now: nothing is charged twice.
    assert.deepEqual(await next.ledger(), want);
    next.early.clear();
    assert.equal(readFileSync(path, 'utf8'), '');
  });

  it('does not grow while a later process waits, which knows nothing of pods that were gone before it came', async () => {
    const first = new Process(path, 0);
    first.fleet.upsertPod(runs('gone', 2));
    first.follow();
    await first.wait(10);
    first.early.close();
    const next = new Process(path, 20);
    next.fleet.upsertPod(runs('own', 1, 20));
    for (let i = 0; i < 30; i++) await next.wait(10);
    assert.deepEqual(await next.ledger(), ['gone 0-10* Guaranteed', 'own 20-open Guaranteed']);
  });

  it('ends when it was seen to end, also of a pod that the ledger has had as open since an earlier term', async () => {
    const first = new Process(path, 0);
    first.fleet.upsertPod(runs('old', 2));
    assert.deepEqual(await first.ledger(), ['old 0-open Guaranteed']);
    first.early.clear();
    const next = new Process(path, 1, { pods: [runs('old', 2)] });
    await next.wait(59);
    next.fleet.removePod('uid-old');
    next.follow();
    await next.wait(60);
    assert.deepEqual(await next.ledger(), ['old 0-60 Guaranteed']);
  });

  for (const dies of [false, true])
    it(`ends with its node when both are deleted${dies ? ', though the operator dies then' : ''}`, async () => {
      const first = new Process(path, 0);
      first.fleet.upsertPod(runs('one', 2));
      first.follow();
      await first.wait(60);
      first.fleet.removeNode('n');
      first.fleet.removePod('uid-one');
      first.follow();
      await first.wait(60);
      const keeper = dies ? new Process(path, 130) : first;
      assert.deepEqual(await keeper.ledger(), ['one 0-60 Guaranteed']);
    });

  it('ends when it was seen to end though the ledger was being read and failed at that moment', async () => {
    const first = new Process(path, 0);
    first.fleet.upsertPod(runs('one', 2));
    first.follow();
    await first.wait(30);
    const { promise, reject } = Promise.withResolvers<never>();
    const opening = first.open({ open: () => promise, lastEnds: () => Promise.resolve([]) } as never);
    const failed = assert.rejects(opening, /away/);
    await new Promise((resolve) => setImmediate(resolve));
    first.fleet.removePod('uid-one');
    first.follow();
    reject(new Error('away'));
    await failed;
    await first.wait(90);
    assert.deepEqual(await first.ledger(), ['one 0-30 Guaranteed']);
  });

  it('is guaranteed where one after the other stayed within the guarantee', async () => {
    const first = new Process(path, 0, { guaranteed: 2 });
    for (const i of [0, 1, 2]) {
      first.fleet.upsertPod(runs(`p${i}`, 2, i * 10));
      first.follow();
      await first.wait(10);
      first.fleet.removePod(`uid-p${i}`);
      first.follow();
    }
    const want = ['p0 0-10 Guaranteed', 'p1 10-20 Guaranteed', 'p2 20-30 Guaranteed'];
    assert.deepEqual(await first.ledger(), want);
  });

  it('leaves out lines that were cut, or are of another form, and says so', async () => {
    const lines = [
      'null',
      '[]',
      '{"holding":1}',
      '{"v":1,"uid":"x","held":[{"holding":{"podUid":"x"},"hold":{}}]}',
      '{"v":2,"seenAt":1}',
    ];
    writeFileSync(path, `${lines.join('\n')}\n{"v":1,"seenA`);
    const next = new Process(path, 0);
    assert.deepEqual(next.badLines, lines);
    assert.deepEqual(await next.ledger(), []);
  });

  it('says nothing of a pod that is known otherwise', () => {
    const first = new Process(path, 0);
    first.fleet.upsertPod(runs('one', 1));
    first.follow();
    assert.deepEqual(
      first.early.besides((uid) => uid === 'uid-one'),
      [],
    );
    assert.equal(first.early.besides(() => false).length, 1);
  });
});
