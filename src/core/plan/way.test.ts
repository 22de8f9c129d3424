import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Fleet, PodFacts } from '../snapshot/index.ts';
import { fleetOf, gpus, node, pod, pool, quota, type World } from '../testing/world.ts';
import { plan, type Plan } from './index.ts';

const minute = 60_000;
const hour = 60 * minute;
const nodes = (count: number) => Array.from({ length: count }, (_, i) => node(`n${i}`));
const running = (namespace: string, name: string, nodeName: string, more: Partial<PodFacts> = {}): PodFacts => ({
  ...pod(namespace, 8, { name }),
  nodeName,
  phase: 'Running',
  boundAt: 0,
  ...more,
});

const planAt = (fleet: Fleet, now: number): Plan => plan(fleet.snapshot(now), now, { maxPods: Infinity });
const started = (made: Plan): string[] => made.admit.flatMap(({ pods }) => pods.map((p) => p.pod.name)).sort();
const evicted = (made: Plan): string[] =>
  made.evict.map(({ victim, cause }) => `${victim.pods[0]?.pod.name} ${cause}`).sort();
const reasonOf = (made: Plan, name: string): string | undefined => {
  const found = made.waiting.find((w) => w.workloads.some((one) => one.pods.some((p) => p.name === name)));
  return found === undefined ? undefined : `${found.reason}: ${found.message}`;
};

/** Two nodes, both borrowed by lab; kaist is guaranteed 8 of them. */
const lent: World = {
  quotas: [quota('kaist', 8), quota('lab', 0)],
  nodes: nodes(2),
  pods: [running('lab', 'old', 'n0'), running('lab', 'young', 'n1', { boundAt: 5 * minute })],
};

describe('reclaim', () => {
  const world: World = { ...lent, pods: [...lent.pods!, pod('kaist', 8, { name: 'own' })] };

  it('what is within guarantee takes from a borrower, the latest started first, and is promised its place', () => {
    const made = planAt(fleetOf(world), hour);
    assert.deepEqual(evicted(made), ['young Reclaim']);
    assert.deepEqual(started(made), []);
    assert.deepEqual(
      made.reserve.map(({ workload, at, pods }) => [workload.pods[0]?.name, at, pods[0]?.nodeName]),
      [['own', hour + 2 * minute, 'n1']],
    );
    assert.match(
      reasonOf(made, 'own') ?? '',
      /^WaitingForReclaim: .*starts by 1970-01-01T01:02:00Z.*1 workload of lab/,
    );
  });

  it('nobody is evicted before minRuntime', () => {
    const made = planAt(fleetOf(world), 10 * minute);
    assert.deepEqual(evicted(made), []);
    assert.match(reasonOf(made, 'own') ?? '', /^WaitingForReclaim: /);
  });

  it('one eviction is enough: while the victim is on its way out nobody else is taken, and no one takes its place', () => {
    const fleet = fleetOf(world);
    const [first] = planAt(fleet, hour).evict;
    fleet.assumeEnding(first!.victim.pods[0]!.pod.uid, hour + 2 * minute);
    fleet.upsertPod(pod('lab', 8, { name: 'greedy', walltime: minute }));
    const next = planAt(fleet, hour + minute);
    assert.deepEqual(evicted(next), []);
    assert.deepEqual(started(next), []);
    assert.match(reasonOf(next, 'own') ?? '', /starts by 1970-01-01T01:02:00Z/);
    fleet.removePod('uid-young');
    const last = planAt(fleet, hour + 2 * minute);
    assert.deepEqual(started(last), ['own']);
    assert.deepEqual(evicted(last), []);
  });

  it('a second beneficiary of the cycle does not count on the victims of the first', () => {
    const quotas = [quota('kaist', 16), quota('lab', 0)];
    const pods = [...world.pods!, pod('kaist', 8, { name: 'own-2' })];
    const made = planAt(fleetOf({ ...world, quotas, pods }), hour);
    assert.deepEqual(evicted(made), ['old Reclaim', 'young Reclaim']);
    assert.equal(made.reserve.length, 2);
  });

  it('what lies within its own guarantee is nobody’s victim', () => {
    const quotas = [quota('kaist', 8), quota('lab', 16)];
    const made = planAt(fleetOf({ ...world, quotas }), hour);
    assert.deepEqual(evicted(made), []);
  });
});

describe('priority', () => {
  it('a higher priority takes from a lower one of its own quota only, whatever it has run', () => {
    const quotas = [quota('kaist', 8), quota('lab', 8)];
    const pods = [
      running('kaist', 'low', 'n0'),
      running('lab', 'other', 'n1'),
      pod('kaist', 8, { name: 'high', priority: 10 }),
    ];
    const made = planAt(fleetOf({ quotas, nodes: nodes(2), pods }), minute);
    assert.deepEqual(evicted(made), ['low Priority']);
  });
});

