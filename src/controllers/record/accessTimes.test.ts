import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { fleetOf, nodeFacts, podFacts, resource } from '../../../test/support/fleet.ts';
import type { Waiting } from '../../core/plan/index.ts';
import type { PodFacts, Workload } from '../../core/snapshot/index.ts';
import { AccessTimes } from './accessTimes.ts';

const start = Date.parse('2026-06-01T00:00:00Z');
const minute = 60_000;
const deal = { uid: 'uid-deal', name: 'deal', investor: 'investor' };
const nothingKept = () => [];

function quota(name: string, parentName?: string) {
  const spec = { poolName: 'national', namespaceSelector: { matchLabels: { team: name } } };
  return resource('ResearchQuota', name, { spec: parentName === undefined ? spec : { ...spec, parentName } });
}

const { policy } = fleetOf({
  pools: [
    resource('GpuPool', 'national', {
      spec: { acceleratorClasses: [{ name: 'h200', nodeSelector: { matchLabels: { product: 'H200' } }, weight: '1' }] },
    }),
  ],
  quotas: [quota('investor'), quota('lab', 'investor'), quota('stranger')],
  investments: [
    resource('MatchingInvestment', 'deal', {
      spec: { poolName: 'national', investorName: 'investor', reclaim: { guaranteedAccessWithin: '10m' } },
    }),
  ],
  namespaces: ['investor', 'lab', 'stranger'].map((name) => ({ name, labels: { team: name } })),
  nodes: [nodeFacts('node-0')],
}).snapshot(start);

function workload(namespace: string, more: Partial<PodFacts> = {}): Workload {
  const pod = { ...podFacts(namespace, 8), createdAt: start - 60 * minute, ...more };
  const { uid: key, createdAt, priority } = pod;
  return { key, namespace, pods: [pod], priority, createdAt, gang: undefined };
}

/** Access times of which the workloads of each step wait for what they lent. */
function times() {
  const access = new AccessTimes();
  const gone = new Set<string>();
  const observe = (minutes: number, reason: string, ...workloads: Workload[]) => {
    const waiting = [{ reason, message: '', owed: reason === 'WaitingForReclaim', workloads }] as unknown as Waiting[];
    access.observe(waiting, policy, start + minutes * minute, (key) => gone.has(key));
  };
  const record = (minutes: number) => access.recordOf(deal, start + minutes * minute, nothingKept);
  return { access, gone, observe, record };
}

describe('access times', () => {
  it('run from the first time that a workload is told to wait for what it lent, whatever it is told later, to its start', () => {
    const { access, observe, record } = times();
    const own = workload('investor');
    observe(0, 'NoCapacity', own);
    observe(5, 'WaitingForReclaim', own);
    observe(6, 'Fragmented', own);
    assert.deepEqual(record(7).waitingSince, [start + 5 * minute]);
    assert.deepEqual(access.started(own, policy, start + 8 * minute), { pool: 'national', seconds: 180 });
    assert.deepEqual(record(9), {
      reclaims: [{ at: start + 8 * minute, seconds: 180, breach: false }],
      waitingSince: [],
    });
  });

  it('are not measured of what starts without having waited for what was lent', () => {
    const { access, observe } = times();
    const own = workload('investor');
    observe(0, 'NoCapacity', own);
    assert.equal(access.started(own, policy, start + minute), undefined);
  });

  it('count for the investments of the quota and of those above it, and for no other', () => {
    const { access, observe, record } = times();
    const [lab, stranger] = [workload('lab'), workload('stranger')];
    observe(0, 'WaitingForReclaim', lab, stranger);
    access.started(lab, policy, start + 20 * minute);
    access.started(stranger, policy, start + 30 * minute);
    assert.deepEqual(record(31).reclaims, [{ at: start + 20 * minute, seconds: 1200, breach: true }]);
  });

  it('are told to the ledger once, each with its workload and the quota of the investor', () => {
    const { access, observe } = times();
    const lab = workload('lab');
    observe(0, 'WaitingForReclaim', lab);
    access.started(lab, policy, start + 2 * minute);
    const told = access.takeReclaims().map(({ investor, ...rest }) => ({ ...rest, investor: investor.spec.name }));
    const reclaim = { at: start + 2 * minute, seconds: 120, breach: false };
    assert.deepEqual(told, [{ ...reclaim, investment: 'deal', workload: lab.key, investor: 'investor' }]);
    assert.deepEqual(access.takeReclaims(), []);
  });

  it('of a workload that is given up count only where the promise was broken by then', () => {
    const { gone, observe, record } = times();
    const [patient, hasty] = [workload('investor'), workload('investor')];
    observe(0, 'WaitingForReclaim', patient);
    observe(8, 'WaitingForReclaim', hasty);
    gone.add(patient.key).add(hasty.key);
    observe(11, 'NoCapacity');
    assert.deepEqual(record(12), {
      reclaims: [{ at: start + 11 * minute, seconds: 660, breach: true }],
      waitingSince: [],
    });
  });

  it('after a restart run from the creation of a workload that was told before, so that no breach is lost', () => {
    const { observe, record } = times();
    observe(0, 'WaitingForReclaim', workload('investor', { explained: 'WaitingForReclaim: of the 8 asked for ...' }));
    assert.deepEqual(record(0).waitingSince, [start - 60 * minute]);
  });

  it('after a restart are told of a workload that was told before and starts without having to wait again', () => {
    const { access, observe, record } = times();
    const own = workload('investor', { explained: 'WaitingForReclaim: of the 8 asked for ...' });
    access.admitted(own, policy);
    observe(0, 'NoCapacity', workload('stranger'));
    assert.deepEqual(access.started(own, policy, start + minute), { pool: 'national', seconds: 61 * 60 });
    assert.deepEqual(record(2).reclaims, [{ at: start + minute, seconds: 61 * 60, breach: true }]);
  });

  it('are not told of a workload that this process told to wait for what nobody has borrowed', () => {
    const { access, observe, record } = times();
    observe(0, 'NoCapacity', workload('stranger'));
    const told = workload('investor', { explained: 'WaitingForReclaim: of the 8 asked for ...' });
    observe(1, 'NoCapacity', told);
    access.admitted(told, policy);
    assert.equal(access.started(told, policy, start + 2 * minute), undefined);
    assert.deepEqual(record(3).reclaims, []);
  });

  it('after a restart go on for a workload that was told before, whatever it is told now', () => {
    const { access, observe } = times();
    const own = workload('investor', { explained: 'WaitingForReclaim: of the 8 asked for ...' });
    observe(0, 'Fragmented', own);
    const toldSince = { ...own, pods: own.pods.map((pod) => ({ ...pod, explained: 'Fragmented: ...' })) };
    observe(1, 'Fragmented', toldSince);
    assert.deepEqual(access.started(toldSince, policy, start + minute), { pool: 'national', seconds: 61 * 60 });
  });

  it('are added to what the status had kept, which is asked for once', () => {
    const { access, observe } = times();
    const own = workload('investor');
    observe(0, 'WaitingForReclaim', own);
    access.started(own, policy, start + minute);
    const before = { at: start - minute, seconds: 5, breach: false };
    let asked = 0;
    const kept = () => {
      asked++;
      return [before];
    };
    const seconds = () => access.recordOf(deal, start + 2 * minute, kept).reclaims.map((one) => one.seconds);
    assert.deepEqual([seconds(), seconds(), asked], [[5, 60], [5, 60], 1]);
  });
});
