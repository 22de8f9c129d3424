import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PodFacts } from '../snapshot/index.ts';
import { acceleratorClass, fleetOf, gpus, node, pod, pool, quota, type World } from '../testing/world.ts';
import { plan, type Plan } from './index.ts';

const unlimited = { maxPods: Infinity };

function planOf(world: World): Plan {
  return plan(fleetOf(world).snapshot(0), 0, unlimited);
}

/** Pod name to node name of all that is admitted. */
function placements(made: Plan): Record<string, string> {
  return Object.fromEntries(made.admit.flatMap(({ pods }) => pods.map((p) => [p.pod.name, p.nodeName])));
}

/** The names of admitted pods in the order of admission. */
function order(made: Plan): string[] {
  return made.admit.flatMap(({ pods }) => pods.map((p) => p.pod.name));
}

/** Pod name to reason of all that waits. */
function reasons(made: Plan): Record<string, string> {
  return Object.fromEntries(
    made.waiting.flatMap(({ reason, workloads }) => workloads.flatMap((w) => w.pods.map((p) => [p.name, reason]))),
  );
}

const gang = (namespace: string, name: string, size: number, devices = 8): PodFacts[] =>
  Array.from({ length: size }, (_, i) => pod(namespace, devices, { name: `${name}-${i}`, gangOf: [name, size] }));

const bound = (namespace: string, devices: number, nodeName: string, more: Partial<PodFacts> = {}): PodFacts =>
  pod(namespace, devices, { nodeName, phase: 'Running', ours: false, ...more, shape: {} } as never);

describe('packing', () => {
  it('a pod goes to the node with the fewest free devices that still holds it', () => {
    const world = {
      quotas: [quota('a', 32)],
      nodes: [node('n1'), node('n2'), node('n3')],
      pods: [bound('a', 4, 'n1'), bound('a', 6, 'n3'), pod('a', 2, { name: 'small' }), pod('a', 4, { name: 'half' })],
    };
    assert.deepEqual(placements(planOf(world)), { small: 'n3', half: 'n1' });
  });

  it('a gang of small pods takes one node that holds them all, else as few as possible', () => {
    const world = {
      quotas: [quota('a', 32)],
      nodes: [node('n1'), node('n2'), node('n3')],
      pods: [bound('a', 5, 'n1'), ...gang('a', 'g', 6, 2)],
    };
    assert.deepEqual(new Set(Object.values(placements(planOf(world)))), new Set(['n2', 'n3']));
  });

  it('spread puts each pod on the emptiest node', () => {
    const world = {
      pools: [pool({ placement: 'Spread' })],
      quotas: [quota('a', 32)],
      nodes: [node('n1'), node('n2')],
      pods: [pod('a', 1, { name: 'x' }), pod('a', 1, { name: 'y' })],
    };
    assert.deepEqual(new Set(Object.values(placements(planOf(world)))), new Set(['n1', 'n2']));
  });

  it('a node without cpu left is passed over though its devices are free', () => {
    const shape = { requests: { 'nvidia.com/gpu': 1, cpu: 8000, pods: 1 } };
    const world = {
      quotas: [quota('a', 32)],
      nodes: [node('n1', 2, { allocatable: { 'nvidia.com/gpu': 2, cpu: 4000, pods: 110 } }), node('n2')],
      pods: [pod('a', 1, { name: 'x', shape })],
    };
    assert.deepEqual(placements(planOf(world)), { x: 'n2' });
  });

  it('a pod without accelerators needs no quota and stays off the pool where it can', () => {
    const world = {
      nodes: [node('gpu'), node('plain', 0, { labels: {}, allocatable: { cpu: 8000, pods: 110 } })],
      pods: [pod('anyone', 0, { name: 'launcher' })],
    };
    assert.deepEqual(placements(planOf(world)), { launcher: 'plain' });
  });
});

