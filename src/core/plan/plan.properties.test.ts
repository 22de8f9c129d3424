import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { PodFacts } from '../snapshot/index.ts';
import { acceleratorClass, fleetOf, gpus, node, pod, pool, quota, type World } from '../testing/world.ts';
import { plan, type Plan } from './index.ts';

const unlimited = { maxPods: Infinity };

/** Small worlds in which nearly everything is contended: two classes, a tree of quotas, gangs, pods already running. */
const worlds: fc.Arbitrary<
  World & { readonly nodes: readonly ReturnType<typeof node>[]; readonly pods: readonly PodFacts[] }
> = fc
  .record({
    nodes: fc.array(
      fc.record({
        devices: fc.constantFrom(2, 4, 8),
        product: fc.constantFrom('h200', 'b200'),
        ready: fc.boolean(),
        cordoned: fc.boolean(),
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
        userMax: fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }),
        classMax: fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }),
        urgent: fc.boolean(),
      }),
      { minLength: 1, maxLength: 5 },
    ),
    workloads: fc.array(
      fc.record({
        quota: fc.nat(5),
        size: fc.integer({ min: 1, max: 4 }),
        devices: fc.integer({ min: 1, max: 8 }),
        priority: fc.nat(2),
        user: fc.constantFrom('kim', 'lee'),
      }),
      { maxLength: 14 },
    ),
  })
  .map(({ nodes, quotas, workloads }) => ({
    pools: [pool({ classes: [acceleratorClass('h200', 1), acceleratorClass('b200', 2)] })],
    nodes: nodes.map(({ devices, ...more }, i) => node(`n${i}`, devices, more)),
    quotas: quotas.map((q, i) =>
      quota(`q${i}`, q.guaranteed, {
        parentName: q.parent !== undefined && q.parent < i ? `q${q.parent}` : undefined,
        weight: q.weight,
        borrowingLimit: q.borrowing === undefined ? undefined : gpus(q.borrowing),
        lendingLimit: q.lending === undefined ? undefined : gpus(q.lending),
        perUserMax: q.userMax === undefined ? undefined : gpus(q.userMax),
        classes: q.classMax === undefined ? [] : [{ name: 'b200', guaranteed: 0, max: q.classMax }],
        tier: q.urgent ? 'Urgent' : 'Research',
      }),
    ),
    pods: workloads.flatMap((w, i) =>
      Array.from({ length: w.size }, (_, j) =>
        pod(`q${w.quota % quotas.length}`, w.devices, {
          name: `w${i}-${j}`,
          createdAt: i,
          priority: w.priority,
          user: w.user,
          ...(w.size > 1 ? { gangOf: [`w${i}`, w.size] as [string, number] } : {}),
        }),
      ),
    ),
  }));

const namesOf = (made: Plan) => made.admit.flatMap(({ pods }) => pods.map((p) => `${p.pod.name}@${p.nodeName}`));

it('no device is given twice, no gang starts in part, no limit is passed, and everyone else has a reason', () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const fleet = fleetOf(world);
      const made = plan(fleet.snapshot(0), 0, unlimited);
      const free = new Map(world.nodes.map((n) => [n.name, n.allocatable['nvidia.com/gpu'] ?? 0]));
      const usable = new Set(world.nodes.filter((n) => n.ready && !n.cordoned).map((n) => n.name));
      for (const { workload, pods } of made.admit) {
        assert.equal(pods.length, workload.gang?.size ?? 1);
        for (const { pod: placed, nodeName } of pods) {
          assert.ok(usable.has(nodeName));
          free.set(nodeName, (free.get(nodeName) ?? 0) - (placed.shape.requests['nvidia.com/gpu'] ?? 0));
          fleet.assume(placed.uid, { nodeName, since: 0 });
        }
      }
      assert.ok([...free.values()].every((left) => left >= 0));
      const snapshot = fleet.snapshot(0);
      for (const { spec, index, pool: own } of snapshot.policy.quotas.values()) {
        const held = own?.tree.devices(index, 1) ?? 0;
        for (const { max } of spec.classes) assert.ok(max === undefined || held <= max);
        for (const user of ['kim', 'lee']) {
          const state = snapshot.policy.quotas.get(spec.name)!;
          assert.ok(spec.perUserMax === undefined || snapshot.userUse(state, user) <= spec.perUserMax);
        }
        // Nothing ran before, so nothing may be over-admitted now.
        assert.ok((own?.tree.available(index) ?? 0) >= 0);
      }
      const waiting = new Set(made.waiting.flatMap((w) => w.workloads.flatMap((one) => one.pods.map((p) => p.name))));
      const admitted = new Set(made.admit.flatMap(({ pods }) => pods.map((p) => p.pod.name)));
      assert.equal(waiting.size + admitted.size, world.pods.length);
      assert.ok(made.waiting.every((w) => w.message.length > 10));
    }),
    { numRuns: 1000 },
  );
});

it('planning changes nothing, and once a plan is carried out there is nothing left to do', () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const fleet = fleetOf(world);
      const first = plan(fleet.snapshot(0), 0, unlimited);
      assert.deepEqual(namesOf(plan(fleet.snapshot(0), 0, unlimited)), namesOf(first));
      for (const { pods } of first.admit)
        for (const { pod: p, nodeName } of pods) fleet.assume(p.uid, { nodeName, since: 0 });
      assert.deepEqual(plan(fleet.snapshot(0), 0, unlimited).admit, []);
    }),
    { numRuns: 500 },
  );
});

it('the order in which nodes, pods and quotas arrive changes nothing', () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const reversed = {
        ...world,
        nodes: world.nodes.toReversed(),
        pods: world.pods.toReversed(),
        quotas: world.quotas!.toReversed(),
      };
      const made = [world, reversed].map((w) => namesOf(plan(fleetOf(w).snapshot(0), 0, unlimited)).sort());
      assert.deepEqual(made[0], made[1]);
    }),
    { numRuns: 500 },
  );
});

it('taking back what was assumed leaves the fleet as if it had never been', () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const fleet = fleetOf(world);
      const before = namesOf(plan(fleet.snapshot(0), 0, unlimited));
      const { admit } = plan(fleet.snapshot(0), 0, unlimited);
      for (const { pods } of admit)
        for (const { pod: p, nodeName } of pods) fleet.assume(p.uid, { nodeName, since: 0 });
      fleet.forgetAll();
      assert.deepEqual(namesOf(plan(fleet.snapshot(0), 0, unlimited)), before);
    }),
    { numRuns: 300 },
  );
});

it('a node that nothing can use changes no decision', () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const dead = node('zz-dead', 8, { ready: false, labels: { 'nvidia.com/gpu.product': 't4' } });
      const made = [world.nodes, [...world.nodes, dead]].map((nodes) =>
        namesOf(plan(fleetOf({ ...world, nodes }).snapshot(0), 0, unlimited)),
      );
      assert.deepEqual(made[0], made[1]);
    }),
    { numRuns: 300 },
  );
});

it('what a plan that failed half-way had tried out is gone after a rebuild', () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const fleet = fleetOf(world);
      const before = namesOf(plan(fleet.snapshot(0), 0, unlimited));
      for (const held of world.pods) fleet.snapshot(0).hold(held, 0, 1);
      fleet.rebuild();
      assert.deepEqual(namesOf(plan(fleet.snapshot(0), 0, unlimited)), before);
    }),
    { numRuns: 200 },
  );
});
