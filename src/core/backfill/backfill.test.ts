import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Feasibility } from '../place/index.ts';
import type { PodFacts, RunningWorkload, Snapshot, Workload } from '../snapshot/index.ts';
import { acceleratorClass, fleetOf, gpus, node, pod, pool, quota, type World } from '../testing/world.ts';
import { Backfill, type Ask, type Attempt } from './index.ts';

const now = 1_000_000;
const minute = 60_000;

/** A pod that runs on a node since `now` and will end in some minutes. */
function running(namespace: string, devices: number, on: string, more: Partial<PodFacts> & { minutes?: number } = {}) {
  const { minutes = 60, ...rest } = more;
  return pod(namespace, devices, {
    nodeName: on,
    phase: 'Running',
    boundAt: now,
    walltime: minutes * minute,
    ...rest,
  });
}

/** A workload of pods that are alike, as the planner would put it to the backfill. */
function ask(
  snapshot: Snapshot,
  pods: readonly PodFacts[],
  { minutes = 60, guaranteed = false, within }: { minutes?: number; guaranteed?: boolean; within?: string } = {},
): Ask {
  const first = pods[0]!;
  const payer = snapshot.policy.quotaOfNamespace.get(first.namespace)!;
  const devices = pods.reduce((sum, { shape }) => sum + (snapshot.acceleratorsOf(shape)[0]?.devices ?? 0), 0);
  const workload = { key: first.uid, namespace: first.namespace, pods, priority: 0, createdAt: 0, gang: undefined };
  return {
    workload: workload satisfies Workload,
    quota: payer,
    request: [{ classIndex: 0, devices }],
    cost: gpus(devices),
    placement: {
      roles: [{ pods, profiles: new Feasibility(snapshot).profilesOf(first.shape) }],
      strategy: 'Pack',
      within,
    },
    walltime: minutes * minute,
    guaranteed,
    admissible: () => true,
  };
}

function many(count: number, namespace: string, devices: number): readonly PodFacts[] {
  return Array.from({ length: count }, () => pod(namespace, devices));
}

/** A cycle over a world, with asks made in short form. */
function cycle(world: World) {
  const snapshot = fleetOf(world).snapshot(now);
  const backfill = new Backfill(snapshot, new Feasibility(snapshot), now);
  return {
    snapshot,
    backfill,
    place: (pods: readonly PodFacts[], more?: Parameters<typeof ask>[2]) => backfill.place(ask(snapshot, pods, more)),
    reserve: (pods: readonly PodFacts[], more?: Parameters<typeof ask>[2]) =>
      backfill.reserve(ask(snapshot, pods, more)),
  };
}

function minutesUntil(at: number | undefined): number | undefined {
  return at === undefined ? undefined : (at - now) / minute;
}

function nodesOf(attempt: Attempt, snapshot: Snapshot): readonly (string | undefined)[] | string {
  return attempt.kind === 'placed' ? attempt.pods.map((placed) => snapshot.nodes.names[placed.node]) : attempt.kind;
}

/** Everything that a hold changes, to see that it is as before. */
function stateOf(snapshot: Snapshot): unknown {
  const { nodes, policy } = snapshot;
  const slots = [0, 1, 2, 3].map((slot) => nodes.names.map((_, id) => nodes.free(id, slot)));
  const quotas = policy.pools.map(({ tree, quotas: all }) =>
    all.map(({ index }) => [tree.available(index), tree.used(index)]),
  );
  return { slots, quotas };
}

