import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readNode, sameNode } from './readNode.ts';

const node = {
  metadata: { name: 'n1', labels: { zone: 'a' }, resourceVersion: '1' },
  spec: { taints: [{ key: 'gpu', value: 'x', effect: 'NoSchedule' }] },
  status: {
    capacity: { cpu: '96', 'nvidia.com/gpu': '8' },
    allocatable: { cpu: '95500m', memory: '1Gi', 'nvidia.com/gpu': '8', pods: '110' },
    conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: '2026-03-01T00:00:00Z' }],
  },
};

function changed(part: object) {
  return readNode({ ...node, ...part });
}

describe('readNode', () => {
  it('reads name, labels, taints, readiness and what may be given away', () => {
    assert.deepEqual(readNode(node), {
      name: 'n1',
      labels: { zone: 'a' },
      taints: [{ key: 'gpu', value: 'x', effect: 'NoSchedule' }],
      cordoned: false,
      ready: true,
      allocatable: { cpu: 95_500, memory: 2 ** 30, 'nvidia.com/gpu': 8, pods: 110 },
    });
  });

  const table: [string, object, Partial<ReturnType<typeof readNode>>][] = [
    ['a cordoned node is marked', { spec: { unschedulable: true } }, { cordoned: true, taints: [] }],
    [
      'a node whose readiness is unknown is not ready',
      { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } },
      { ready: false },
    ],
    ['a node without conditions is not ready', { status: {} }, { ready: false, allocatable: {} }],
    ['without allocatable the capacity counts', { status: { capacity: { cpu: 2 } } }, { allocatable: { cpu: 2000 } }],
    [
      'an amount that cannot be read is none',
      { status: { allocatable: { cpu: 'lots', pods: 5 } } },
      { allocatable: { pods: 5 } },
    ],
    [
      'a taint whose effect is unknown keeps pods away',
      { spec: { taints: [{ key: 'k', effect: 'Shun' }] } },
      { taints: [{ key: 'k', value: '', effect: 'NoSchedule' }] },
    ],
  ];
  for (const [rule, part, want] of table)
    it(rule, () => {
      const facts = changed(part);
      assert.deepEqual({ ...facts, ...want }, facts);
    });

  it('never throws, whatever JSON it is given', () => {
    const part = fc.oneof(
      fc.jsonValue(),
      fc.dictionary(fc.constantFrom('labels', 'taints', 'conditions', 'allocatable'), fc.jsonValue()),
    );
    fc.assert(fc.property(part, part, part, (metadata, spec, status) => void readNode({ metadata, spec, status })));
  });
});

describe('sameNode', () => {
  it('a heartbeat is no change', () => {
    const status = {
      ...node.status,
      conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: 'later' }],
      images: [{}],
    };
    assert.ok(sameNode(readNode(node), changed({ status, metadata: { ...node.metadata, resourceVersion: '2' } })));
  });

  const changes: [string, object][] = [
    ['another name', { metadata: { ...node.metadata, name: 'n2' } }],
    ['another value of a label', { metadata: { ...node.metadata, labels: { zone: 'b' } } }],
    ['another label', { metadata: { ...node.metadata, labels: { zone: 'a', rack: '1' } } }],
    ['a label that is gone', { metadata: { ...node.metadata, labels: {} } }],
    ['a label under another name', { metadata: { ...node.metadata, labels: { rack: 'a' } } }],
    ['a cordon', { spec: { ...node.spec, unschedulable: true } }],
    ['a taint that is gone', { spec: {} }],
    ['another effect of a taint', { spec: { taints: [{ key: 'gpu', value: 'x', effect: 'NoExecute' }] } }],
    ['lost readiness', { status: { ...node.status, conditions: [{ type: 'Ready', status: 'False' }] } }],
    [
      'a lost device',
      { status: { ...node.status, allocatable: { ...node.status.allocatable, 'nvidia.com/gpu': '7' } } },
    ],
  ];
  for (const [rule, part] of changes)
    it(`${rule} is a change, both ways`, () => {
      assert.equal(sameNode(readNode(node), changed(part)), false);
      assert.equal(sameNode(changed(part), readNode(node)), false);
    });
});
