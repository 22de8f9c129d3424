import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { Feasibility, release } from '../place/index.ts';
import type { Fleet, PodFacts, Snapshot } from '../snapshot/index.ts';
import { fleetOf, gpus, node, pod, quota } from '../testing/world.ts';
import { Backfill, type Ask } from './index.ts';

/** A workload of the simulation. Times and walltimes in minutes; order = position in the list. */
interface Job {
  readonly quota: 'a' | 'b';
  readonly pods: number;
  readonly devices: number;
  readonly walltime: number;
  readonly arrival: number;
}

interface Scenario {
  readonly nodes: readonly number[];
  readonly jobs: readonly Job[];
  /** What a and b may hold together, and b alone. */
  readonly limits: readonly [number, number];
}

/** How the cycle treats those behind a workload that cannot start. */
type Mode = 'backfill' | 'strict order';

const minute = 60_000;

/** Jobs in order of arrival, so that nothing of higher order comes later; each fits while nothing runs. */
const scenarios: fc.Arbitrary<Scenario> = fc
  .record({
    nodes: fc.array(fc.integer({ min: 2, max: 8 }), { minLength: 1, maxLength: 5 }),
    jobs: fc.array(
      fc.record({
        quota: fc.constantFrom('a' as const, 'b' as const),
        pods: fc.integer({ min: 1, max: 3 }),
        devices: fc.integer({ min: 1, max: 8 }),
        walltime: fc.integer({ min: 1, max: 12 }),
        arrival: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 10 })),
      }),
      { minLength: 2, maxLength: 8 },
    ),
    limits: fc.tuple(fc.integer({ min: 6, max: 40 }), fc.integer({ min: 4, max: 40 })),
  })
  .map((scenario) => ({
    ...scenario,
    jobs: scenario.jobs.filter((job) => fits(scenario, job)).sort((x, y) => x.arrival - y.arrival),
  }));

function fits(scenario: Scenario, job: Job): boolean {
  const snapshot = worldOf(scenario).snapshot(0);
  const ask = askOf(snapshot, job, podsOf(job, 0));
  return mayStart(ask) && new Backfill(snapshot, new Feasibility(snapshot), 0).place(ask).kind === 'placed';
}

function mayStart({ quota: payer, cost }: Ask): boolean {
  return payer!.pool!.tree.available(payer!.index) >= cost;
}

function podsOf(job: Job, i: number): readonly PodFacts[] {
  return Array.from({ length: job.pods }, (_, p) =>
    pod(job.quota, job.devices, { name: `job-${i}-${p}`, walltime: job.walltime * minute }),
  );
}

function worldOf({ nodes, limits: [both, alone] }: Scenario): Fleet {
  return fleetOf({
    nodes: nodes.map((devices, i) => node(`n${i}`, devices)),
    quotas: [
      quota('lab', 0, { borrowingLimit: gpus(both), namespaceSelector: undefined }),
      quota('a', 0, { parentName: 'lab' }),
      quota('b', 0, { parentName: 'lab', borrowingLimit: gpus(alone) }),
    ],
  });
}

function askOf(snapshot: Snapshot, job: Job, pods: readonly PodFacts[]): Ask {
  const [first] = pods as [PodFacts];
  const devices = job.devices * job.pods;
  return {
    workload: { key: first.uid, namespace: job.quota, pods, priority: 0, createdAt: 0, gang: undefined },
    quota: snapshot.policy.quotaOfNamespace.get(job.quota),
    request: [{ classIndex: 0, devices }],
    cost: gpus(devices),
    placement: {
      roles: [{ pods, profiles: new Feasibility(snapshot).profilesOf(first.shape) }],
      strategy: 'Pack',
      within: undefined,
    },
    walltime: job.walltime * minute,
    guaranteed: false,
    admissible: () => true,
  };
}

/** What a run found out. Indices are those of the jobs. */
interface Run {
  readonly starts: ReadonlyMap<number, number>;
  /** The first time that each was promised, and whether it was first in order then. */
  readonly promises: ReadonlyMap<number, { readonly at: number; readonly first: boolean }>;
  readonly makespan: number;
}

/** How many of these start when no one may overtake. */
function startsInOrder(snapshot: Snapshot, asks: readonly Ask[]): number {
  const backfill = new Backfill(snapshot, new Feasibility(snapshot), 0);
  const placed = [];
  let started = 0;
  for (const ask of asks) {
    const attempt = mayStart(ask) ? backfill.place(ask) : undefined;
    if (attempt?.kind !== 'placed') break;
    placed.push(...attempt.pods);
    started++;
  }
  release(snapshot, placed);
  return started;
}

