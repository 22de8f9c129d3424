import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';

import { fleetOf, node, pod, quota } from '../../core/testing/world.ts';
import { FakeClock } from '../../kube/index.ts';
import { createMetrics } from '../../observe/index.ts';
import { Accounting } from './accounting.ts';

const minute = 60_000;
const begin = Date.parse('2026-06-01T00:00:00Z');
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
/** Nothing listens there. */
const nobody = 'postgres://moa:moa@127.0.0.1:1/moa';

it('a watch of the pods that breaks while the ledger does not answer hides nothing of what ends later', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'moa-accounting-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const journal = join(folder, 'journal');
  const clock = new FakeClock(begin);
  const fleet = fleetOf({ quotas: [quota('kaist', 6)], nodes: [node('n')] });
  const metrics = createMetrics({ version: '1' });
  const onNews = () => undefined;
  const accounting = new Accounting({ url: nobody, journal, fleet, clock, metrics, logger: silent as never, onNews });
  const stop = new AbortController();
  const leading = accounting.lead({
    transport: { request: () => Promise.resolve({ items: [] }) } as never,
    statusOf: () => undefined,
    takeReclaims: () => [],
    signal: stop.signal,
  });
  const wait = async (milliseconds: number) => {
    await clock.advance(milliseconds);
    accounting.settle(fleet.snapshot(clock.now()), clock.now());
  };
  await wait(10 * minute);
  accounting.podsWatched(false);
  await wait(1000);
  accounting.podsWatched(true);
  await wait(5000);
  const boundAt = clock.now();
  fleet.upsertPod(pod('kaist', 2, { name: 'later', nodeName: 'n', phase: 'Running', boundAt }));
  await wait(60 * minute);
  fleet.removePod('uid-later');
  await wait(0);

  const lines = readFileSync(`${journal}.early`, 'utf8').trim().split('\n');
  const last = lines.map((line) => JSON.parse(line) as { held?: readonly { readonly holding: object }[] });
  assert.partialDeepStrictEqual(last.findLast(({ held }) => held !== undefined)?.held?.[0]?.holding, {
    start: boundAt,
    end: boundAt + 60 * minute,
    unobserved: false,
  });
  stop.abort(new Error('the test is over'));
  await leading;
  await accounting.close();
});