describe('the time of a reservation', () => {
  const nodes = [node('a'), node('b')];
  const quotas = [quota('kaist', 0), quota('kist', 0)];

  it('is when enough walltimes have run out on nodes that can then hold it', () => {
    const pods = [
      running('kist', 4, 'a', { minutes: 10 }),
      running('kist', 4, 'a', { minutes: 30 }),
      running('kist', 8, 'b', { minutes: 50 }),
    ];
    const { reserve, snapshot } = cycle({ nodes, quotas, pods });
    const before = stateOf(snapshot);
    const got = reserve([pod('kaist', 8)]);
    assert.equal(minutesUntil(got?.at), 30);
    assert.deepEqual(
      got?.pods.map((placed) => placed.nodeName),
      ['a'],
    );
    assert.equal(got.closed, false);
    assert.deepEqual(stateOf(snapshot), before, 'nothing is free on the node now, so nothing is held');
  });

  it('waits for all pods of a gang', () => {
    const pods = [running('kist', 8, 'a', { minutes: 10 }), running('kist', 8, 'b', { minutes: 50 })];
    const { reserve } = cycle({ nodes, quotas, pods });
    assert.equal(minutesUntil(reserve(many(2, 'kaist', 8))?.at), 50);
  });

  it('counts everything that ends at the same moment as gone', () => {
    const pods = [running('kist', 4, 'a', { minutes: 20 }), running('kist', 4, 'a', { minutes: 20 })];
    const { reserve } = cycle({ nodes: [node('a')], quotas, pods });
    assert.equal(minutesUntil(reserve([pod('kaist', 8)])?.at), 20);
  });

  it('is when walltimes free enough of the quota, where the quota stands in the way', () => {
    const limited = [quota('kaist', 0, { borrowingLimit: gpus(8) })];
    const pods = [running('kaist', 8, 'a', { minutes: 40 })];
    const { reserve } = cycle({ nodes, quotas: limited, pods });
    assert.equal(minutesUntil(reserve([pod('kaist', 8)])?.at), 40);
  });

  it('is when another limit admits it, where that stands in the way', () => {
    const pods = [running('kaist', 2, 'a', { minutes: 25 }), running('kaist', 2, 'a', { minutes: 45 })];
    const { snapshot, backfill } = cycle({ nodes, quotas, pods });
    const limited = {
      ...ask(snapshot, [pod('kaist', 8)]),
      admissible: (tree: { devices: (q: number, c: number) => number }) => tree.devices(0, 0) <= 2,
    };
    assert.equal(minutesUntil(backfill.reserve(limited)?.at), 25);
  });

  it('takes the default of the quota where no walltime is declared, else a day', () => {
    const pods = [running('kist', 8, 'a', { walltime: undefined })];
    const day = cycle({ nodes: [node('a')], quotas, pods });
    assert.equal(minutesUntil(day.reserve([pod('kaist', 8)])?.at), 24 * 60);
    const withDefault = [quota('kaist', 0), quota('kist', 0, { defaultWalltime: 90 * minute })];
    const { reserve } = cycle({ nodes: [node('a')], quotas: withDefault, pods });
    assert.equal(minutesUntil(reserve([pod('kaist', 8)])?.at), 90);
  });

  it('is unknown where it depends on a workload past its walltime', () => {
    const pods = [running('kist', 8, 'a', { boundAt: now - 120 * minute })];
    const { reserve } = cycle({ nodes: [node('a')], quotas, pods });
    assert.equal(reserve([pod('kaist', 8)]), undefined);
  });

  it('is unknown where it depends on a pod of another scheduler that declares no walltime', () => {
    const pods = [running('kist', 8, 'a', { ours: false, walltime: undefined })];
    const { reserve } = cycle({ nodes: [node('a')], quotas, pods });
    assert.equal(reserve([pod('kaist', 8)]), undefined);
  });

  it('is unknown in a pool without backfill', () => {
    const pods = [running('kist', 8, 'a')];
    const { reserve } = cycle({ pools: [pool({ backfill: false })], nodes: [node('a')], quotas, pods });
    assert.equal(reserve([pod('kaist', 8)]), undefined);
  });

  it('reckons with what the cycle itself starts', () => {
    const { reserve, place } = cycle({ nodes: [node('a')], quotas });
    assert.equal(place([pod('kist', 8)], { minutes: 15 }).kind, 'placed');
    assert.equal(minutesUntil(reserve([pod('kaist', 8)])?.at), 15);
  });

  it('comes after the reservations made before it, which it is planned around', () => {
    const pods = [running('kist', 8, 'a', { minutes: 10 })];
    const { reserve } = cycle({ nodes: [node('a')], quotas, pods });
    assert.equal(minutesUntil(reserve([pod('kaist', 8)], { minutes: 60 })?.at), 10);
    assert.equal(minutesUntil(reserve([pod('kaist', 8)], { minutes: 60 })?.at), 70);
  });

  it('is promised to the first eight only', () => {
    const pods = [running('kist', 8, 'a', { minutes: 10 })];
    const { reserve } = cycle({ nodes: [node('a')], quotas, pods });
    const got = Array.from({ length: 10 }, () => minutesUntil(reserve([pod('kaist', 8)], { minutes: 1 })?.at));
    assert.deepEqual(got, [10, 11, 12, 13, 14, 15, 16, 17, undefined, undefined]);
  });

  it('is in one domain of the level that must hold the gang', () => {
    const zones = ['a1', 'a2', 'b1', 'b2'].map((name) => {
      const plain = node(name);
      return { ...plain, labels: { ...plain.labels, zone: name.slice(0, 1) } };
    });
    const pods = ['a1', 'b1', 'b2', 'a2'].map((on, i) => running('kist', 8, on, { minutes: 10 * (i + 1) }));
    const pools = [pool({ topologyLevels: ['zone'] })];
    const { reserve } = cycle({ pools, nodes: zones, quotas, pods });
    const got = reserve(many(2, 'kaist', 8), { within: 'zone' });
    assert.deepEqual(got?.pods.map((placed) => placed.nodeName).sort(), ['b1', 'b2']);
    assert.equal(minutesUntil(got.at), 30);
  });
});

