import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { Fleet, PodFacts, QuotaSpec, Workload } from '../snapshot/index.ts';
import { acceleratorClass, fleetOf, gpus, node, pod, pool, quota, type World } from '../testing/world.ts';
import { plan, type Plan } from './index.ts';

const minute = 60_000;
const hour = 60 * minute;
const gpu = 'nvidia.com/gpu';
const block = 'moa.dev/block';
const product = 'nvidia.com/gpu.product';
/** One seed, so that a run of the tests means the same each time; others were tried when the planner was written. */
const runs = { numRuns: 800, seed: 20_261_124 };

/** A world in which a first wave of workloads runs already and a second one waits. */
interface BusyWorld {
  readonly world: World & { readonly nodes: NonNullable<World['nodes']>; readonly quotas: readonly QuotaSpec[] };
  readonly first: readonly PodFacts[];
  readonly second: readonly PodFacts[];
  /** When the second wave is planned; the first started at 0. */
  readonly now: number;
}

const waves = fc.array(
  fc.record({
    quota: fc.nat(4),
    size: fc.integer({ min: 1, max: 4 }),
    devices: fc.constantFrom(1, 1, 2, 4, 8),
    priority: fc.nat(2),
    user: fc.constantFrom('kim', 'lee'),
    walltime: fc.constantFrom(undefined, hour, 3 * hour),
    topology: fc.constantFrom(undefined, 'Required', 'Preferred'),
  }),
  { maxLength: 10 },
);