describe('feasibility', () => {
  const taint = { key: 'dedicated', value: 'x', effect: 'NoSchedule' } as const;
  const table: Record<string, { node: Parameters<typeof node>[2]; shape?: object; want: boolean }> = {
    'a cordoned node takes nothing': { node: { cordoned: true }, want: false },
    'a node that is not ready takes nothing': { node: { ready: false }, want: false },
    'an untolerated taint keeps a pod off': { node: { taints: [taint] }, want: false },
    'a tolerated taint does not': {
      node: { taints: [taint] },
      shape: { tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'x', effect: '' }] },
      want: true,
    },
    'PreferNoSchedule keeps no one off': { node: { taints: [{ ...taint, effect: 'PreferNoSchedule' }] }, want: true },
    'the taint of its own pool does not count': {
      node: { taints: [{ key: 'moa.dev/pool', value: 'national', effect: 'NoSchedule' }] },
      want: true,
    },
    'the taint of another pool does': {
      node: { taints: [{ key: 'moa.dev/pool', value: 'other', effect: 'NoSchedule' }] },
      want: false,
    },
    'a selector that the node lacks keeps a pod off': {
      node: {},
      shape: { nodeSelector: [{ key: 'zone', operator: 'In', values: ['a'] }] },
      want: false,
    },
    'a host name is matched node by node': {
      node: {},
      shape: { nodeSelector: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['n1'] }] },
      want: true,
    },
    'another host name is not': {
      node: {},
      shape: { nodeSelector: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['n2'] }] },
      want: false,
    },
    'affinity terms are alternatives': {
      node: {},
      shape: {
        nodeTerms: [
          { labels: [{ key: 'zone', operator: 'In', values: ['a'] }], names: [] },
          { labels: [], names: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] },
        ],
      },
      want: true,
    },
  };
  for (const [rule, { node: facts, shape = {}, want }] of Object.entries(table)) {
    it(rule, () => {
      const made = planOf({
        quotas: [quota('a', 8)],
        nodes: [node('n1', 8, facts)],
        pods: [pod('a', 1, { name: 'x', shape })],
      });
      assert.deepEqual(Object.keys(placements(made)), want ? ['x'] : []);
    });
  }
});

describe('gangs', () => {
  it('all of a gang starts or none of it does', () => {
    const made = planOf({ quotas: [quota('a', 64)], nodes: [node('n1'), node('n2')], pods: gang('a', 'g', 3) });
    assert.deepEqual(made.admit, []);
    assert.equal(reasons(made)['g-0'], 'ExceedsLimit');
  });

  it('a gang waits until all of its pods exist', () => {
    const made = planOf({
      quotas: [quota('a', 64)],
      nodes: [node('n1'), node('n2')],
      pods: gang('a', 'g', 2).slice(1),
    });
    assert.deepEqual(reasons(made), { 'g-1': 'GangIncomplete' });
    assert.match(made.waiting[0]!.message, /1 of 2 pods of gang g exist/);
  });

  it('a gang that was cut short is completed before anything else, whatever its quota holds by now', () => {
    const [first, ...rest] = gang('a', 'g', 2);
    const made = planOf({
      quotas: [quota('a', 8, { borrowingLimit: gpus(0) }), quota('b', 8)],
      nodes: [node('n1'), node('n2')],
      pods: [{ ...first!, nodeName: 'n1', phase: 'Running' }, pod('b', 8, { name: 'other' }), ...rest],
    });
    assert.deepEqual(placements(made), { 'g-1': 'n2' });
  });

  it('of more pods than the size the oldest start and the rest waits for company', () => {
    const pods = gang('a', 'g', 3, 1).map((p) => ({ ...p, gang: { kind: 'label', name: 'g', size: 2 } as const }));
    const made = planOf({ quotas: [quota('a', 8)], nodes: [node('n1')], pods });
    assert.deepEqual(Object.keys(placements(made)), ['g-0', 'g-1']);
    assert.deepEqual(reasons(made), { 'g-2': 'GangIncomplete' });
  });

  it('a gang whose pods disagree about its size is told so, and no other gang of its kind suffers', () => {
    const odd = gang('a', 'odd', 2, 1).map((p, i) => ({
      ...p,
      gang: { kind: 'label', name: 'odd', size: 2 + i } as const,
    }));
    for (const pods of [
      [...odd, ...gang('a', 'fine', 2, 1)],
      [...gang('a', 'fine', 2, 1), ...odd],
    ]) {
      const made = planOf({ quotas: [quota('a', 8)], nodes: [node('n1')], pods });
      assert.deepEqual(Object.keys(placements(made)).sort(), ['fine-0', 'fine-1']);
      assert.deepEqual(reasons(made), { 'odd-0': 'Unsupported', 'odd-1': 'Unsupported' });
    }
  });

  it('a gang does not mix classes', () => {
    const made = planOf({
      pools: [pool({ classes: [acceleratorClass('a100', 1), acceleratorClass('h200', 1)] })],
      quotas: [quota('a', 64)],
      nodes: [node('n1', 8, { product: 'a100' }), node('n2'), node('n3')],
      pods: gang('a', 'g', 2),
    });
    assert.deepEqual(new Set(Object.values(placements(made))), new Set(['n2', 'n3']));
  });
});