describe('a later workload', () => {
  const nodes = [node('a'), node('b')];
  const quotas = [quota('kaist', 0), quota('kist', 0)];
  /** 4 of a are free; the head needs 8 of a node: at 30 minutes. */
  const pods = [running('kist', 4, 'a', { minutes: 30 }), running('kist', 8, 'b', { minutes: 90 })];

  it('may use reserved space when it ends by then', () => {
    const { reserve, place, snapshot } = cycle({ nodes, quotas, pods });
    reserve([pod('kaist', 8)]);
    assert.deepEqual(nodesOf(place([pod('kist', 4)], { minutes: 30 }), snapshot), ['a']);
  });

  it('may not use it when it would end a moment too late, and is told who stands in the way', () => {
    const { reserve, place } = cycle({ nodes, quotas, pods });
    const promised = reserve([pod('kaist', 8)]);
    const late = place([pod('kist', 4)], { minutes: 31 });
    assert.deepEqual(late, { kind: 'delays', reservation: promised });
  });

  it('may run for any time where the reservation needs nothing', () => {
    const more = [...nodes, node('c', 4)];
    const { reserve, place, snapshot } = cycle({ nodes: more, quotas, pods });
    reserve([pod('kaist', 8)]);
    assert.deepEqual(nodesOf(place([pod('kist', 4)], { minutes: 9999 }), snapshot), ['c']);
  });

  it('finds no room, whatever is reserved, where there is none', () => {
    const { reserve, place } = cycle({ nodes, quotas, pods });
    reserve([pod('kaist', 8)]);
    assert.deepEqual(place([pod('kist', 5)], { minutes: 9999 }), { kind: 'no room' });
  });

  it('may use what is left over of a node beside the reservation', () => {
    const { reserve, place, snapshot } = cycle({ nodes, quotas, pods });
    reserve([pod('kaist', 6)]);
    assert.deepEqual(nodesOf(place([pod('kist', 2)], { minutes: 9999 }), snapshot), ['a']);
    assert.equal(place([pod('kist', 1)], { minutes: 9999 }).kind, 'delays');
  });

  it('may take the node for good once a short one uses what was held, as that is given back in time', () => {
    const { reserve, place, snapshot } = cycle({ nodes, quotas, pods });
    reserve([pod('kaist', 6)]);
    assert.deepEqual(nodesOf(place([pod('kist', 2)], { minutes: 20 }), snapshot), ['a']);
    assert.deepEqual(nodesOf(place([pod('kist', 2)], { minutes: 9999 }), snapshot), ['a']);
    assert.equal(place([pod('kist', 1)], { minutes: 9999 }).kind, 'no room');
  });

  it('may not take the quota that a reservation will need', () => {
    const lab = quota('lab', 0, { borrowingLimit: gpus(8), namespaceSelector: undefined });
    const inLab = (name: string) => quota(name, 0, { parentName: 'lab' });
    const tree = [lab, inLab('kaist'), inLab('kist')];
    const wide = [node('a'), node('b'), node('c')];
    const held = [running('kist', 4, 'a', { minutes: 30 })];
    const { reserve, place } = cycle({ nodes: wide, quotas: tree, pods: held });
    const promised = reserve([pod('kaist', 8)]);
    assert.equal(minutesUntil(promised?.at), 30);
    assert.deepEqual(place([pod('kist', 1)], { minutes: 31 }), { kind: 'delays', reservation: promised });
    assert.equal(place([pod('kist', 1)], { minutes: 30 }).kind, 'placed');
  });

  it('may take quota that is left beside a reservation, and no more', () => {
    const lab = quota('lab', 0, { borrowingLimit: gpus(10), namespaceSelector: undefined });
    const inLab = (name: string) => quota(name, 0, { parentName: 'lab' });
    const held = [running('kist', 4, 'a', { minutes: 30 })];
    const wide = [node('a'), node('b'), node('c')];
    const { reserve, place } = cycle({ nodes: wide, quotas: [lab, inLab('kaist'), inLab('kist')], pods: held });
    reserve([pod('kaist', 8)]);
    assert.equal(place([pod('kist', 2)], { minutes: 99 }).kind, 'placed');
    assert.equal(place([pod('kist', 1)], { minutes: 99 }).kind, 'delays');
  });

  it('within guarantee is not held back by a borrower, whose reservation goes', () => {
    const { reserve, place, backfill } = cycle({ nodes, quotas, pods });
    reserve([pod('kaist', 8)]);
    assert.equal(place([pod('kist', 4)], { minutes: 31, guaranteed: true }).kind, 'placed');
    assert.deepEqual(backfill.reservations, []);
  });

  it("within guarantee leaves a borrower's reservation alone where there is room beside it", () => {
    const { reserve, place, backfill } = cycle({ nodes: [...nodes, node('c', 4)], quotas, pods });
    reserve([pod('kaist', 8)]);
    assert.equal(place([pod('kist', 4)], { minutes: 31, guaranteed: true }).kind, 'placed');
    assert.equal(backfill.reservations.length, 1);
  });

  it('within guarantee is held back by a reservation within guarantee', () => {
    const { reserve, place } = cycle({ nodes, quotas, pods });
    reserve([pod('kaist', 8)], { guaranteed: true });
    assert.equal(place([pod('kist', 4)], { minutes: 31, guaranteed: true }).kind, 'delays');
  });
});

