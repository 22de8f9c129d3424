import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { Snapshot } from '../snapshot/index.ts';
import { acceleratorClass, fleetOf, node, pod, podShape, pool, quota } from '../testing/world.ts';
import { micros } from '../units/index.ts';
import { Feasibility, FitCounter, placeAll, release, type PlacementRequest } from './index.ts';

const gpu = 'nvidia.com/gpu';
const levels = ['zone', 'block'];
const ownerSelector = { key: 'owner', operator: 'In' as const, values: ['o'] };

const shapeOf = (devices: number, cpu: number) => podShape(devices, { requests: { [gpu]: devices, cpu, pods: 1 } });

/** Small fleets of uneven domains, some nodes outside of them, cpu as scarce as devices, and pods that run already. */
const fleets = fc.record({
  nodes: fc.array(
    fc.record({
      devices: fc.constantFrom(2, 4, 8),
      cpu: fc.integer({ min: 1, max: 8 }),
      zone: fc.constantFrom('z1', 'z2', undefined),
      block: fc.constantFrom('b1', 'b2', 'b3', undefined),
    }),
    { minLength: 1, maxLength: 10 },
  ),
  running: fc.array(fc.tuple(fc.nat(9), fc.integer({ min: 1, max: 3 })), { maxLength: 8 }),
  limits: fc.array(fc.tuple(fc.constantFrom('z1', 'z2'), fc.nat(20)), { maxLength: 2 }),
  /** Every node a profile of its own. */
  diverse: fc.boolean(),
});
type FleetSpec = typeof fleets extends fc.Arbitrary<infer T> ? T : never;

const roles = fc.array(
  fc.record({
    pods: fc.integer({ min: 1, max: 6 }),
    devices: fc.constantFrom(1, 2, 4, 8),
    cpu: fc.integer({ min: 1, max: 3 }),
  }),
  { minLength: 1, maxLength: 2 },
);
const within = fc.constantFrom(undefined, 'zone', 'block');

function snapshotOf({ nodes, running, limits, diverse }: FleetSpec, order: 1 | -1 = 1): Snapshot {
  const facts = nodes.map(({ devices, cpu, zone, block }, i) => {
    const facts = node(`n${i}`, devices);
    const place = { ...(zone === undefined ? {} : { zone }), ...(block === undefined ? {} : { block }) };
    return {
      ...facts,
      labels: { ...facts.labels, ...place, owner: diverse ? `o${i}` : 'o' },
      allocatable: { [gpu]: devices, cpu, pods: 10 },
    };
  });
  const sites = limits.map(([zone, kilowatts]) => ({
    name: zone,
    nodeSelector: [{ key: 'zone', operator: 'In' as const, values: [zone] }],
    powerLimitWatts: kilowatts * 1000,
  }));
  const fleet = fleetOf({
    nodes: order === 1 ? facts : facts.toReversed(),
    pools: [
      pool({
        topologyLevels: levels,
        sites,
        classes: [acceleratorClass('h200', 1, { powerWatts: 1000 })],
        contributions: [{ quotaName: 'a', nodeSelector: [ownerSelector], retainedFraction: micros(0) }],
      }),
    ],
    quotas: [quota('a', 0)],
  });
  for (const [i, devices] of running) {
    const on = facts[i % facts.length]!;
    const bound = pod('a', 0, { nodeName: on.name, phase: 'Running', shape: shapeOf(devices, 1) });
    fleet.upsertPod(bound);
  }
  return fleet.snapshot(0);
}

function requestOf(feasibility: Feasibility, specs: readonly { pods: number; devices: number; cpu: number }[]) {
  return specs.map(({ pods, devices, cpu }) => {
    const shape = shapeOf(devices, cpu);
    return {
      pods: Array.from({ length: pods }, () => pod('a', 0, { shape })),
      profiles: feasibility.profilesOf(shape),
    };
  });
}

/** Everything that holding a pod changes. */
function state(snapshot: Snapshot) {
  const { nodes, power, policy } = snapshot;
  const slots = [gpu, 'cpu', 'pods'].map((name) => snapshot.slotOf(name));
  const [gpuSlot = 0] = slots;
  const indexed = nodes.profiles.map(({ id }) => {
    const index = nodes.freeIndex(id, gpuSlot);
    return Array.from({ length: index.bucketCount }, (_, bucket) => {
      const members: number[] = [];
      for (let n = index.next(bucket, 0); n >= 0; n = index.next(bucket, n + 1)) members.push(n);
      return members;
    });
  });
  const pods = [{ resourceName: gpu, devices: 1 }];
  return {
    free: nodes.names.map((_, id) => slots.map((slot) => nodes.free(id, slot))),
    indexed: indexed.map((buckets) => buckets.filter((members) => members.length > 0)),
    power: nodes.profiles.map(({ id }) => power.copiesAt(id, pods)),
    use: policy.pools.map(({ tree, quotas }) => quotas.map(({ index }) => tree.devices(index, 0))),
  };
}

