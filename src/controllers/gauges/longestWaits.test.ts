import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { fleetOf, nodeFacts, podFacts, resource } from '../../../test/support/fleet.ts';
import type { Waiting } from '../../core/plan/index.ts';
import type { Workload } from '../../core/snapshot/index.ts';
import { longestAccessWaits, longestWaits } from './longestWaits.ts';

const now = Date.parse('2026-06-01T12:00:00Z');
const minute = 60_000;

function quota(name: string, more: object = {}) {
  const spec = { poolName: 'national', namespaceSelector: { matchLabels: { team: name } }, ...more };
  return resource('ResearchQuota', name, { spec });
}

const { policy } = fleetOf({
  pools: [
    resource('GpuPool', 'national', {
      spec: { acceleratorClasses: [{ name: 'h200', nodeSelector: { matchLabels: { product: 'H200' } }, weight: '1' }] },
    }),
  ],
  quotas: [quota('urgent', { tier: 'Urgent' }), quota('lab'), quota('group', { parentName: 'lab' })],
  namespaces: ['urgent', 'lab', 'group'].map((name) => ({ name, labels: { team: name } })),
  nodes: [nodeFacts('node-0')],
}).snapshot(now);

function workload(namespace: string, minutesOld: number): Workload {
  const pod = { ...podFacts(namespace, 1), createdAt: now - minutesOld * minute };
  const { uid: key, createdAt, priority } = pod;
  return { key, namespace, pods: [pod], priority, createdAt, gang: undefined };
}

function waiting(reason: string, ...workloads: Workload[]): Waiting {
  return { reason, message: '', owed: false, workloads } as unknown as Waiting;
}

describe('the longest waits', () => {
  it('are those of the oldest workload of each tier and reason', () => {
    const waits = longestWaits(
      [
        waiting('NoCapacity', workload('lab', 5), workload('group', 30), workload('urgent', 1)),
        waiting('NoCapacity', workload('lab', 10)),
        waiting('UserLimit', workload('lab', 2)),
      ],
      policy,
      now,
    );
    assert.deepEqual(
      waits.map(({ tier, reason, seconds }) => [tier, reason, seconds]),
      [
        ['Research', 'NoCapacity', 1800],
        ['Urgent', 'NoCapacity', 60],
        ['Research', 'UserLimit', 120],
      ],
    );
  });

  it('have no tier where no quota selects the namespace', () => {
    assert.deepEqual(longestWaits([waiting('NoQuota', workload('stranger', 1))], policy, now), [
      { tier: '', reason: 'NoQuota', seconds: 60 },
    ]);
  });

  it('are 0 where clocks disagree', () => {
    assert.equal(longestWaits([waiting('NoCapacity', workload('lab', -3))], policy, now)[0]?.seconds, 0);
  });
});

describe('the longest waits for what is lent', () => {
  const of = (name: string, minutes: number) => ({ quota: policy.quotas.get(name)!, since: now - minutes * minute });

  it('count for the pool, for the quota and for those above it', () => {
    const { ofPool, ofQuota } = longestAccessWaits([of('group', 5), of('urgent', 3), of('lab', 2)], now);
    assert.deepEqual([...ofPool], [['national', 300]]);
    assert.deepEqual(Object.fromEntries(ofQuota), { group: 300, lab: 300, urgent: 180 });
  });

  it('are absent where nobody waits', () => {
    const { ofPool, ofQuota } = longestAccessWaits([], now);
    assert.deepEqual([ofPool.size, ofQuota.size], [0, 0]);
  });
});
