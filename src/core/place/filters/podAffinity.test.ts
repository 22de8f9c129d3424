import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeOf, podOf, selecting, stageOf, termOf } from '../../testing/constraints.ts';

const nodes = [nodeOf('a1', { zone: 'a' }), nodeOf('a2', { zone: 'a' }), nodeOf('b1', { zone: 'b' }), nodeOf('none')];
const web = selecting('app', 'web');
const running = (on: string, more: object = {}) => podOf({ labels: { app: 'web' }, on, ...more });
const drawn = (...terms: ReturnType<typeof termOf>[]) => podOf({ affinity: terms });
const averse = (...terms: ReturnType<typeof termOf>[]) => podOf({ antiAffinity: terms });

/** Makes labels count from the start, as a pod that waits does. */
const asker = averse(termOf('zone', web));

describe('required affinity', () => {
  it('a pod goes where a matching pod is, domain by domain', () => {
    const stage = stageOf(nodes, [asker, running('a1')]);
    assert.deepEqual(stage.allowed(drawn(termOf('zone', web))), ['a1', 'a2']);
    assert.deepEqual(stage.allowed(drawn(termOf('kubernetes.io/hostname', web))), ['a1']);
  });

  it('one pod must match all terms', () => {
    const both = podOf({ labels: { app: 'web', tier: 'db' }, on: 'b1' });
    const stage = stageOf(nodes, [asker, running('a1'), podOf({ labels: { tier: 'db' }, on: 'a2' }), both]);
    const terms = [termOf('zone', web), termOf('zone', selecting('tier', 'db'))];
    assert.deepEqual(stage.allowed(drawn(...terms)), ['b1']);
  });

  it('the first of a group that is drawn to itself goes to any node with the domain, a stranger to none', () => {
    const stage = stageOf(nodes, [asker]);
    const own = { affinity: [termOf('zone', web)] };
    assert.deepEqual(stage.allowed(podOf({ ...own, labels: { app: 'web' } })), ['a1', 'a2', 'b1']);
    assert.deepEqual(stage.allowed(podOf(own)), []);
  });

  it('the second of the group goes to the first', () => {
    const stage = stageOf(nodes, [asker]);
    const member = () => podOf({ labels: { app: 'web' }, affinity: [termOf('zone', web)] });
    const first = member();
    stage.hold(first, 'b1');
    assert.deepEqual(stage.allowed(member()), ['b1']);
    stage.hold(first, 'b1', -1);
    assert.deepEqual(stage.allowed(member()), ['a1', 'a2', 'b1']);
  });

  it('pods of other namespaces count when the term names them, or their namespace is selected', () => {
    const stage = stageOf(nodes, [asker, running('a1', { namespace: 'other' })]);
    assert.deepEqual(stage.allowed(drawn(termOf('zone', web))), []);
    assert.deepEqual(stage.allowed(drawn(termOf('zone', web, { namespaces: ['other'] }))), ['a1', 'a2']);
    const blue = { namespaceSelector: selecting('team', 'blue') };
    assert.deepEqual(stage.allowed(drawn(termOf('zone', web, blue))), ['a1', 'a2']);
    const red = { namespaceSelector: selecting('team', 'red') };
    assert.deepEqual(stage.allowed(drawn(termOf('zone', web, red))), []);
    assert.deepEqual(stage.allowed(drawn(termOf('zone', web, { namespaceSelector: [] }))), ['a1', 'a2']);
  });

  it('a pod that is being deleted still counts', () => {
    const stage = stageOf(nodes, [asker, running('a1', { more: { deletionAt: 1 } })]);
    assert.deepEqual(stage.allowed(drawn(termOf('zone', web))), ['a1', 'a2']);
  });
});

describe('required anti-affinity', () => {
  it('a pod keeps away from the domains of matching pods; a node without the label is in none', () => {
    const stage = stageOf(nodes, [asker, running('a1')]);
    assert.deepEqual(stage.allowed(averse(termOf('zone', web))), ['b1', 'none']);
  });

  it('a term without a selector matches no pod', () => {
    const stage = stageOf(nodes, [asker, running('a1')]);
    assert.equal(stage.allowed(averse(termOf('zone', undefined))).length, nodes.length);
  });

  it('a running pod keeps matching pods away, whatever these ask for, and others not', () => {
    const stage = stageOf(nodes, [podOf({ antiAffinity: [termOf('zone', web)], on: 'a1' })]);
    assert.deepEqual(stage.allowed(podOf({ labels: { app: 'web' } })), ['b1', 'none']);
    assert.deepEqual(stage.allowed(podOf({ labels: { app: 'db' } })).length, nodes.length);
    assert.deepEqual(stage.allowed(podOf({ labels: { app: 'web' }, namespace: 'other' })).length, nodes.length);
  });

  it('a pod that was placed a moment ago keeps others away until it is taken back', () => {
    const stage = stageOf(nodes, [asker]);
    const plain = podOf({ labels: { app: 'web' } });
    assert.equal(stage.feasibility.watchesAny([plain]), false);
    stage.hold(asker, 'a1');
    assert.equal(stage.feasibility.watchesAny([plain]), true);
    assert.deepEqual(stage.allowed(plain), ['b1', 'none']);
    stage.hold(asker, 'a1', -1);
    assert.equal(stage.allowed(plain).length, nodes.length);
  });
});
