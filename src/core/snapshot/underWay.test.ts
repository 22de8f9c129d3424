import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pod } from '../testing/world.ts';
import { UnderWay } from './underWay.ts';

const waiting = pod('kaist', 1, { createdAt: 10 });
const { uid } = waiting;
const binding = { nodeName: 'n1', since: 20, borrower: true };

describe('what is under way', () => {
  it('is a binding until the pod shows its node', () => {
    const underWay = new UnderWay();
    underWay.bind(uid, binding);
    assert.equal(underWay.nodeOf(waiting), 'n1');
    assert.deepEqual([underWay.held(waiting, 7).since, underWay.held(waiting, 7).borrower], [20, true]);
    underWay.shown({ ...waiting, nodeName: 'n1', borrower: true });
    assert.equal(underWay.isBinding(uid), false);
    assert.deepEqual([...underWay.borrowers], [uid]);
  });

  it('holds nothing for a binding that failed', () => {
    const underWay = new UnderWay();
    underWay.bind(uid, binding);
    underWay.unbind(waiting);
    assert.equal(underWay.nodeOf(waiting), undefined);
    assert.deepEqual([underWay.held(waiting, 7).since, underWay.borrowers.size], [10, 0]);
  });

  it('is a deletion until the pod shows it or goes on', () => {
    const underWay = new UnderWay();
    underWay.end(uid, 50);
    assert.equal(underWay.held(waiting, 7).deletionAt, 50);
    assert.deepEqual([underWay.goOn(uid), underWay.goOn(uid)], [true, false]);
    underWay.end(uid, 50);
    underWay.shown({ ...waiting, deletionAt: 60 });
    assert.deepEqual([...underWay.endings], []);
  });

  it('ends with the pod', () => {
    const underWay = new UnderWay();
    underWay.bind(uid, binding);
    assert.equal(underWay.nodeOf({ ...waiting, phase: 'Failed' }), undefined);
    underWay.gone(uid);
    assert.deepEqual([...underWay.bindings, ...underWay.borrowers], []);
  });
});