/** For each domain of a level (undefined: the whole fleet), how many copies its nodes hold. */
function holding(snapshot: Snapshot, level: string | undefined, copies: (node: number) => number) {
  const byDomain = new Map<string, number>();
  snapshot.nodes.facts.forEach(({ labels }, id) => {
    const domain = domainOf(labels, level);
    if (domain !== undefined) byDomain.set(domain, (byDomain.get(domain) ?? 0) + copies(id));
  });
  return byDomain;
}

function domainOf(labels: Readonly<Record<string, string>>, level: string | undefined): string | undefined {
  if (level === undefined) return '';
  if (labels[level] === undefined) return undefined;
  return level === 'zone' ? labels['zone'] : `${labels['zone'] ?? ''}/${labels['block'] ?? ''}`;
}

const unlimited = fleets.map((fleet) => ({ ...fleet, limits: [] }));

it('a placement exceeds no node and no site, stays in one domain of the level required, and is undone exactly', () => {
  let found = 0;
  fc.assert(
    fc.property(fleets, roles, within, fc.boolean(), (fleet, specs, level, spread) => {
      const snapshot = snapshotOf(fleet);
      const feasibility = new Feasibility(snapshot);
      const before = state(snapshot);
      const wanted = specs.reduce((sum, { pods }) => sum + pods, 0);
      const strategy = spread ? 'Spread' : 'Pack';
      const request: PlacementRequest = { roles: requestOf(feasibility, specs), strategy, within: level };
      const placed = placeAll(snapshot, feasibility, request);
      if (placed === undefined) {
        assert.deepEqual(state(snapshot), before);
        return;
      }
      found++;
      assert.equal(new Set(placed.map(({ pod: { uid } }) => uid)).size, wanted);
      const used = new Set(placed.map(({ node: id }) => id));
      const after = state(snapshot);
      for (const id of used) assert.ok(after.free[id]!.every((free) => free >= 0));
      for (const [zone, kilowatts] of fleet.limits) {
        const inZone = placed.filter(({ node: id }) => snapshot.nodes.facts[id]!.labels['zone'] === zone);
        const sum = inZone.reduce((watts, { pod: { shape } }) => watts + (shape.requests[gpu] ?? 0), 0);
        const ran = fleet.running.reduce(
          (watts, [i, devices]) => watts + (fleet.nodes[i % fleet.nodes.length]!.zone === zone ? devices : 0),
          0,
        );
        assert.ok(sum === 0 || sum + ran <= kilowatts);
      }
      if (level !== undefined) {
        const domains = new Set([...used].map((id) => domainOf(snapshot.nodes.facts[id]!.labels, level)));
        assert.equal(domains.size, 1);
        assert.ok(!domains.has(undefined));
      }
      release(snapshot, placed);
      assert.deepEqual(state(snapshot), before);
    }),
    // One seed: how many of the requests can be placed must not depend on the day.
    { numRuns: 1000, seed: 20_261_124 },
  );
  assert.ok(found > 200, `${found} placements found`);
});

