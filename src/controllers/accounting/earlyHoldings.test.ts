import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';

import type { PodFacts } from '../../core/snapshot/index.ts';
import { fleetOf, node, pod, quota } from '../../core/testing/world.ts';
import { FakeClock } from '../../kube/index.ts';
import { openStore } from '../../ledger/index.ts';
import { EarlyHoldings } from './earlyHoldings.ts';
import { openBooks } from './openBooks.ts';
import { TouchedPods } from './touched.ts';

const begin = Date.parse('2026-06-01T00:00:00Z');
const minute = 60_000;
const runs = (name: string, devices: number): PodFacts =>
  pod('kaist', devices, { name, nodeName: 'n', phase: 'Running', boundAt: begin });

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

  /** A fleet in which pods come and go, and what is noted of them. */
  const leader = () => {
    const fleet = fleetOf({ quotas: [quota('kaist', 6)], nodes: [node('n')] });
    const clock = new FakeClock(begin);
    const touched = new TouchedPods(
      () => clock.now(),
      () => undefined,
    );
    fleet.onHolding = (uid) => touched.note(fleet, uid);
    const early = new EarlyHoldings(path);
    const follow = (isWatched = true) =>
      early.follow(touched.news(), fleet.snapshot(clock.now()), { now: clock.now(), isWatched });
    return { fleet, clock, touched, early, follow };
  };
  /** The next process opens the books. */
  const next = async (running: readonly PodFacts[], now: number) => {
    const { fleet, clock, touched, early } = leader();
    await clock.advance(now - begin);
    for (const one of running) fleet.upsertPod(one);
    const store = await openStore(`sqlite:${path}.sqlite`);
    const transport = { request: () => Promise.resolve({ items: [] }) } as never;
    const sources = { store, fleet, touched, early, transport, clock, statusOf: () => undefined };
    const write = async () => {
      const { mended } = await openBooks({ ...sources, signal: new AbortController().signal });
      await store.write(await store.begin(), mended);
    };
    const intervals = () => store.intervals({ from: 0, to: now + minute });
    return { write, intervals, early, close: () => store.close() };
  };
  const shown = (
    intervals: readonly { podUid: string; start: number; end: number | undefined; kind: string; unobserved: boolean }[],
  ) =>
    intervals
      .map(({ podUid, start, end, kind, unobserved }) =>
        [podUid, (start - begin) / minute, end === undefined ? 'open' : (end - begin) / minute, kind, unobserved].join(
          ' ',
        ),
      )
      .sort();

  it('is charged though the operator dies before the ledger answers: what ended when it ended, the rest to when it was last known', async () => {
    const { fleet, clock, early, follow } = leader();
    for (const one of [runs('ended', 2), runs('unseen', 2), runs('stays', 2)]) fleet.upsertPod(one);
    follow();
    await clock.advance(10 * minute);
    fleet.removePod('uid-ended');
    follow();
    await clock.advance(10 * minute);
    follow(false);
    early.close();

    const process = await next([runs('stays', 2)], begin + 60 * minute);
    await process.write();
    const want = [
      'uid-ended 0 10 Guaranteed false',
      'uid-stays 0 open Guaranteed false',
      'uid-unseen 0 10 Guaranteed true',
    ];
    assert.deepEqual(shown(await process.intervals()), want);
    // It died again before it could forget what it has written by now: nothing is charged twice.
    await process.write();
    assert.deepEqual(shown(await process.intervals()), want);
    process.early.clear();
    assert.equal(readFileSync(path, 'utf8'), '');
    await process.close();
  });

  it('leaves out a line that was cut when the machine died', () => {
    writeFileSync(path, '{"seenAt":1}\n{"holding":{"podUid":"x"\nnot json\n{"seenAt":2');
    const early = new EarlyHoldings(path);
    assert.deepEqual(
      early.besides(() => false),
      [],
    );
  });

  it('says nothing of a pod that is known otherwise', () => {
    const { fleet, early, follow } = leader();
    fleet.upsertPod(runs('one', 1));
    follow();
    assert.deepEqual(
      early.besides((uid) => uid === 'uid-one'),
      [],
    );
    assert.equal(early.besides(() => false).length, 1);
  });
});