describe('quota', () => {
  const nodes = [node('n1'), node('n2')];

  it('borrows what others leave idle', () => {
    const made = planOf({ quotas: [quota('a', 4), quota('b', 12)], nodes, pods: [pod('a', 8, { name: 'x' })] });
    assert.deepEqual(Object.keys(placements(made)), ['x']);
  });

  it('stops at its borrowing limit', () => {
    const quotas = [quota('a', 4, { borrowingLimit: gpus(2) }), quota('b', 12)];
    const pods = [pod('a', 4, { name: 'own' }), pod('a', 2, { name: 'borrowed' }), pod('a', 1, { name: 'more' })];
    assert.deepEqual(reasons(planOf({ quotas, nodes, pods })), { more: 'WaitingForQuota' });
  });

  it('lends no more than its lending limit', () => {
    const quotas = [quota('a', 4), quota('b', 12, { lendingLimit: gpus(2) })];
    const pods = [pod('a', 6, { name: 'fits' }), pod('a', 1, { name: 'more' })];
    assert.deepEqual(reasons(planOf({ quotas, nodes, pods })), { more: 'WaitingForQuota' });
  });

  it('within guarantee, it waits for what it lent, and says who has it', () => {
    const quotas = [quota('a', 4), quota('b', 12)];
    const pods = [bound('a', 8, 'n1'), bound('a', 8, 'n2'), pod('b', 4, { name: 'x' })];
    const made = planOf({ quotas, nodes, pods });
    assert.deepEqual(reasons(made), { x: 'WaitingForReclaim' });
    assert.match(made.waiting[0]!.message, /a 12/);
  });

  it('within the guarantee of its consortium, it says whose that is, and names no loan twice', () => {
    const quotas = [
      quota('union', 0),
      quota('x', 4, { parentName: 'union' }),
      quota('y', 8, { parentName: 'union' }),
      quota('others', 0),
      quota('z', 4, { parentName: 'others' }),
    ];
    const pods = [bound('z', 8, 'n1'), bound('z', 4, 'n2'), bound('x', 4, 'n2'), pod('x', 8, { name: 'more' })];
    const made = planOf({ quotas, nodes, pods });
    assert.deepEqual(reasons(made), { more: 'WaitingForReclaim' });
    assert.equal(
      made.waiting[0]!.message,
      'within what is unused of the guarantees of union and its members (8), but only 0 of the 8 asked for are left: ' +
        'the rest is lent to others (z 8)',
    );
  });

  it("a child without guarantee uses its parent's before it counts as borrowing", () => {
    const quotas = [quota('consortium', 8), quota('member', 0, { parentName: 'consortium' }), quota('rich', 8)];
    const pods = [pod('rich', 8, { name: 'guaranteed' }), pod('member', 8, { name: 'shared' })];
    assert.deepEqual(Object.keys(placements(planOf({ quotas, nodes, pods }))).sort(), ['guaranteed', 'shared']);
  });

  it('counts pods that another scheduler placed', () => {
    const quotas = [quota('a', 8, { borrowingLimit: gpus(0) }), quota('b', 8)];
    const pods = [bound('a', 6, 'n1'), pod('a', 4, { name: 'x' })];
    assert.deepEqual(reasons(planOf({ quotas, nodes, pods })), { x: 'WaitingForQuota' });
  });
});

