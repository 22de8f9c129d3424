import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PodFacts } from '../snapshot/index.ts';
import { acceleratorClass, fleetOf, gpus, node, pod, podShape, pool, quota, type World } from '../testing/world.ts';
import { plan } from './index.ts';

const block = 'moa.dev/block';
const classes = [acceleratorClass('h200', 1, { powerWatts: 700 }), acceleratorClass('b200', 2, { powerWatts: 1000 })];
const quotas = [quota('kaist', 0)];

function planned(world: World) {
  const made = plan(fleetOf({ quotas, ...world }).snapshot(0), 0, { maxPods: Infinity });
  const nodeOf = (name: string): string | undefined =>
    made.admit.flatMap(({ pods }) => pods).find((p) => p.pod.name === name)?.nodeName;
  const told = (name: string): string => {
    const own = made.waiting.find((w) => w.workloads.some((one) => one.pods.some((p) => p.name === name)));
    return own === undefined ? '' : `${own.reason}: ${own.message}`;
  };
  return { nodeOf, told };
}

const gang = (size: number, devices: number, topology: PodFacts['topology']): PodFacts[] =>
  Array.from({ length: size }, (_, i) => pod('kaist', devices, { name: `g-${i}`, gangOf: ['g', size], topology }));

describe('classes', () => {
  const nodes = [node('h'), node('b', 8, { product: 'b200' })];

  it('the annotation decides, best first, and the next is taken when the best has no room', () => {
    const pods = [1, 2].map((i) => pod('kaist', 8, { name: `p${i}`, createdAt: i, classes: ['b200', 'h200'] }));
    const { nodeOf } = planned({ pools: [pool({ classes })], nodes, pods });
    assert.deepEqual([nodeOf('p1'), nodeOf('p2')], ['b', 'h']);
  });

  it('a class that the annotation leaves out is not used, and one that the pool does not have is said', () => {
    const pods = [
      pod('kaist', 8, { name: 'first', classes: ['b200'], createdAt: 1 }),
      pod('kaist', 8, { name: 'second', classes: ['b200'], createdAt: 2 }),
      pod('kaist', 1, { name: 'odd', classes: ['gb300'] }),
    ];
    const { nodeOf, told } = planned({ pools: [pool({ classes })], nodes, pods });
    assert.equal(nodeOf('first'), 'b');
    assert.match(told('second'), /^(NoCapacity|WaitingForQuota): /);
    assert.match(told('odd'), /^NoMatchingClass: .*annotation moa\.dev\/class.*h200 .*b200/);
  });

  it('who accepts any class leaves to the others what only it can give', () => {
    const onlyH200 = podShape(8, {
      nodeSelector: [{ key: 'nvidia.com/gpu.product', operator: 'In', values: ['h200'] }],
    });
    const bound = Array.from({ length: 6 }, (_, i) => ({
      ...pod('kaist', 8, { name: `picky-${i}` }),
      shape: onlyH200,
    }));
    const four = [node('h0'), node('h1'), node('b0', 8, { product: 'b200' }), node('b1', 8, { product: 'b200' })];
    const fleet = fleetOf({ pools: [pool({ classes })], quotas, nodes: four });
    for (const p of bound) {
      fleet.upsertPod(p);
      fleet.removePod(p.uid);
    }
    fleet.upsertPod(pod('kaist', 8, { name: 'easy' }));
    const [first] = plan(fleet.snapshot(0), 0, { maxPods: Infinity }).admit;
    assert.match(first?.pods[0]?.nodeName ?? '', /^b/);
  });
});