describe('space freed by an eviction', () => {
  const quotas = [quota('kaist', 0), quota('kist', 0)];
  const nodes = [node('a')];
  const leaving = () => running('kist', 4, 'a', { deletionAt: now + 2 * minute });

  it('is held until the last victim is gone', () => {
    const { reserve } = cycle({ nodes, quotas, pods: [leaving()] });
    const got = reserve([pod('kaist', 8)]);
    assert.equal(minutesUntil(got?.at), 2);
    assert.equal(got?.closed, true);
  });

  it('is closed to the shortest workload', () => {
    const { reserve, place } = cycle({ nodes, quotas, pods: [leaving()] });
    reserve([pod('kaist', 8)]);
    assert.equal(place([pod('kist', 4)], { minutes: 1 }).kind, 'delays');
  });

  it('is held against guaranteed demand as well', () => {
    const { reserve, place } = cycle({ nodes, quotas, pods: [leaving()] });
    reserve([pod('kaist', 8)]);
    assert.equal(place([pod('kist', 4)], { minutes: 1, guaranteed: true }).kind, 'delays');
  });

  it('is held in a pool without backfill', () => {
    const { reserve, place } = cycle({ pools: [pool({ backfill: false })], nodes, quotas, pods: [leaving()] });
    assert.equal(reserve([pod('kaist', 8)])?.closed, true);
    assert.equal(place([pod('kist', 4)], { minutes: 1 }).kind, 'delays');
  });

  it('is held from the cycle on that decides the eviction', () => {
    const victim = running('kist', 4, 'a', { minutes: 600 });
    const { snapshot, backfill, reserve } = cycle({ nodes, quotas, pods: [victim] });
    const victims = snapshot.running.workloadsOf('kist') satisfies readonly RunningWorkload[];
    backfill.evict(victims, now + 2 * minute);
    const got = reserve([pod('kaist', 8)]);
    assert.equal(minutesUntil(got?.at), 2);
    assert.equal(got?.closed, true);
  });

  it('counts as free at once where the pod should be gone already', () => {
    const overdue = running('kist', 4, 'a', { deletionAt: now - minute });
    const { reserve } = cycle({ nodes, quotas, pods: [overdue] });
    assert.equal(reserve([pod('kaist', 8)])?.at, now);
  });
});

