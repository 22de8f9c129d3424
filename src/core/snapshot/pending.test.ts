import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pod } from '../testing/world.ts';
import type { PodFacts } from './facts.ts';
import { OwnerAges } from './ownerAges.ts';
import { PendingSet } from './pending.ts';
import { singleWorkload } from './workloads.ts';

function setOf(...pods: PodFacts[]): PendingSet {
  const pending = new PendingSet();
  for (const one of pods) pending.add(singleWorkload(one, new OwnerAges()));
  return pending;
}

const sizes = (pending: PendingSet): number[] => Array.from(pending.classes(), ({ size }) => size).sort();

describe('which waiting workloads are alike', () => {
  const labelled = (app: string) => pod('lab', 1, { labels: { app, job: app + '-1' } });

  it('labels make no difference as long as no pod selects others by them', () => {
    const pending = setOf(labelled('a'), labelled('a'), labelled('b'));
    assert.deepEqual(sizes(pending), [3]);
    pending.distinguish(['tier']);
    assert.deepEqual(sizes(pending), [3]);
  });

  it('once some pod does, those that differ in the label part, those that wait already as well', () => {
    const pending = setOf(labelled('a'), labelled('a'));
    pending.distinguish(['app']);
    pending.add(singleWorkload(labelled('b'), new OwnerAges()));
    assert.deepEqual(sizes(pending), [1, 2]);
    assert.equal(pending.size, 3);
  });

  it('a pod with volume claims stands for itself', () => {
    const claims = [{ name: 'data', ephemeral: false }];
    assert.deepEqual(sizes(setOf(pod('lab', 1, { claims }), pod('lab', 1, { claims }))), [1, 1]);
  });

  it('what a reader remembers of a class outlives the news that its only pod was told why it waits', () => {
    const one = pod('lab', 1);
    const pending = setOf(one);
    const [before] = pending.classes();
    before!.note = { remembered: true };
    pending.add(singleWorkload({ ...one, explained: 'NoCapacity: none' }, new OwnerAges()));
    const [after] = pending.classes();
    assert.equal(after, before);
    assert.equal(after!.at(0)?.pods[0]?.explained, 'NoCapacity: none');
    assert.equal(after!.size, 1);
  });

  it('of a workload that stands for itself nothing is remembered when it changes', () => {
    const one = pod('lab', 1, { claims: [{ name: 'data', ephemeral: false }] });
    const pending = setOf(one);
    const [before] = pending.classes();
    pending.add(singleWorkload({ ...one, explained: 'NoCapacity: none' }, new OwnerAges()));
    const [after] = pending.classes();
    assert.notEqual(after, before);
  });
});