const busyWorlds: fc.Arbitrary<BusyWorld> = fc
  .record({
    nodes: fc.array(
      fc.record({
        devices: fc.constantFrom(2, 4, 8),
        product: fc.constantFrom('h200', 'h200', 'b200'),
        cordoned: fc.constantFrom(false, false, false, true),
        block: fc.constantFrom(undefined, 'a', 'b'),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    quotas: fc.array(
      fc.record({
        guaranteed: fc.nat(12),
        parent: fc.option(fc.nat(3), { nil: undefined }),
        weight: fc.nat(3),
        borrowing: fc.option(fc.nat(8), { nil: undefined }),
        lending: fc.option(fc.nat(8), { nil: undefined }),
        userMax: fc.option(fc.integer({ min: 2, max: 8 }), { nil: undefined }),
        classMax: fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }),
        urgent: fc.constantFrom(false, false, false, true),
      }),
      { minLength: 1, maxLength: 5 },
    ),
    first: waves,
    second: waves,
    now: fc.constantFrom(5 * minute, 2 * hour, 30 * hour),
    preemption: fc.constantFrom('Never', 'WhenImbalanced'),
    backfill: fc.boolean(),
  })
  .map(({ nodes, quotas, first, second, now, preemption, backfill }) => {
    const podsOf = (wave: typeof first, name: string, createdAt: number): PodFacts[] =>
      wave.flatMap((w, i) =>
        Array.from({ length: w.size }, (_, j) =>
          pod(`q${w.quota % quotas.length}`, w.devices, {
            name: `${name}${i}-${j}`,
            createdAt: createdAt + i,
            priority: w.priority,
            user: w.user,
            walltime: w.walltime,
            topology: w.topology === undefined ? undefined : { level: block, required: w.topology === 'Required' },
            ...(w.size > 1 ? { gangOf: [`${name}${i}`, w.size] as [string, number] } : {}),
          }),
        ),
      );
    const world = {
      pools: [
        pool({
          classes: [acceleratorClass('h200', 1), acceleratorClass('b200', 2)],
          topologyLevels: [block],
          backfill,
          fairShare: { ...pool().fairShare, preemption: preemption },
        }),
      ],
      nodes: nodes.map(({ devices, block: own, ...more }, i) => {
        const facts = node(`n${i}`, devices, more);
        return own === undefined ? facts : { ...facts, labels: { ...facts.labels, [block]: own } };
      }),
      quotas: quotas.map((q, i) =>
        quota(`q${i}`, q.guaranteed, {
          parentName: q.parent !== undefined && q.parent < i ? `q${q.parent}` : undefined,
          weight: q.weight * 1000,
          borrowingLimit: q.borrowing === undefined ? undefined : gpus(q.borrowing),
          lendingLimit: q.lending === undefined ? undefined : gpus(q.lending),
          perUserMax: q.userMax === undefined ? undefined : gpus(q.userMax),
          classes: q.classMax === undefined ? [] : [{ name: 'b200', guaranteed: 0, max: q.classMax }],
          tier: q.urgent ? 'Urgent' : 'Research',
        }),
      ),
    };
    return { world, first: podsOf(first, 'a', 0), second: podsOf(second, 'b', 100), now };
  });

const planAt = (fleet: Fleet, now: number): Plan => plan(fleet.snapshot(now), now, { maxPods: Infinity });

function apply(fleet: Fleet, made: Plan, now: number): void {
  for (const { pods } of made.admit)
    for (const { pod: p, nodeName } of pods) fleet.assume(p.uid, { nodeName, since: now });
  fleet.nominate(made.reserve);
  for (const { victim } of made.evict) {
    for (const { pod: p } of victim.pods) fleet.assumeEnding(p.uid, now + 2 * minute);
  }
}

/** The fleet once the first wave has been planned and runs, with the second wave waiting. */
function busy({ world, first, second, now }: BusyWorld): { readonly fleet: Fleet; readonly ran: ReadonlySet<string> } {
  const fleet = fleetOf({ ...world, pods: first });
  const made = planAt(fleet, 0);
  apply(fleet, made, 0);
  const ran = new Set(made.admit.flatMap(({ pods }) => pods.map((p) => p.pod.name)));
  for (const p of first) if (!ran.has(p.name)) fleet.removePod(p.uid);
  for (const p of second) fleet.upsertPod(p);
  fleet.snapshot(now);
  return { fleet, ran };
}

/** A plan as text, in no particular order. */
const shown = (made: Plan): readonly string[] =>
  [
    ...made.admit.flatMap(({ pods }) => pods.map((p) => `${p.pod.name} on ${p.nodeName}`)),
    ...made.evict.map(
      ({ victim, cause }) =>
        `${victim.pods
          .map((p) => p.pod.name)
          .sort()
          .join()} out: ${cause}`,
    ),
    ...made.reserve.map(({ workload, at }) => `${workload.pods[0]?.name} at ${at}`),
    ...made.waiting.flatMap((w) => w.workloads.map((one) => `${one.pods[0]?.name} waits: ${w.reason}`)),
  ].sort();

/** The world in a few lines, for a failure. */
function brief({ world, first, second, now }: BusyWorld): string {
  const podText = (p: PodFacts): string =>
    [
      p.name,
      p.namespace,
      `${p.shape.requests[gpu]} GPUs`,
      `priority ${p.priority}`,
      p.user,
      p.walltime,
      p.topology?.required,
    ]
      .filter((part) => part !== undefined)
      .join(' ');
  return [
    `now ${now}, backfill ${world.pools![0]!.backfill}, ${world.pools![0]!.fairShare.preemption}`,
    ...world.nodes.map(
      (n) => `${n.name} ${n.allocatable[gpu]} ${JSON.stringify(n.labels)} ${n.cordoned ? 'cordoned' : ''}`,
    ),
    ...world.quotas.map((q) =>
      JSON.stringify([
        q.name,
        q.parentName,
        q.tier,
        q.weight,
        q.guaranteed,
        q.borrowingLimit,
        q.lendingLimit,
        q.perUserMax,
        q.classes,
      ]),
    ),
    ...[...first, ...second].map(podText),
  ].join('\n');
}

it('no device is given twice and no usable node takes more than it has, whatever runs already', () => {
  fc.assert(
    fc.property(busyWorlds, (given) => {
      const { fleet } = busy(given);
      const made = planAt(fleet, given.now);
      apply(fleet, made, given.now);
      const { nodes } = fleet.snapshot(given.now);
      const slot = fleet.snapshot(given.now).slotOf(gpu);
      for (let id = 0; id < nodes.count; id++) assert.ok(nodes.free(id, slot) >= 0);
      const cordoned = new Set(given.world.nodes.filter((n) => n.cordoned).map((n) => n.name));
      assert.ok(made.admit.every(({ pods }) => pods.every((p) => !cordoned.has(p.nodeName))));
    }),
    runs,
  );
});

it('every workload starts whole, waits with one reason, or is looked at not at all', () => {
  fc.assert(
    fc.property(busyWorlds, (given) => {
      const { fleet } = busy(given);
      const made = planAt(fleet, given.now);
      for (const { workload, pods } of made.admit) assert.equal(pods.length, workload.gang?.size ?? 1);
      const seen = [
        ...made.admit.flatMap(({ pods }) => pods.map((p) => p.pod.name)),
        ...made.waiting.flatMap((w) => w.workloads.flatMap((one) => one.pods.map((p) => p.name))),
      ];
      assert.deepEqual(seen.toSorted(), given.second.map((p) => p.name).toSorted());
      for (const { message } of made.waiting) assert.ok(message.length > 10 && !message.includes('undefined'));
    }),
    runs,
  );
});

it('a gang that requires one domain is within one domain', () => {
  fc.assert(
    fc.property(busyWorlds, (given) => {
      const { fleet } = busy(given);
      const labels = new Map(given.world.nodes.map((n) => [n.name, n.labels[block]]));
      for (const { workload, pods } of planAt(fleet, given.now).admit) {
        if (workload.pods[0]?.topology?.required !== true) continue;
        const blocks = new Set(pods.map((p) => labels.get(p.nodeName)));
        assert.equal(blocks.size, 1);
        assert.ok(!blocks.has(undefined));
      }
    }),
    runs,
  );
});

it('planning leaves the snapshot as it was, and with nothing new plans come to rest, taking back nothing that they started', () => {
  fc.assert(
    fc.property(busyWorlds, (given) => {
      const { fleet } = busy(given);
      const plans = [planAt(fleet, given.now)];
      assert.deepEqual(shown(planAt(fleet, given.now)), shown(plans[0]!));
      const started = new Set<string>();
      for (let last = plans[0]!; last.admit.length + last.evict.length > 0; last = plans.at(-1)!) {
        const story = () => [brief(given), ...plans.map((made) => shown(made).join('\n'))].join('\n--\n');
        assert.ok(plans.length < 6, story());
        const lost = last.evict.some(({ victim }) => victim.pods.some(({ pod: p }) => started.has(p.uid)));
        assert.ok(!lost, story());
        for (const { pods } of last.admit) for (const { pod: p } of pods) started.add(p.uid);
        apply(fleet, last, given.now);
        plans.push(planAt(fleet, given.now));
      }
    }),
    runs,
  );
});

it('once the victims are gone everyone they were evicted for starts, and none but overdue victims can take the place back', () => {
  fc.assert(
    fc.property(busyWorlds, (given) => {
      const { fleet } = busy(given);
      const { now } = given;
      const made = planAt(fleet, now);
      fc.pre(made.evict.length > 0);
      apply(fleet, made, now);
      const back: PodFacts[] = [];
      for (const { victim, cause } of made.evict) {
        for (const { pod: p } of victim.pods) {
          fleet.removePod(p.uid);
          if (cause === 'Overdue') continue;
          back.push({ ...p, uid: `${p.uid}-again`, name: `${p.name}-again`, createdAt: now });
        }
      }
      for (const p of back) fleet.upsertPod(p);
      const later = now + 2 * minute;
      const next = planAt(fleet, later);
      const started = new Set(next.admit.map(({ workload }) => workload.key));
      for (const { beneficiary } of made.evict)
        assert.ok(started.has(beneficiary.key), [brief(given), ...shown(made), '--', ...shown(next)].join('\n'));
      // What has just started is not evicted for those that made way for it.
      apply(fleet, next, later);
      const after = planAt(fleet, later + 20 * minute);
      const fresh = new Set(made.evict.flatMap(({ beneficiary }) => beneficiary.pods.map((p) => p.uid)));
      const lost = after.evict.filter(({ victim }) => victim.pods.some((held) => fresh.has(held.pod.uid)));
      for (const { beneficiary } of lost) {
        const robbed = beneficiary.pods.some((p) => p.name.endsWith('-again'));
        assert.ok(!robbed, [brief(given), ...shown(made), '--', ...shown(next), '--', ...shown(after)].join('\n'));
      }
    }),
    runs,
  );
});

it('nothing is evicted but Moa’s own whole workloads that have no protection', () => {
  fc.assert(
    fc.property(busyWorlds, (given) => {
      const { fleet } = busy(given);
      const made = planAt(fleet, given.now);
      // What starts in the same plan counts: it may make its quota borrow.
      apply(fleet, { ...made, evict: [], reserve: [] }, given.now);
      const snapshot = fleet.snapshot(given.now);
      for (const { victim, beneficiary, cause } of made.evict) {
        const own = snapshot.policy.quotaOfNamespace.get(victim.namespace)!;
        const theirs = snapshot.policy.quotaOfNamespace.get(beneficiary.namespace)!;
        assert.ok(victim.ours);
        assert.equal(victim.pods.length, victim.pods[0]!.pod.gang?.size ?? 1);
        const ranFor = given.now - victim.startedAt;
        const overdue = ranFor >= (victim.walltime ?? 24 * hour);
        if (cause === 'Overdue') assert.ok(overdue);
        else {
          assert.ok(own.spec.tier !== 'Urgent');
          if (cause === 'Priority') assert.ok(own === theirs && victim.priority < beneficiary.priority);
          else {
            assert.ok(ranFor >= 15 * minute);
            assert.notEqual(own, theirs);
            // Its own workloads, or those of a branch that it belongs to.
            // A parent's own workloads are judged beside its children, by what it is guaranteed itself.
            if (given.world.quotas.some(({ parentName }) => parentName === own.spec.name)) continue;
            const borrows = own.chain.some(({ index, pool: p }) => p!.tree.borrowed(index) > 0);
            assert.ok(
              borrows,
              ['a quota within its guarantee lost to another', brief(given), ...shown(made)].join('\n'),
            );
          }
        }
      }
    }),
    runs,
  );
});

it('quota, class and user limits are kept by everything that starts', () => {
  fc.assert(
    fc.property(busyWorlds, (given) => {
      const { fleet } = busy(given);
      const before = new Map<string, number>();
      for (const { spec, index, pool: own } of fleet.snapshot(given.now).policy.quotas.values())
        before.set(spec.name, own!.tree.available(index));
      apply(fleet, planAt(fleet, given.now), given.now);
      const snapshot = fleet.snapshot(given.now);
      for (const state of snapshot.policy.quotas.values()) {
        const { spec, index, pool: own } = state;
        const { tree } = own!;
        assert.ok(tree.available(index) >= Math.min(0, before.get(spec.name)!));
        for (const { name, max } of spec.classes) {
          assert.ok(max === undefined || tree.devices(index, name === 'b200' ? 1 : 0) <= max);
        }
        for (const user of ['kim', 'lee']) {
          assert.ok(spec.perUserMax === undefined || snapshot.userUse(state, user) <= spec.perUserMax);
        }
      }
    }),
    runs,
  );
});

it('the order in which things arrive changes nothing, nor does the clock’s origin', () => {
  fc.assert(
    fc.property(busyWorlds, (given) => {
      const reversed: BusyWorld = {
        ...given,
        world: { ...given.world, nodes: given.world.nodes.toReversed(), quotas: given.world.quotas.toReversed() },
        first: given.first.toReversed(),
        second: given.second.toReversed(),
      };
      assert.deepEqual(shown(planAt(busy(reversed).fleet, given.now)), shown(planAt(busy(given).fleet, given.now)));
    }),
    runs,
  );
});

it('renaming the institutions renames the plan and nothing else', () => {
  fc.assert(
    fc.property(busyWorlds, (given) => {
      const { quotas } = given.world;
      // Backwards, so that every comparison of names turns round.
      const renamed = (name: string): string => `r${9 - Number(name.slice(1))}`;
      const other: BusyWorld = {
        ...given,
        world: {
          ...given.world,
          quotas: quotas.map((q) => ({
            ...q,
            name: renamed(q.name),
            parentName: q.parentName === undefined ? undefined : renamed(q.parentName),
            namespaceSelector: [{ key: 'moa.dev/institution', operator: 'In', values: [renamed(q.name)] }],
          })),
        },
        first: given.first.map((p) => ({ ...p, namespace: renamed(p.namespace) })),
        second: given.second.map((p) => ({ ...p, namespace: renamed(p.namespace) })),
      };
      assert.deepEqual(shown(planAt(busy(other).fleet, given.now)), shown(planAt(busy(given).fleet, given.now)));
    }),
    runs,
  );
});

it('guaranteed demand that fits is never left waiting behind borrowers', () => {
  fc.assert(
    fc.property(busyWorlds, (given) => {
      // Among siblings; how branches of a tree compare is shown in plan.test.ts.
      const quotas = given.world.quotas.map((q): QuotaSpec => ({ ...q, parentName: undefined, tier: 'Research' }));
      // Of one class: which of several a workload takes, and so what it is charged, is another matter.
      const nodes = given.world.nodes.map((n) => ({ ...n, labels: { ...n.labels, [product]: 'h200' } }));
      const flat: BusyWorld = { ...given, world: { ...given.world, quotas, nodes } };
      const { fleet } = busy(flat);
      const made = planAt(fleet, given.now);
      apply(fleet, { ...made, evict: [], reserve: [] }, given.now);
      const { policy } = fleet.snapshot(given.now);
      const isBorrowed = (namespace: string): boolean => {
        const own = policy.quotaOfNamespace.get(namespace)!;
        return own.pool!.tree.borrowed(own.index) > 0;
      };
      // Of what a borrowing quota started, the last is what it borrows.
      const borrowers: Workload[] = [];
      for (const { workload } of made.admit.toReversed()) {
        if (!isBorrowed(workload.namespace)) continue;
        borrowers.push(workload);
        for (const p of workload.pods) fleet.removePod(p.uid);
      }
      if (borrowers.length === 0) return;
      const started = new Set(made.admit.flatMap(({ pods }) => pods.map((p) => p.pod.uid)));
      // Inside a quota priority and age go first, whatever fits: only who is first speaks for the quota.
      const stillWaiting = made.waiting.flatMap(({ workloads }) => workloads);
      const isFirst = (one: Workload) =>
        !stillWaiting.some(
          (other) =>
            other.namespace === one.namespace &&
            (other.priority > one.priority || (other.priority === one.priority && other.createdAt < one.createdAt)),
        );
      const without = fleet.snapshot(given.now).policy;
      for (const { reason, workloads } of made.waiting) {
        // Held back for one of its own quota that comes before it.
        if (reason === 'Reserved') continue;
        for (const waiting of workloads) {
          if (!isFirst(waiting) || borrowers.some(({ namespace }) => namespace === waiting.namespace)) continue;
          const own = without.quotaOfNamespace.get(waiting.namespace)!;
          const asked = waiting.pods.reduce((sum, p) => sum + p.shape.requests[gpu]!, 0);
          const guaranteed = own.pool!.tree.guarantorOf(own.index, [{ classIndex: 0, devices: asked }]) !== undefined;
          if (!guaranteed) continue;
          // It alone, in the place of the borrowers.
          for (const p of given.second) {
            if (waiting.pods.some(({ uid }) => uid === p.uid) || started.has(p.uid)) continue;
            fleet.upsertPod({ ...p, gated: true });
          }
          const alone = planAt(fleet, given.now);
          const starts = alone.admit.some(({ workload }) => workload.key === waiting.key);
          assert.ok(!starts, [brief(flat), ...shown(made)].join('\n'));
        }
      }
    }),
    runs,
  );
});
