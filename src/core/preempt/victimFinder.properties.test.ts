import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { placeAll, release } from '../place/index.ts';
import type { PodFacts, QuotaSpec } from '../snapshot/index.ts';
import { gpus, node, pod, pool, quota } from '../testing/world.ts';
import { micros } from '../units/index.ts';
import { VictimFinder } from './index.ts';
import { hour, now, running, stage, victimsOf, type Case } from './testing.ts';

/** Up to five nodes, eight running workloads and a tree of quotas in which everyone has some reason to take. */
const worlds: fc.Arbitrary<Case> = fc
  .record({
    nodes: fc.array(fc.record({ devices: fc.constantFrom(2, 4, 8), rack: fc.nat(1) }), { minLength: 1, maxLength: 5 }),
    quotas: fc.array(
      fc.record({
        guaranteed: fc.constantFrom(0, 0, 2, 6, 12, 20),
        parent: fc.option(fc.nat(3), { nil: undefined }),
        weight: fc.nat(2),
        borrowing: fc.option(fc.integer({ min: 4, max: 16 }), { nil: undefined }),
        lending: fc.option(fc.nat(8), { nil: undefined }),
        urgent: fc.integer({ max: 9, min: 0 }).map((n) => n === 0),
      }),
      { minLength: 2, maxLength: 5 },
    ),
    runs: fc.array(
      fc.record({
        quota: fc.nat(4),
        devices: fc.constantFrom(1, 1, 2, 2, 3, 4, 8),
        size: fc.constantFrom(1, 1, 1, 2, 3),
        on: fc.nat(4),
        priority: fc.nat(2),
        age: fc.constantFrom(0, 1, 2, 3, 4),
        overdue: fc.integer({ max: 9, min: 0 }).map((n) => n === 0),
        byBudget: fc.integer({ max: 9, min: 0 }).map((n) => n === 0),
      }),
      { minLength: 4, maxLength: 16 },
    ),
    wants: fc.record({
      quota: fc.nat(4),
      devices: fc.integer({ min: 1, max: 8 }),
      size: fc.integer({ min: 1, max: 4 }),
      priority: fc.nat(2),
      borrower: fc.integer({ max: 9, min: 0 }).map((n) => n === 0),
    }),
    fair: fc.boolean(),
    within: fc.boolean(),
  })
  .map(({ nodes, quotas, runs, wants, fair, within }) => {
    const free = nodes.map(({ devices }) => devices);
    const names = quotas.map((_, i) => `q${i}`);
    const pods: PodFacts[] = [];
    let count = 0;
    runs.forEach((run, w) => {
      const placed: number[] = [];
      for (let i = 0; i < run.size; i++) {
        const n = free.findIndex((left, at) => at >= run.on % nodes.length && left >= run.devices);
        if (n < 0) break;
        free[n]! -= run.devices;
        placed.push(n);
      }
      if (placed.length < run.size || count === 8) {
        for (const n of placed) free[n]! += run.devices;
        return;
      }
      count++;
      placed.forEach((n, i) =>
        pods.push(
          running(`q${run.quota % quotas.length}`, run.devices, `n${n}`, {
            name: `${run.byBudget ? 'budget' : 'w'}${w}-${i}`,
            priority: run.priority,
            boundAt: now - run.age * hour,
            walltime: run.overdue ? 0 : 1000 * hour,
            ...(run.size > 1 ? { gangOf: [`w${w}`, run.size] as [string, number] } : {}),
          }),
        ),
      );
    });
    const fairShare = {
      halfLife: hour,
      historyWeight: micros(0),
      preemption: fair ? ('WhenImbalanced' as const) : ('Never' as const),
    };
    return {
      pools: [pool({ fairShare, minRuntime: hour / 2, topologyLevels: ['rack'] })],
      quotas: quotas.map((q, i) =>
        quota(names[i]!, q.guaranteed, {
          parentName: q.parent !== undefined && q.parent < i ? `q${q.parent}` : undefined,
          weight: q.weight,
          borrowingLimit: q.borrowing === undefined ? undefined : gpus(q.borrowing),
          lendingLimit: q.lending === undefined ? undefined : gpus(q.lending),
          tier: q.urgent ? 'Urgent' : 'Research',
        }),
      ),
      nodes: nodes.map(({ devices, rack }, i) =>
        node(`n${i}`, devices, { labels: { 'nvidia.com/gpu.product': 'h200', rack: `r${rack}` } }),
      ),
      runs: pods,
      wants: pod(`q${wants.quota % quotas.length}`, wants.devices, {
        name: 'want',
        priority: wants.priority,
        walltime: 1000 * hour,
        gangOf: ['want', wants.size],
      }),
      borrower: wants.borrower,
      byBudget: pods.filter(({ name }) => name.startsWith('budget')).map(({ name }) => name),
      ...(within ? { within: 'rack' } : {}),
    };
  });

