import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { fleetOf, nodeFacts, podFacts, resource } from '../../../test/support/fleet.ts';
import { Store } from '../../kube/index.ts';
import { BorrowHistory } from '../../core/quota/index.ts';
import { projectResource, type ResourceProjection } from '../manifests/index.ts';
import { Borrowing } from './borrowing.ts';

const start = Date.parse('2026-06-01T00:00:00Z');
const second = 1000;

const { policy } = fleetOf({
  pools: [
    resource('GpuPool', 'national', {
      spec: {
        acceleratorClasses: [{ name: 'h200', nodeSelector: { matchLabels: { product: 'H200' } }, weight: '1' }],
        scheduling: { fairShare: { halfLife: '1h' } },
      },
    }),
  ],
  quotas: [
    resource('ResearchQuota', 'lab', {
      spec: { poolName: 'national', namespaceSelector: { matchLabels: { team: 'lab' } } },
    }),
  ],
  namespaces: [{ name: 'lab', labels: { team: 'lab' } }],
  nodes: [nodeFacts('node-0')],
  pods: [podFacts('lab', 8, 'node-0')],
}).snapshot(start);

function advance(history: BorrowHistory, now: number): void {
  const quotas = policy.pools.flatMap(({ spec, quotas: own, tree }) =>
    own.map(({ spec: { name }, index }) => ({
      name,
      borrowed: tree.borrowed(index),
      halfLife: spec.fairShare.halfLife,
    })),
  );
  history.advance(now, quotas);
}

describe('what quotas borrowed on average', () => {
  it('follows what they hold beyond their guarantee, with the half-life of the pool', () => {
    const history = new BorrowHistory();
    advance(history, start);
    advance(history, start + 3600 * second);
    assert.equal(history.valueOf('lab'), 4000);
  });

  it('is shown anew once a minute at most while it moves by more than 1 %, and once in five minutes otherwise', () => {
    const history = new BorrowHistory();
    const borrowing = new Borrowing(history);
    const shownAt: number[] = [];
    const values: number[] = [];
    const hours = 12;
    for (let s = 0; s < hours * 3600; s++) {
      const now = start + s * second;
      advance(history, now);
      const { decayed, asOf } = borrowing.shownOf('lab', now);
      if (asOf === now) {
        shownAt.push(s);
        values.push(decayed);
      }
    }
    const gaps = shownAt.slice(1).map((at, i) => at - shownAt[i]!);
    assert.equal(Math.min(...gaps), 60);
    assert.ok(
      gaps.slice(-10).every((gap) => gap >= 300),
      gaps.slice(-10).join(),
    );
    assert.ok(shownAt.length < (hours * 3600) / 100, `${shownAt.length} writes in ${hours} hours`);
  });

  it('is not shown again while it rests', () => {
    const borrowing = new Borrowing(new BorrowHistory());
    const first = borrowing.shownOf('nobody', start);
    assert.equal(borrowing.shownOf('nobody', start + 3600 * second), first);
  });

  it('is taken up from the statuses, fading over the time in between', () => {
    const quotas = new Store<ResourceProjection<'ResearchQuota'>>();
    const fairShare = { share: '6', decayedUsage: '6', asOf: new Date(start).toISOString() };
    quotas.upsert(
      projectResource('ResearchQuota')({
        apiVersion: 'moa.dev/v1alpha1',
        kind: 'ResearchQuota',
        metadata: { name: 'lab', uid: 'u', resourceVersion: '1' },
        spec: { poolName: 'national' },
        status: { fairShare },
      }),
    );
    const history = new BorrowHistory();
    const borrowing = new Borrowing(history);
    borrowing.takeUp(quotas.values());
    assert.deepEqual(borrowing.shownOf('lab', start + 1), { decayed: 6000, asOf: start });
    advance(history, start + 3600 * second);
    assert.equal(history.valueOf('lab'), 3000);
  });
});
