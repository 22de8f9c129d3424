import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { fleetOf, node, pod, policyInputOf, pool, quota, type World } from '../../core/testing/world.ts';
import { Tally, type Entry } from '../../ledger/index.ts';
import { Bookkeeper, type Ended } from './bookkeeper.ts';
import { Accounts } from './holdings.ts';

const minute = 60_000;
const policy: World = { pools: [pool()], quotas: [quota('a', 8)], nodes: [node('n')] };
const held = pod('a', 8, { name: 'x', nodeName: 'n', phase: 'Running', boundAt: 0 });
const holder = { podUid: held.uid, class: 'h200' };

/** What is written of one pod while the policy is another by turns, a minute each. */
function written(policies: readonly Partial<World>[], ended: readonly Ended[] = []): readonly string[] {
  const fleet = fleetOf({ ...policy, pods: [held] });
  const keeper = new Bookkeeper(new Tally([]), new Accounts(), ended);
  const entries: Entry[] = [];
  for (const [i, changed] of policies.entries()) {
    const now = (i + 1) * minute;
    fleet.setPolicy(policyInputOf({ ...policy, ...changed }));
    const snapshot = fleet.snapshot(now);
    keeper.follow(new Map(), snapshot, now);
    keeper.settle(snapshot, now);
    entries.push(...keeper.takeEntries());
  }
  return entries.flatMap((entry) => {
    if (entry.type === 'open') return [`${entry.interval.start / minute} open ${entry.interval.kind}`];
    return entry.type === 'close' ? [`${entry.key.start / minute} ends ${entry.end / minute}`] : [];
  });
}

describe('what a pod holds', () => {
  const table: Record<
    string,
    { policies: readonly Partial<World>[]; ended?: readonly Ended[]; want: readonly string[] }
  > = {
    'is charged from its binding on': { policies: [{}], want: ['0 open Guaranteed'] },
    'stays open while its pool is gone': { policies: [{}, { pools: [] }, {}], want: ['0 open Guaranteed'] },
    'ends when its quota is gone, and begins when it is back, as nobody pays in between': {
      policies: [{}, { quotas: [] }, { quotas: [] }, {}],
      want: ['0 open Guaranteed', '0 ends 2', '4 open Guaranteed'],
    },
    'ends and begins as often as its quota goes and comes': {
      policies: [{}, { quotas: [] }, {}, { quotas: [] }, {}],
      want: ['0 open Guaranteed', '0 ends 2', '3 open Guaranteed', '3 ends 4', '5 open Guaranteed'],
    },
    'goes on from where an earlier leader left it, whose last word was that its pool was gone': {
      policies: [{ pools: [] }, {}],
      ended: [{ ...holder, end: minute / 2 }],
      want: ['0.5 open Guaranteed'],
    },
  };
  for (const [rule, { policies, ended, want }] of Object.entries(table))
    it(rule, () => assert.deepEqual(written(policies, ended), want));
});