describe('topology', () => {
  const pools = [pool({ topologyLevels: [block] })];
  const inBlock = (name: string, own: string) => {
    const facts = node(name, 4);
    return { ...facts, labels: { ...facts.labels, [block]: own } };
  };
  const nodes = [inBlock('a1', 'a'), inBlock('a2', 'a'), inBlock('b1', 'b')];

  it('a gang that must be within one domain says so when it fits only over several', () => {
    const pods = gang(3, 4, { level: block, required: true });
    assert.match(
      planned({ pools, nodes, pods }).told('g-0'),
      /^TopologyUnsatisfiable: 12 h200 are free.*moa\.dev\/block/,
    );
  });

  it('a gang that would rather be within one domain is spread when none holds it', () => {
    const pods = gang(3, 4, { level: block, required: false });
    assert.ok(planned({ pools, nodes, pods }).nodeOf('g-2') !== undefined);
  });

  it('the host is a level of every pool', () => {
    const together = gang(2, 2, { level: 'kubernetes.io/hostname', required: true });
    const { nodeOf } = planned({ pools, nodes, pods: together });
    assert.ok(nodeOf('g-0') !== undefined && nodeOf('g-0') === nodeOf('g-1'));
    const tooMany = gang(3, 2, { level: 'kubernetes.io/hostname', required: true });
    assert.match(planned({ pools, nodes, pods: tooMany }).told('g-0'), /^TopologyUnsatisfiable: /);
  });

  it('the rest of a gang that was cut short goes where the others run, or waits', () => {
    const [first, second] = gang(2, 2, { level: block, required: true });
    const bound = { ...first!, nodeName: 'b1', phase: 'Running', boundAt: 0 } as const;
    assert.equal(planned({ pools, nodes, pods: [bound, second!] }).nodeOf('g-1'), 'b1');
    const other = { ...pod('kaist', 2, { name: 'other' }), nodeName: 'b1', phase: 'Running', boundAt: 0 } as const;
    const { nodeOf, told } = planned({ pools, nodes, pods: [bound, second!, other] });
    assert.equal(nodeOf('g-1'), undefined);
    assert.match(told('g-1'), /^TopologyUnsatisfiable: /);
  });

  it('a label that is no level of the pool is refused with the levels there are', () => {
    const pods = gang(2, 1, { level: 'rack', required: true });
    assert.match(
      planned({ pools, nodes, pods }).told('g-0'),
      /^Unsupported: .*moa\.dev\/topology is rack.*moa\.dev\/block/,
    );
  });
});

describe('power', () => {
  const site = { name: 'daejeon', nodeSelector: [], powerLimitWatts: 4000 };
  const pools = [pool({ classes, sites: [site] })];

  it('devices of a site never draw more than its limit, and who waits for it is told by how much', () => {
    const pods = [1, 2].map((i) => pod('kaist', 4, { name: `p${i}`, createdAt: i }));
    const { nodeOf, told } = planned({ pools, nodes: [node('n1'), node('n2')], pods });
    assert.ok(nodeOf('p1') !== undefined);
    assert.match(told('p2'), /^PowerLimited: .*daejeon draws 2\.8 of 4\.0 kW/);
  });
});

describe('scale', () => {
  it('with twice the devices on every node, in every quota and in every request the plan is the same', () => {
    const world = (factor: number): World => ({
      quotas: [quota('kaist', 8 * factor), quota('lab', 0, { borrowingLimit: gpus(6 * factor) })],
      nodes: [node('n1', 8 * factor), node('n2', 4 * factor), node('n3', 2 * factor)],
      pods: [1, 2, 3, 4].flatMap((i) => [
        pod('kaist', i * factor, { name: `k${i}`, createdAt: i }),
        pod('lab', 2 * factor, { name: `l${i}`, createdAt: i }),
      ]),
    });
    const [once, twice] = [planned(world(1)), planned(world(2))];
    for (const name of ['k1', 'k2', 'k3', 'k4', 'l1', 'l2', 'l3', 'l4']) {
      assert.equal(twice.nodeOf(name), once.nodeOf(name));
      assert.equal(twice.told(name).split(':', 1)[0], once.told(name).split(':', 1)[0]);
    }
  });
});