describe('order', () => {
  const nodes = [node('n1')];

  it('whoever stays within guarantee goes before borrowers', () => {
    const pods = [pod('b', 8, { name: 'borrower' }), pod('a', 8, { name: 'entitled' })];
    assert.deepEqual(order(planOf({ quotas: [quota('a', 8), quota('b', 0)], nodes, pods })), ['entitled']);
  });

  it('among borrowers the lower share of its weight goes first', () => {
    const quotas = [quota('a', 0, { weight: 1 }), quota('b', 0, { weight: 3 })];
    const running = [bound('a', 2, 'n1'), bound('b', 3, 'n1')];
    const pods = [...running, pod('a', 1, { name: 'a1' }), pod('b', 1, { name: 'b1' })];
    assert.equal(order(planOf({ quotas, nodes, pods }))[0], 'b1');
  });

  it('shares are judged anew after each admission', () => {
    const pods = ['a', 'a', 'b', 'b'].map((name, i) => pod(name, 1, { name: `${name}${i}` }));
    assert.deepEqual(order(planOf({ quotas: [quota('a', 0), quota('b', 0)], nodes, pods })), ['a0', 'b2', 'a1', 'b3']);
  });

  it('weight 0 borrows last', () => {
    const pods = [pod('zero', 8, { name: 'z' }), pod('b', 8, { name: 'b' })];
    assert.deepEqual(order(planOf({ quotas: [quota('zero', 0, { weight: 0 }), quota('b', 0)], nodes, pods })), ['b']);
  });

  it('an urgent quota goes before everyone', () => {
    const pods = [pod('a', 8, { name: 'entitled' }), pod('u', 8, { name: 'urgent' })];
    assert.deepEqual(order(planOf({ quotas: [quota('a', 8), quota('u', 0, { tier: 'Urgent' })], nodes, pods })), [
      'urgent',
    ]);
  });

  it('inside one quota priority decides, then age', () => {
    const pods = [
      pod('a', 4, { name: 'old' }),
      pod('a', 4, { name: 'young' }),
      pod('a', 4, { name: 'vip', priority: 5 }),
    ];
    assert.deepEqual(order(planOf({ quotas: [quota('a', 8)], nodes, pods })), ['vip', 'old']);
  });

  it('a blocked workload does not hold back those behind it', () => {
    const pods = [pod('a', 8, { name: 'large', priority: 9 }), pod('a', 1, { name: 'small' })];
    const made = planOf({ quotas: [quota('a', 8)], nodes, pods: [bound('a', 1, 'n1'), ...pods] });
    assert.deepEqual(order(made), ['small']);
  });

  it('cousins are not compared: a consortium is judged as a whole', () => {
    const quotas = [
      quota('x', 0),
      quota('x1', 0, { parentName: 'x' }),
      quota('x2', 0, { parentName: 'x' }),
      quota('y', 0),
    ];
    const pods = [
      bound('x1', 4, 'n1'),
      bound('y', 2, 'n1'),
      pod('x2', 1, { name: 'idle-cousin' }),
      pod('y', 1, { name: 'y' }),
    ];
    assert.equal(order(planOf({ quotas, nodes, pods }))[0], 'y');
  });
});