const devicesOf = ({ shape }: PodFacts) => shape.requests['nvidia.com/gpu'] ?? 0;
const keyOf = (one: PodFacts) =>
  one.gang === undefined ? one.uid : `${one.namespace}/${one.gang.kind}/${one.gang.name}`;

/** The rules once more, by definition, on plain numbers and with no regard to cost. */
class Oracle {
  readonly #world: Case;
  readonly #specs: ReadonlyMap<string, QuotaSpec>;
  readonly #taker: ReturnType<typeof stage>;
  readonly workloads: ReadonlyMap<string, readonly PodFacts[]>;

  constructor(world: Case) {
    this.#world = world;
    this.#taker = stage(world);
    this.#specs = new Map(world.quotas.map((spec) => [spec.name, spec]));
    const workloads = new Map<string, PodFacts[]>();
    for (const one of world.runs) workloads.set(keyOf(one), [...(workloads.get(keyOf(one)) ?? []), one]);
    this.workloads = workloads;
  }

  /** Size of the smallest set that would do; undefined = none would. */
  fewest(fits = (gone: ReadonlySet<string>) => this.fits(gone)): number | undefined {
    const keys = [...this.workloads.keys()];
    let fewest: number | undefined;
    for (let bits = 0; bits < 1 << keys.length; bits++) {
      const set = new Set(keys.filter((_, i) => bits & (1 << i)));
      if (set.size < (fewest ?? Infinity) && fits(set) && this.isJust(set)) fewest = set.size;
    }
    return fewest;
  }