describe('priority across namespaces', () => {
  it('counts in all namespaces of a quota', () => {
    const namespaces = ['a', 'b'].map((name) => ({ name, labels: { 'moa.dev/institution': 'kaist' } }));
    const pods = [running('a', 'low', 'n0'), pod('b', 8, { name: 'high', priority: 10 })];
    const made = planAt(fleetOf({ quotas: [quota('kaist', 8)], namespaces, nodes: nodes(1), pods }), minute);
    assert.deepEqual(evicted(made), ['low Priority']);
  });
});

describe('walltime', () => {
  it('what is past its walltime makes way for whoever its own quota admits', () => {
    const quotas = [quota('kaist', 8), quota('lab', 8)];
    const pods = [
      running('kaist', 'overdue', 'n0', { walltime: hour }),
      running('lab', 'other', 'n1'),
      pod('lab', 8, { name: 'borrower' }),
    ];
    const world = { quotas, nodes: nodes(2), pods };
    assert.deepEqual(evicted(planAt(fleetOf(world), hour - minute)), []);
    assert.deepEqual(evicted(planAt(fleetOf({ ...world, quotas: [quota('kaist', 0), quota('lab', 8)] }), hour)), [
      'overdue Overdue',
    ]);
  });
});

describe('backfill', () => {
  const world = (more: World = {}): World => ({
    quotas: [quota('kaist', 0), quota('lab', 0)],
    nodes: nodes(2),
    pods: [
      running('lab', 'long', 'n0', { walltime: 4 * hour }),
      pod('kaist', 8, { name: 'wide-0', gangOf: ['wide', 2], createdAt: 1 }),
      pod('kaist', 8, { name: 'wide-1', gangOf: ['wide', 2], createdAt: 1 }),
      pod('lab', 8, { name: 'short', walltime: 2 * hour, createdAt: 2 }),
      pod('lab', 8, { name: 'endless', walltime: 48 * hour, createdAt: 2 }),
    ],
    ...more,
  });

  it('the first that is blocked is promised a time, and only who ends by then goes before it', () => {
    const made = planAt(fleetOf(world()), 0);
    assert.deepEqual(
      made.reserve.map(({ workload, at }) => [workload.gang?.name, at]),
      [
        ['wide', 4 * hour],
        [undefined, 28 * hour],
      ],
    );
    assert.deepEqual(started(made), ['short']);
    assert.match(reasonOf(made, 'wide-0') ?? '', /^WaitingForQuota: .*starts by 1970-01-01T04:00:00Z/);
    assert.match(reasonOf(made, 'endless') ?? '', /^(Reserved|WaitingForQuota): /);
  });

  it('what would delay a promise says for whom the place is held', () => {
    const made = planAt(fleetOf(world({ pods: world().pods!.filter((p) => p.name !== 'short') })), 0);
    assert.deepEqual(started(made), []);
    assert.match(reasonOf(made, 'endless') ?? '', /^Reserved: .*kaist\/wide.*1970-01-01T04:00:00Z/);
  });

  it('younger work of the same quota does not overtake, though it alone would stay within guarantee', () => {
    const quotas = [quota('kaist', 16)];
    const pods = [
      running('kaist', 'now', 'n0', { walltime: hour }),
      pod('kaist', 8, { name: 'wide-0', gangOf: ['wide', 2], createdAt: 1 }),
      pod('kaist', 8, { name: 'wide-1', gangOf: ['wide', 2], createdAt: 1 }),
      pod('kaist', 8, { name: 'young', walltime: 6 * hour, createdAt: 2 }),
      pod('kaist', 8, { name: 'brief', walltime: hour, createdAt: 3 }),
    ];
    const made = planAt(fleetOf({ quotas, nodes: nodes(2), pods }), 0);
    assert.deepEqual(started(made), ['brief']);
    assert.match(reasonOf(made, 'young') ?? '', /^(Reserved|NoCapacity|WaitingForQuota|WaitingForReclaim): /);
    assert.equal(made.reserve[0]?.at, hour);
  });

  it('without backfill nothing is held back', () => {
    const made = planAt(fleetOf(world({ pools: [pool({ backfill: false })] })), 0);
    assert.deepEqual(made.reserve, []);
    assert.equal(started(made).length, 1);
  });
});

describe('quota limits', () => {
  it('a workload that its own limit blocks is promised the time at which its quota is free again', () => {
    const quotas = [quota('kaist', 0, { borrowingLimit: gpus(8) }), quota('lab', 0)];
    const pods = [running('kaist', 'first', 'n0', { walltime: 3 * hour }), pod('kaist', 8, { name: 'next' })];
    const made = planAt(fleetOf({ quotas, nodes: nodes(3), pods }), 0);
    assert.match(reasonOf(made, 'next') ?? '', /^WaitingForQuota: .*starts by 1970-01-01T03:00:00Z/);
  });
});