describe('reasons', () => {
  it('a device is held by the quota whose pods hold it, not by its parents as well', () => {
    const quotas = [quota('p', 2), quota('c', 16, { parentName: 'p' }), quota('d', 6, { parentName: 'p' })];
    const pods = [bound('p', 2, 'n1'), bound('c', 5, 'n1'), pod('d', 3, { name: 'x' })];
    const { message } = planOf({ quotas, nodes: [node('n1'), node('n2', 0)], pods }).waiting[0]!;
    assert.match(message, /1 of the 3 h200 asked for are free .*; most is held by c \(5\), p \(2\)$/);
  });

  const two = pool({ classes: [acceleratorClass('h200'), acceleratorClass('b200', 2)] });
  const table: Record<string, { world: World; want: string; says: RegExp }> = {
    'no quota selects the namespace': {
      world: { nodes: [node('n1')], pods: [pod('stranger', 1)] },
      want: 'NoQuota',
      says: /namespace stranger/,
    },
    'the quota has no pool': {
      world: { quotas: [quota('a', 8, { poolName: 'gone' })], nodes: [node('n1')], pods: [pod('a', 1)] },
      want: 'QuotaNotReady',
      says: /GpuPool gone does not exist/,
    },
    'the quota, or one above it, is suspended': {
      world: {
        quotas: [quota('p', 8, { suspend: true }), quota('a', 8, { parentName: 'p' })],
        nodes: [node('n1')],
        pods: [pod('a', 1)],
      },
      want: 'Suspended',
      says: /p is suspended/,
    },
    'a malformed annotation': {
      world: {
        quotas: [quota('a', 8)],
        nodes: [node('n1')],
        pods: [pod('a', 1, { problem: 'annotation x is wrong' })],
      },
      want: 'Unsupported',
      says: /annotation x is wrong/,
    },
    'a selector that rules out every class': {
      world: {
        quotas: [quota('a', 8)],
        nodes: [node('n1')],
        pods: [
          pod('a', 1, { shape: { nodeSelector: [{ key: 'nvidia.com/gpu.product', operator: 'In', values: ['t4'] }] } }),
        ],
      },
      want: 'NoMatchingClass',
      says: /its classes are h200/,
    },
    'more devices than a workload may have': {
      world: { quotas: [quota('a', 8, { maxWorkloadGpus: 4 })], nodes: [node('n1')], pods: [pod('a', 5)] },
      want: 'ExceedsLimit',
      says: /asks for 5 GPUs.*allows 4/,
    },
    'more walltime than allowed': {
      world: {
        quotas: [quota('a', 8, { maxWalltime: 3_600_000 })],
        nodes: [node('n1')],
        pods: [pod('a', 1, { walltime: 7_200_000 })],
      },
      want: 'ExceedsLimit',
      says: /asks for 2h.*allows 1h/,
    },
    'more than the quota could ever hold': {
      world: { quotas: [quota('a', 4, { borrowingLimit: gpus(0) })], nodes: [node('n1')], pods: [pod('a', 5)] },
      want: 'ExceedsLimit',
      says: /can never hold more than/,
    },
    'a pod larger than any node': {
      world: { quotas: [quota('a', 16)], nodes: [node('n1'), node('n2')], pods: [pod('a', 9)] },
      want: 'ExceedsLimit',
      says: /one pod asks for 9 h200, the largest node of that class has 8/,
    },
    'more of a class than its max': {
      world: {
        pools: [two],
        quotas: [quota('a', 32, { classes: [{ name: 'h200', guaranteed: 0, max: 4 }] })],
        nodes: [node('n1')],
        pods: [bound('a', 3, 'n1'), pod('a', 2)],
      },
      want: 'ClassLimit',
      says: /holds 3 of at most 4 h200/,
    },
    'more than a user may hold': {
      world: {
        quotas: [quota('a', 8, { perUserMax: gpus(2) })],
        nodes: [node('n1')],
        pods: [bound('a', 2, 'n1', { user: 'kim' }), pod('a', 1, { user: 'kim' })],
      },
      want: 'UserLimit',
      says: /user kim holds 2 of at most 2/,
    },
    'enough is free, but in pieces': {
      world: {
        quotas: [quota('a', 16)],
        nodes: [node('n1'), node('n2')],
        pods: [bound('a', 5, 'n1'), bound('a', 5, 'n2'), pod('a', 6)],
      },
      want: 'Fragmented',
      says: /6 h200 are free.*most on one node: 3/,
    },
    'nodes are full though the quota has room': {
      world: {
        quotas: [quota('a', 16)],
        nodes: [node('n1'), node('n2', 8, { cordoned: true })],
        pods: [bound('x', 7, 'n1'), pod('a', 2)],
      },
      want: 'NoCapacity',
      says: /1 of the 2 h200/,
    },
  };
  for (const [rule, { world, want, says }] of Object.entries(table)) {
    it(rule, () => {
      const made = planOf(world);
      assert.deepEqual(
        made.waiting.map((w) => w.reason),
        [want],
      );
      assert.match(made.waiting[0]!.message, says);
    });
  }

  it('a second class takes what the first has no room for', () => {
    const made = planOf({
      pools: [two],
      quotas: [quota('a', 64, { classes: [{ name: 'h200', guaranteed: 0, max: 1 }] })],
      nodes: [node('n1'), node('n2', 8, { product: 'b200' })],
      pods: [pod('a', 4, { name: 'x' })],
    });
    assert.deepEqual(placements(made), { x: 'n2' });
  });
});
