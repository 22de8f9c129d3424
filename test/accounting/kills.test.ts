import assert from 'node:assert/strict';
import { join } from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { openStore, type Interval } from '../../src/ledger/index.ts';
import { postgresAbsence, startPostgres } from '../ledger/postgresServer.ts';
import { Random, startOperator, uniqueName, withCluster, type Pod } from '../support/index.ts';
import { Estate } from '../scheduler/estate.ts';

/** `MOA_KILLS=200 npm test -- test/accounting/kills` for the long form. */
const kills = Number(process.env['MOA_KILLS'] ?? 6);
/** Between the end of a pod and the moment at which an operator that runs has seen it. */
const slackMs = 10_000;

describe('the ledger of an operator that is killed again and again, and so is its PostgreSQL', () => {
  const cluster = withCluster({ crds: true });
  const absent = postgresAbsence();
  if (absent !== undefined) console.log(`skipped, as ${absent}: kills of operator and PostgreSQL in a live run`);

  it(`has each pod once and whole after ${kills} kills`, { skip: absent }, async (context) => {
    const seed = Date.now() % 100_000;
    console.log(`random numbers began at ${seed}`);
    const dice = new Random(seed);
    const server = await startPostgres();
    const url = await server.createDatabase();
    const journal = join(cluster.plane.logs, `${uniqueName('kills')}.journal`);
    const start = () => startOperator(cluster.plane, ['--ledger', url, '--ledger-journal', journal]);
    let operator = await start();
    context.after(async () => {
      await operator.kill();
      await server.stop();
    });
    const estate = await Estate.create(cluster, [{}, {}]);
    const tenants = [await estate.tenant({ guaranteed: 4 }), await estate.tenant()];

    for (let kill = 0; kill < kills; kill++) {
      for (const tenant of tenants)
        await tenant.pods(1 + dice.below(2), { gpus: 1 + dice.below(2), duration: `${1 + dice.below(6)}s` });
      await sleep(dice.below(1500));
      if (dice.chance(0.5)) {
        await operator.kill();
        if (dice.chance(0.3)) await sleep(dice.below(3000));
        operator = await start();
      } else {
        await server.kill();
        if (dice.chance(0.3)) await sleep(dice.below(3000));
        await server.restart();
      }
    }

    // Everything runs to its end, and the books catch up.
    const podsNow = async () => (await Promise.all(tenants.map((tenant) => tenant.all()))).flat();
    const deadline = Date.now() + 120_000;
    const isOver = async () => (await podsNow()).every(({ status }) => status.phase === 'Succeeded');
    while (!(await isOver()) && Date.now() < deadline) await sleep(500);
    const pods = await podsNow();
    assert.deepEqual(new Set(pods.map(({ status }) => status.phase)), new Set(['Succeeded']));
    await sleep(3000);
    await operator.stop();

    const store = await openStore(url);
    const intervals: readonly Interval[] = await store.intervals({ from: 0, to: Date.now() + 1000 });
    await store.close();
    const faults = pods.flatMap((pod) => faultsOf(pod, intervals));
    assert.deepEqual(faults, []);
    assert.equal(new Set(intervals.map(({ podUid }) => podUid)).size, pods.length);
    const marked = intervals.filter(({ unobserved }) => unobserved).length;
    console.log(`${pods.length} pods, ${intervals.length} intervals, ${marked} of them marked as not observed`);
  });
});

/** What is wrong with the intervals of a pod, beside what the API server says of it. */
function faultsOf({ metadata, status, spec }: Pod, all: readonly Interval[]): readonly string[] {
  const own = all.filter(({ podUid }) => podUid === metadata.uid).sort((a, b) => a.start - b.start);
  const bound = status.conditions?.find(({ type }) => type === 'PodScheduled')?.lastTransitionTime ?? '';
  const finished = status.containerStatuses?.[0]?.state.terminated?.finishedAt ?? '';
  const [start, end] = [Date.parse(bound), Date.parse(finished)];
  const gpus = Number(spec.containers[0]?.resources.limits?.['nvidia.com/gpu']);
  const faults: string[] = [];
  const [first, last] = [own[0], own.at(-1)];
  if (first?.start !== start) faults.push(`begins at ${first?.start ?? 'never'}, bound at ${start}`);
  for (const [i, { end: before }] of own.slice(0, -1).entries())
    if (before !== own[i + 1]?.start) faults.push(`a gap or an overlap at ${before ?? ''}`);
  if (own.some(({ milliDevices }) => milliDevices !== gpus * 1000)) faults.push('other devices than it held');
  const ended = last?.end;
  if (ended === undefined) faults.push('never ends');
  else if (last?.unobserved === true ? ended > end + slackMs : ended < end || ended > end + slackMs)
    faults.push(`ends at ${ended}, finished at ${end}`);
  return faults.map((fault) => `${metadata.name}: ${fault}`);
}