  fits(gone: ReadonlySet<string>): boolean {
    const { tree, quota: own, taker, snapshot } = this.#taker;
    const asked = devicesOf(this.#world.wants);
    const room = new Map<string, number>();
    for (const facts of this.#world.nodes) {
      const used = this.#left(gone).filter((one) => one.nodeName === facts.name);
      const free = facts.allocatable['nvidia.com/gpu']! - used.reduce((sum, one) => sum + devicesOf(one), 0);
      const domain = this.#world.within === undefined ? '' : facts.labels[this.#world.within]!;
      room.set(domain, (room.get(domain) ?? 0) + Math.floor(free / asked));
    }
    if (![...room.values()].some((copies) => copies >= (this.#world.wants.gang?.size ?? 1))) return false;
    const charge = (sign: number) => {
      for (const key of gone)
        for (const one of this.workloads.get(key)!)
          tree.charge(snapshot.policy.quotas.get(one.namespace)!.index, 0, sign * devicesOf(one));
    };
    charge(-1);
    const enough = tree.available(own.index) >= taker.cost[0]!.devices * 1000;
    charge(1);
    return enough;
  }

  isJust(gone: ReadonlySet<string>): boolean {
    return [...gone].every((key) => this.#mayGo(this.workloads.get(key)!, gone));
  }

  #mayGo(pods: readonly PodFacts[], gone: ReadonlySet<string>): boolean {
    const [first] = pods;
    const { namespace } = first!;
    const { wants, pools, byBudget } = this.#world;
    const startedAt = Math.min(...pods.map((one) => one.boundAt!));
    const takerPath = this.#pathFromRoot(wants.namespace);
    const { devices } = this.#taker.taker.cost[0]!;
    const guarantees = (name: string) => this.#use(name, new Set()) + devices <= this.#guarantee(name);
    const borrowsAlways = this.#world.borrower || !takerPath.some(guarantees);
    const isLast = borrowsAlways && this.#specs.get(wants.namespace)!.weight === 0;
    const spared = namespace === wants.namespace ? first!.priority > wants.priority : isLast;
    if (!spared && now - startedAt >= first!.walltime!) return true;
    if (this.#specs.get(namespace)!.tier === 'Urgent') return false;
    if (namespace === wants.namespace) return first!.priority < wants.priority;
    if (now - startedAt < pools![0]!.minRuntime) return false;

    const victimPath = this.#pathFromRoot(namespace);
    let common = 0;
    while (common < victimPath.length && victimPath[common] === takerPath[common]) common++;
    if (common === takerPath.length) return false;
    const guarantor = takerPath.slice(common).some(guarantees);
    const back = new Set([...gone].filter((key) => key !== keyOf(first!)));
    const borrowsLess = () =>
      victimPath.slice(common).every((name) => this.#borrowed(name, gone) < this.#borrowed(name, back)) &&
      this.#ownBorrowed(namespace, gone) < this.#ownBorrowed(namespace, back);
    if (guarantor && !this.#world.borrower) {
      return pods.some((one) => byBudget!.includes(one.name)) || borrowsLess();
    }
    if (pools![0]!.fairShare.preemption === 'Never' || common === victimPath.length) return false;
    if (takerPath.slice(common).some((name) => this.#specs.get(name)!.weight === 0)) return false;
    const share = (name: string, borrowed: number) => {
      const { weight } = this.#specs.get(name)!;
      return weight === 0 ? Infinity : borrowed / weight;
    };
    const [mine, theirs] = [takerPath[common]!, victimPath[common]!];
    const wanted = this.#use(mine, new Set()) + devices - this.#guarantee(mine);
    const none = new Set<string>();
    const newShare = this.#world.borrower
      ? share(mine, this.#borrowed(mine, none) + devices)
      : share(mine, Math.max(0, wanted) + this.#apart(mine, none));
    return (
      borrowsLess() &&
      (newShare <= share(theirs, this.#borrowed(theirs, gone)) ||
        newShare < share(theirs, this.#borrowed(theirs, back)))
    );
  }

  #left(gone: ReadonlySet<string>): readonly PodFacts[] {
    return this.#world.runs.filter((one) => !gone.has(keyOf(one)));
  }

  #pathFromRoot(name: string): readonly string[] {
    const { parentName } = this.#specs.get(name)!;
    return parentName === undefined ? [name] : [...this.#pathFromRoot(parentName), name];
  }

  /** What counts against guarantees. */
  #use(name: string, gone: ReadonlySet<string>): number {
    return this.#held(name, gone, false);
  }

  /** What budgets admitted as borrowers. */
  #apart(name: string, gone: ReadonlySet<string>): number {
    return this.#held(name, gone, true);
  }

  #held(name: string, gone: ReadonlySet<string>, asBorrower: boolean): number {
    return this.#left(gone)
      .filter((one) => this.#pathFromRoot(one.namespace).includes(name) && this.#isBorrower(one) === asBorrower)
      .reduce((sum, one) => sum + devicesOf(one), 0);
  }

  #isBorrower({ name }: PodFacts): boolean {
    return this.#world.byBudget!.includes(name);
  }

  #guarantee(name: string): number {
    const inside = this.#world.quotas.filter((spec) => this.#pathFromRoot(spec.name).includes(name));
    return inside.reduce((sum, spec) => sum + spec.guaranteed / 1000, 0);
  }

  #borrowed(name: string, gone: ReadonlySet<string>): number {
    return Math.max(0, this.#use(name, gone) - this.#guarantee(name)) + this.#apart(name, gone);
  }

  #ownBorrowed(name: string, gone: ReadonlySet<string>): number {
    const own = this.#left(gone).filter((one) => one.namespace === name);
    const [counted, apart] = [false, true].map((asBorrower) =>
      own.filter((one) => this.#isBorrower(one) === asBorrower).reduce((sum, one) => sum + devicesOf(one), 0),
    );
    return Math.max(0, counted! - this.#specs.get(name)!.guaranteed / 1000) + apart!;
  }
}

/** Everything in the snapshot that a search could have changed. */
function stateOf({ snapshot, tree }: ReturnType<typeof stage>) {
  const slot = snapshot.slotOf('nvidia.com/gpu');
  const free = snapshot.nodes.names.map((_, id) => snapshot.nodes.free(id, slot));
  const quotas = Array.from({ length: tree.size }, (_, q) => [tree.available(q), tree.used(q), tree.borrowed(q)]);
  return { free, quotas };
}

it('victims are found whenever there are any, as few as there can be, none of them protected or spared in vain', () => {
  let found = 0;
  fc.assert(
    fc.property(worlds, (world) => {
      const staged = stage(world);
      const before = stateOf(staged);
      const victims = new VictimFinder(staged.input).find(staged.taker, new Set());
      assert.deepEqual(stateOf(staged), before);
      const oracle = new Oracle(world);
      assert.equal(victims?.length, oracle.fewest());
      if (victims === undefined) return;
      const keys = victims.map(({ workload }) => workload.key);
      assert.ok(oracle.isJust(new Set(keys)));
      assert.ok(oracle.fits(new Set(keys)));
      for (const back of keys) assert.ok(!oracle.fits(new Set(keys.filter((key) => key !== back))));
      if (keys.length > 1) found++;
    }),
    { numRuns: 2000 },
  );
  assert.ok(found > 20, `only ${found} of the worlds needed more than one victim`);
});

it('the order in which nodes, pods and quotas arrive changes nothing', () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const { nodes, quotas, runs } = world;
      const reversed = { ...world, nodes: nodes.toReversed(), quotas: quotas.toReversed(), runs: runs.toReversed() };
      assert.deepEqual(victimsOf(reversed), victimsOf(world));
    }),
    { numRuns: 400 },
  );
});

it('once the taker runs no victim could take it back, unless it was past its walltime', () => {
  let tried = 0;
  fc.assert(
    fc.property(worlds, (world) => {
      const { taker, input, snapshot, feasibility, placement } = stage(world);
      const victims = new VictimFinder(input).find(taker, new Set());
      if (victims === undefined) return;
      for (const { workload } of victims) for (const held of workload.pods) snapshot.hold(held.pod, held.node, -1);
      const placed = placeAll(snapshot, feasibility, placement)!;
      const gone = new Set(victims.flatMap(({ workload }) => workload.pods.map((held) => held.pod.uid)));
      const runs = world.runs.filter(({ uid }) => !gone.has(uid));
      const taken = placed.map(({ pod: own, node: id }) => ({
        ...own,
        nodeName: snapshot.nodes.names[id]!,
        phase: 'Running' as const,
        boundAt: now - 4 * hour,
      }));
      const byBudget = [...world.byBudget!, ...(world.borrower === true ? taken.map(({ name }) => name) : [])];
      for (const { workload, cause } of victims) {
        if (cause === 'Overdue') continue;
        const [first] = workload.pods;
        const wants = { ...first!.pod, nodeName: undefined, phase: 'Pending' as const, boundAt: undefined };
        const borrower = world.byBudget!.includes(wants.name);
        const next = stage({ ...world, runs: [...runs, ...taken], wants, borrower, byBudget });
        const revenge = new VictimFinder(next.input).find(next.taker, new Set()) ?? [];
        assert.ok(!revenge.some((victim) => victim.workload.pods.some((held) => held.pod.uid.startsWith('want-'))));
        tried++;
      }
    }),
    { numRuns: 2000 },
  );
  assert.ok(tried > 100, `only ${tried} victims`);
});

it('a gang of unlike pods gets room for all of them at once, from no one who is not needed for it', () => {
  let found = 0;
  fc.assert(
    fc.property(worlds, fc.integer({ min: 1, max: 8 }), (plain, devices) => {
      const world = { ...plain, leader: pod(plain.wants.namespace, devices, { gangOf: ['want', 1] }) };
      const { taker, input, snapshot, feasibility, placement, tree, quota: own } = stage(world);
      const oracle = new Oracle(world);
      const fits = (gone: ReadonlySet<string>): boolean => {
        const move = (count: number) => {
          for (const key of gone)
            for (const one of oracle.workloads.get(key)!)
              snapshot.hold(one, snapshot.nodes.idOf(one.nodeName!)!, count);
        };
        move(-1);
        const enough = tree.available(own.index) >= taker.cost[0]!.devices * 1000;
        const placed = enough ? placeAll(snapshot, feasibility, placement) : undefined;
        if (placed !== undefined) release(snapshot, placed);
        move(1);
        return placed !== undefined;
      };
      const victims = new VictimFinder(input).find(taker, new Set());
      assert.equal(victims?.length, oracle.fewest(fits));
      const keys = (victims ?? []).map(({ workload }) => workload.key);
      assert.ok(oracle.isJust(new Set(keys)));
      for (const back of keys) assert.ok(!fits(new Set(keys.filter((key) => key !== back))));
      if (keys.length > 0) found++;
    }),
    { numRuns: 600 },
  );
  assert.ok(found > 15, `only ${found} of the worlds needed a victim`);
});
