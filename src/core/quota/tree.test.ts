import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { milli } from '../units/index.ts';
import { QuotaTree, type QuotaNode } from './index.ts';

const gpus = (count: number) => milli(count * 1000);
const one = [gpus(1)];

function leaf(guaranteed: number, more: Partial<QuotaNode> = {}): QuotaNode {
  return {
    parent: undefined,
    flexibleGuarantee: gpus(guaranteed),
    classGuarantees: [0],
    borrowingLimit: undefined,
    lendingLimit: undefined,
    ...more,
  };
}

describe('the quota tree', () => {
  it('capacity that no one is guaranteed is open to all', () => {
    const tree = new QuotaTree([leaf(10), leaf(0)], one, gpus(30));
    assert.equal(tree.available(0), gpus(30));
    assert.equal(tree.available(1), gpus(30));
  });

  it('a lending limit keeps the rest for its owner', () => {
    const tree = new QuotaTree([leaf(10, { lendingLimit: gpus(4) }), leaf(0)], one, gpus(10));
    assert.equal(tree.available(1), gpus(4));
    tree.charge(1, 0, 4);
    assert.equal(tree.available(0), gpus(6));
  });

  it('a borrowing limit counts above the guarantee', () => {
    const tree = new QuotaTree([leaf(10, { borrowingLimit: gpus(5) })], one, gpus(100));
    assert.equal(tree.available(0), gpus(15));
    tree.charge(0, 0, 12);
    assert.equal(tree.available(0), gpus(3));
  });

  it('the borrowing limit of a parent binds all its children together', () => {
    const quotas = [leaf(10, { borrowingLimit: gpus(2) }), leaf(0, { parent: 0 }), leaf(0, { parent: 0 })];
    const tree = new QuotaTree(quotas, one, gpus(100));
    tree.charge(1, 0, 11);
    assert.equal(tree.available(2), gpus(1));
  });

  it('is negative after over-admission, and nobody sees more than there is', () => {
    const tree = new QuotaTree([leaf(0), leaf(0)], one, gpus(4));
    tree.charge(0, 0, 6);
    assert.equal(tree.available(1), gpus(-2));
  });

  it('guarantees beyond the ready capacity leave the pool nothing of its own', () => {
    const tree = new QuotaTree([leaf(10), leaf(10)], one, gpus(15));
    assert.equal(tree.available(0), gpus(20));
  });

  it('a class guarantee covers use of that class only', () => {
    const tree = new QuotaTree([leaf(4, { classGuarantees: [0, 8] })], [gpus(1), gpus(2)], gpus(100));
    tree.charge(0, 0, 6);
    assert.equal(tree.borrowed(0), gpus(2));
    tree.charge(0, 1, 8);
    assert.equal(tree.borrowed(0), gpus(2));
    tree.charge(0, 1, 1);
    assert.equal(tree.borrowed(0), gpus(4));
  });

  it('a request is guaranteed by the lowest quota whose own unused guarantee holds all of it', () => {
    const tree = new QuotaTree([leaf(8), leaf(2, { parent: 0 })], one, gpus(100));
    assert.equal(tree.guarantorOf(1, [{ classIndex: 0, devices: 2 }]), 1);
    assert.equal(tree.guarantorOf(1, [{ classIndex: 0, devices: 10 }]), 0);
    assert.equal(tree.guarantorOf(1, [{ classIndex: 0, devices: 11 }]), undefined);
  });
});