/** Runs the jobs to their end, a cycle whenever one arrives or ends; each ends exactly at its walltime. */
function simulate(scenario: Scenario, mode: Mode): Run {
  const fleet = worldOf(scenario);
  const pods = scenario.jobs.map(podsOf);
  const starts = new Map<number, number>();
  const promises = new Map<number, { at: number; first: boolean }>();
  const endsOf = (i: number) => (starts.get(i) ?? Infinity) + (scenario.jobs[i]?.walltime ?? 0);
  const times = new Set(scenario.jobs.map((job) => job.arrival));
  let makespan = 0;
  for (let time = 0; times.size > 0; time = Math.min(...times)) {
    times.delete(time);
    for (const i of starts.keys()) if (endsOf(i) <= time) for (const { uid } of pods[i] ?? []) fleet.removePod(uid);
    const snapshot = fleet.snapshot(time * minute);
    const backfill = new Backfill(snapshot, new Feasibility(snapshot), time * minute);
    const free = snapshot.nodes.names.map((_, id) => snapshot.nodes.free(id, snapshot.slotOf('nvidia.com/gpu')));
    const waiting = [...scenario.jobs.keys()].filter((i) => scenario.jobs[i]!.arrival <= time && !starts.has(i));
    const wouldStart = startsInOrder(
      snapshot,
      waiting.map((i) => askOf(snapshot, scenario.jobs[i]!, pods[i] ?? [])),
    );
    const placed = [];
    let blocked = 0;
    for (const [position, i] of waiting.entries()) {
      if (mode === 'strict order' && blocked > 0) break;
      const ask = askOf(snapshot, scenario.jobs[i]!, pods[i] ?? []);
      const attempt = mayStart(ask) ? backfill.place(ask) : undefined;
      if (attempt?.kind === 'placed') {
        placed.push(...attempt.pods);
        starts.set(i, time);
        times.add(endsOf(i));
        makespan = Math.max(makespan, endsOf(i));
        continue;
      }
      if (mode === 'backfill') {
        const reservation = backfill.reserve(ask);
        if (reservation !== undefined && !promises.has(i))
          promises.set(i, { at: reservation.at / minute, first: blocked === 0 });
      }
      assert.ok(position >= wouldStart, 'backfill starts whatever would start without');
      blocked++;
    }
    backfill.release();
    for (const id of free.keys()) assert.ok(snapshot.nodes.free(id, snapshot.slotOf('nvidia.com/gpu')) >= 0);
    for (const { index } of snapshot.policy.pools[0]!.quotas)
      assert.ok(snapshot.policy.pools[0]!.tree.available(index) >= 0);
    release(snapshot, placed);
    const after = snapshot.nodes.names.map((_, id) => snapshot.nodes.free(id, snapshot.slotOf('nvidia.com/gpu')));
    assert.deepEqual(after, free, 'the snapshot is as before the cycle');
    for (const { pod: started, node: id } of placed)
      fleet.upsertPod({
        ...started,
        nodeName: snapshot.nodes.names[id],
        phase: 'Running',
        boundAt: time * minute,
      });
  }
  return { starts, promises, makespan };
}

/** Runs of the property that were looked at, to see that the rule was put to the test. */
interface Tally {
  first: number;
  firstLate: number;
  others: number;
  othersLate: number;
}

it('a workload starts no later than it was first promised, when it was first in order and walltimes are exact', () => {
  const tally: Tally = { first: 0, firstLate: 0, others: 0, othersLate: 0 };
  fc.assert(
    fc.property(scenarios, (scenario) => {
      const { starts, promises } = simulate(scenario, 'backfill');
      assert.equal(starts.size, scenario.jobs.length, 'everything starts in the end');
      for (const [i, { at, first }] of promises) {
        const late = (starts.get(i) ?? Infinity) > at;
        tally[first ? 'first' : 'others']++;
        if (late) tally[first ? 'firstLate' : 'othersLate']++;
        assert.ok(!(first && late), `job ${i} was promised ${at} and started at ${starts.get(i)}`);
      }
    }),
    { numRuns: 600 },
  );
  assert.ok(tally.first > 100 && tally.others > 50, 'enough was promised');
  assert.ok(tally.othersLate <= tally.others / 50, `${tally.othersLate} of ${tally.others} later promises were late`);
});

it('over many workloads backfill shortens the time until all are done', () => {
  let [withBackfill, strict] = [0, 0];
  fc.assert(
    fc.property(scenarios, (scenario) => {
      withBackfill += simulate(scenario, 'backfill').makespan;
      strict += simulate(scenario, 'strict order').makespan;
    }),
    { numRuns: 300 },
  );
  assert.ok(withBackfill < strict, `${withBackfill} against ${strict} minutes`);
});