it('power that a reservation will draw is held as well', () => {
  const pools = [
    pool({
      classes: [acceleratorClass('h200', 1, { powerWatts: 1000 })],
      sites: [{ name: 's', nodeSelector: [], powerLimitWatts: 8000 }],
    }),
  ];
  const quotas = [quota('kaist', 0), quota('kist', 0)];
  const { reserve, place } = cycle({
    pools,
    quotas,
    nodes: [node('a'), node('b')],
    pods: [running('kist', 4, 'a', { minutes: 30 })],
  });
  assert.equal(minutesUntil(reserve([pod('kaist', 8)])?.at), 30);
  assert.equal(place([pod('kist', 1)], { minutes: 31 }).kind, 'delays');
  assert.equal(place([pod('kist', 4)], { minutes: 30 }).kind, 'placed');
});

it('the first reservation looks as far as it must; those after it share a shorter look, and it is said when it ends', () => {
  const nodes = Array.from({ length: 4200 }, (_, i) => node(`n${i}`));
  const pods = nodes.flatMap(({ name }) => Array.from({ length: 8 }, () => running('kist', 1, name)));
  const { reserve, backfill } = cycle({ nodes, quotas: [quota('kaist', 0), quota('kist', 0)], pods });
  assert.equal(minutesUntil(reserve(many(2000, 'kaist', 8))?.at), 60);
  assert.equal(backfill.exhausted, false);
  assert.equal(reserve(many(2000, 'kaist', 8)), undefined);
  assert.equal(backfill.exhausted, true);
});

it('everything is as before when the cycle has given its space back', () => {
  const quotas = [quota('kaist', 0), quota('kist', 0)];
  const pods = [running('kist', 4, 'a', { minutes: 30 }), running('kist', 3, 'b', { minutes: 10 })];
  const { reserve, backfill, snapshot } = cycle({ nodes: [node('a'), node('b')], quotas, pods });
  const before = stateOf(snapshot);
  reserve([pod('kaist', 8)]);
  reserve([pod('kaist', 7)]);
  assert.notDeepEqual(stateOf(snapshot), before);
  backfill.release();
  assert.deepEqual(stateOf(snapshot), before);
});