/** Random trees of two classes and random holdings. */
const forests = fc.record({
  quotas: fc.array(
    fc.record({
      parent: fc.nat(5),
      isRoot: fc.boolean(),
      guaranteed: fc.nat(20),
      classGuarantee: fc.nat(5),
      borrowing: fc.option(fc.nat(20), { nil: undefined }),
      lending: fc.option(fc.nat(20), { nil: undefined }),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  capacity: fc.nat(80),
  charges: fc.array(fc.record({ quota: fc.nat(5), class: fc.nat(1), devices: fc.integer({ min: 1, max: 9 }) }), {
    maxLength: 20,
  }),
});

function build({
  quotas,
  capacity,
}: {
  quotas: {
    parent: number;
    isRoot: boolean;
    guaranteed: number;
    classGuarantee: number;
    borrowing: number | undefined;
    lending: number | undefined;
  }[];
  capacity: number;
}) {
  const nodes = quotas.map((q, i): QuotaNode => ({
    parent: q.isRoot || i === 0 ? undefined : q.parent % i,
    flexibleGuarantee: gpus(q.guaranteed),
    classGuarantees: [0, q.classGuarantee],
    borrowingLimit: q.borrowing === undefined ? undefined : gpus(q.borrowing),
    lendingLimit: q.lending === undefined ? undefined : gpus(q.lending),
  }));
  return { nodes, tree: new QuotaTree(nodes, [gpus(1), gpus(2)], gpus(capacity)) };
}

it('available() is what the formulas of DESIGN.md section 4.2 give when worked out from scratch', () => {
  fc.assert(
    fc.property(forests, (forest) => {
      const { nodes, tree } = build(forest);
      const weights = [1000, 2000];
      const held = nodes.map(() => [0, 0]);
      for (const { quota, class: c, devices } of forest.charges) {
        tree.charge(quota % nodes.length, c, devices);
        const own = held[quota % nodes.length]!;
        own[c] = own[c]! + devices;
      }
      const children = (q: number | undefined) => nodes.flatMap((n, i) => (n.parent === q ? [i] : []));
      const effective = (q: number) => nodes[q]!.flexibleGuarantee + nodes[q]!.classGuarantees[1]! * 2000;
      const subtree = (q: number): number => effective(q) + children(q).reduce((sum, c) => sum + lendable(c), 0);
      const lendable = (q: number): number => Math.min(nodes[q]!.lendingLimit ?? Infinity, subtree(q));
      const local = (q: number): number => subtree(q) - lendable(q);
      const use = (q: number): number =>
        held[q]!.reduce((sum, devices, c) => sum + devices * weights[c]!, 0) +
        children(q).reduce((sum, c) => sum + Math.max(0, use(c) - local(c)), 0);
      const poolOwn = Math.max(0, forest.capacity * 1000 - nodes.reduce((sum, _, q) => sum + effective(q), 0));
      const roots = children(undefined);
      const poolAvailable =
        poolOwn +
        roots.reduce((sum, q) => sum + lendable(q), 0) -
        roots.reduce((sum, q) => sum + Math.max(0, use(q) - local(q)), 0);
      const available = (q: number): number => {
        const above = nodes[q]!.parent === undefined ? poolAvailable : available(nodes[q]!.parent);
        const room = lendable(q) + (nodes[q]!.borrowingLimit ?? Infinity) - Math.max(0, use(q) - local(q));
        return Math.max(0, local(q) - use(q)) + Math.min(above, room);
      };
      nodes.forEach((_, q) => assert.equal(tree.available(q), available(q)));
    }),
    { numRuns: 1000 },
  );
});

it('giving back in any order is the exact undo', () => {
  fc.assert(
    fc.property(forests, fc.infiniteStream(fc.nat()), (forest, picks) => {
      const { nodes, tree } = build(forest);
      const before = nodes.map((_, q) => [tree.available(q), tree.borrowed(q), tree.used(q), tree.unusedGuarantee(q)]);
      const left = forest.charges.map((c) => ({ ...c, quota: c.quota % nodes.length }));
      for (const c of left) tree.charge(c.quota, c.class, c.devices);
      while (left.length > 0) {
        const [c] = left.splice((picks.next().value ?? 0) % left.length, 1);
        tree.charge(c!.quota, c!.class, -c!.devices);
      }
      const after = nodes.map((_, q) => [tree.available(q), tree.borrowed(q), tree.used(q), tree.unusedGuarantee(q)]);
      assert.deepEqual(after, before);
    }),
    { numRuns: 500 },
  );
});

describe('parts of devices', () => {
  it('are charged in whole milli-GPUs, and giving back is the exact undo', () => {
    const parts = fc.array(fc.integer({ min: 1, max: 999 }), { maxLength: 30 });
    fc.assert(
      fc.property(parts, fc.integer({ min: 1, max: 2000 }), (held, weight) => {
        const tree = new QuotaTree([leaf(1)], [milli(weight)], gpus(100));
        const before = tree.available(0);
        for (const part of held) tree.charge(0, 0, part / 1000);
        const taken = held.reduce((sum, part) => sum + Math.ceil((part * weight) / 1000), 0);
        assert.equal(tree.available(0), before - taken);
        for (const part of held.toReversed()) tree.charge(0, 0, -part / 1000);
        assert.equal(tree.available(0), before);
        assert.equal(tree.devices(0, 0), 0);
      }),
    );
  });
});

describe('what is set apart', () => {
  it('uses no guarantee, counts as borrowed on every level, and changes nothing of what is available', () => {
    const tree = new QuotaTree([leaf(8), { ...leaf(4), parent: 0 }], [gpus(2)], gpus(40));
    tree.charge(1, 0, 3);
    const available = tree.available(1);
    tree.setApart(1, 0, 3);
    assert.deepEqual([tree.borrowed(1), tree.borrowed(0)], [6000, 6000]);
    assert.deepEqual([tree.unusedGuarantee(1), tree.used(1), tree.apart(0)], [4000, 6000, 6000]);
    assert.equal(tree.guarantorOf(1, [{ classIndex: 0, devices: 2 }]), 1, 'the guarantee is free for others');
    assert.equal(tree.available(1), available);
    assert.deepEqual([tree.fork().borrowed(1), tree.fork().countedDevices(1, 0)], [6000, 0]);
    tree.setApart(1, 0, -3);
    assert.deepEqual([tree.borrowed(1), tree.apart(0), tree.countedDevices(1, 0)], [2000, 0, 3]);
  });
});