it('pods of one shape are placed whenever a domain has room for them, in the narrowest such, on the fewest domains', () => {
  fc.assert(
    fc.property(unlimited, roles, within, (fleet, [spec], level) => {
      const snapshot = snapshotOf(fleet);
      const feasibility = new Feasibility(snapshot);
      const [role] = requestOf(feasibility, [spec!]);
      const slotted = snapshot.requestOf(role!.pods[0]!.shape);
      const room = snapshot.nodes.names.map((_, id) => Math.max(0, snapshot.nodes.copiesThatFit(id, slotted)));
      const inLevel = (id: number) => domainOf(snapshot.nodes.facts[id]!.labels, level) !== undefined;
      const fits = (tier: string | undefined) =>
        [...holding(snapshot, tier, (id) => (inLevel(id) ? room[id]! : 0)).values()].some((n) => n >= spec!.pods);
      const onHost = room.some((n, id) => n >= spec!.pods && inLevel(id));

      const placed = placeAll(snapshot, feasibility, { roles: [role!], strategy: 'Pack', within: level });
      assert.equal(placed !== undefined, fits(level));
      if (placed === undefined) return;
      const used = [...new Set(placed.map(({ node: id }) => id))];
      const domains = (tier: string) => new Set(used.map((id) => domainOf(snapshot.nodes.facts[id]!.labels, tier)));
      if (onHost) assert.equal(used.length, 1);
      else if (fits('block')) assert.equal(domains('block').size, 1);
      else if (fits('zone')) assert.equal(domains('zone').size, 1);
      if (onHost || !fits('block')) return;
      // Inside one block nothing but the nodes matters: the fewest are used that hold so many.
      const own = [...domains('block')][0];
      const best = room.filter((_, id) => domainOf(snapshot.nodes.facts[id]!.labels, 'block') === own);
      best.sort((a, b) => b - a);
      let fewest = 0;
      for (let sum = 0; sum < spec!.pods; fewest++) sum += best[fewest]!;
      const byDevicesAlone = spec!.cpu === 1 && fleet.nodes.every(({ cpu, devices }) => cpu >= devices);
      if (byDevicesAlone) assert.equal(used.length, fewest);
    }),
    { numRuns: 1000 },
  );
});

it('a gang that no block holds is cut over as few blocks as can hold it', () => {
  const uneven = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 7 });
  fc.assert(
    fc.property(uneven, fc.integer({ min: 2, max: 30 }), (sizes, pods) => {
      const nodes = sizes.flatMap((size, b) =>
        Array.from({ length: size }, (_, i) => ({
          ...node(`n${b}-${i}`, 8),
          labels: { ...node('', 8).labels, block: `b${b}` },
        })),
      );
      const fleet = fleetOf({ nodes, pools: [pool({ topologyLevels: ['block'] })], quotas: [quota('a', 0)] });
      const snapshot = fleet.snapshot(0);
      const feasibility = new Feasibility(snapshot);
      const shape = podShape(8);
      const role = { pods: Array.from({ length: pods }, () => pod('a', 8)), profiles: feasibility.profilesOf(shape) };
      const placed = placeAll(snapshot, feasibility, { roles: [role], strategy: 'Pack', within: undefined });
      assert.equal(placed !== undefined, nodes.length >= pods);
      if (placed === undefined) return;
      const largest = sizes.toSorted((a, b) => b - a);
      let fewest = 0;
      for (let sum = 0; sum < pods; fewest++) sum += largest[fewest]!;
      const used = new Set(placed.map(({ node: id }) => snapshot.nodes.facts[id]!.labels['block']));
      assert.equal(used.size, fewest);
    }),
  );
});

it('the order in which nodes are listed changes nothing', () => {
  fc.assert(
    fc.property(fleets, roles, within, (fleet, specs, level) => {
      const [one, other] = ([1, -1] as const).map((order) => {
        const snapshot = snapshotOf(fleet, order);
        const feasibility = new Feasibility(snapshot);
        const request = { roles: requestOf(feasibility, specs), strategy: 'Pack', within: level } as const;
        return placeAll(snapshot, feasibility, request)?.map(({ node: id }) => snapshot.nodes.names[id]);
      });
      assert.deepEqual(one, other);
    }),
    { numRuns: 300 },
  );
});

it('a fit counter that follows what is held answers like a new one, and like the placer', () => {
  const changes = fc.array(fc.tuple(fc.nat(9), fc.integer({ min: -2, max: 2 })), { maxLength: 12 });
  fc.assert(
    fc.property(fleets, roles, within, changes, (fleet, specs, level, steps) => {
      const snapshot = snapshotOf(fleet);
      const feasibility = new Feasibility(snapshot);
      const request: PlacementRequest = { roles: requestOf(feasibility, specs), strategy: 'Pack', within: level };
      const counter = new FitCounter(snapshot, feasibility, request);
      const holder = pod('a', 1);
      for (const [i, count] of steps) {
        const id = i % snapshot.nodes.count;
        snapshot.hold(holder, id, count);
        counter.update(id);
        const fresh = new FitCounter(snapshot, feasibility, request);
        assert.equal(counter.mayFit(), fresh.mayFit());
        assert.equal(counter.slack(), fresh.slack());
        const placed = placeAll(snapshot, feasibility, request);
        if (placed !== undefined) release(snapshot, placed);
        if (counter.exact) assert.equal(counter.mayFit(), placed !== undefined);
        else assert.ok(counter.mayFit() || placed === undefined);
        if (fleet.limits.length === 0) assert.equal(counter.mayFit(), counter.slack() >= 0);
      }
    }),
    { numRuns: 500 },
  );
});
