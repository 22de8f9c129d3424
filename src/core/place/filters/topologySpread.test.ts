import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PodFacts, SpreadConstraint } from '../../snapshot/index.ts';
import { nodeOf, podOf, selecting, stageOf } from '../../testing/constraints.ts';

const nodes = [nodeOf('a1', { zone: 'a' }), nodeOf('a2', { zone: 'a' }), nodeOf('b1', { zone: 'b' }), nodeOf('none')];
const web = selecting('app', 'web');
const constraint = (more: Partial<SpreadConstraint> = {}): SpreadConstraint => ({
  topologyKey: 'zone',
  maxSkew: 1,
  minDomains: 1,
  selector: web,
  honorsAffinity: true,
  honorsTaints: false,
  ...more,
});
const spread = (more: Partial<SpreadConstraint> = {}, labels: object = { app: 'web' }): PodFacts =>
  podOf({ labels: { ...labels }, spread: [constraint(more)] });
const running = (on: string, more: object = {}) => podOf({ labels: { app: 'web' }, on, ...more });

describe('topology spread', () => {
  it('a pod goes where it leaves the domains no further apart than it allows; a node without the label takes none', () => {
    const stage = stageOf(nodes, [spread(), running('a1')]);
    assert.deepEqual(stage.allowed(spread()), ['b1']);
    assert.deepEqual(stage.allowed(spread({ maxSkew: 2 })), ['a1', 'a2', 'b1']);
  });

  it('a pod that the selector does not match does not count itself', () => {
    const stage = stageOf(nodes, [spread(), running('a1')]);
    assert.deepEqual(stage.allowed(spread({}, {})), ['a1', 'a2', 'b1']);
  });

  it('fewer domains than the least number count as if an empty one were there', () => {
    const stage = stageOf(nodes, [spread(), running('a1'), running('b1')]);
    assert.deepEqual(stage.allowed(spread()), ['a1', 'a2', 'b1']);
    assert.deepEqual(stage.allowed(spread({ minDomains: 3 })), []);
  });

  it('pods of other namespaces and pods that are being deleted do not count', () => {
    const others = [running('a1', { namespace: 'other' }), running('a1', { more: { deletionAt: 1 } })];
    assert.deepEqual(stageOf(nodes, [spread(), ...others]).allowed(spread()), ['a1', 'a2', 'b1']);
  });

  it('nodes that the pod may not use are left out of account, or not, as it says', () => {
    const onlyB = { ...spread(), shape: { ...spread().shape, nodeSelector: selecting('zone', 'b') } };
    const ignoring = spread({ honorsAffinity: false });
    const all = { ...ignoring, shape: { ...ignoring.shape, nodeSelector: selecting('zone', 'b') } };
    const stage = stageOf(nodes, [spread(), running('b1')]);
    assert.ok(stage.allowed(onlyB).includes('b1'));
    assert.ok(!stage.allowed(all).includes('b1'));
  });

  it('tainted nodes are left out of account where the pod says so', () => {
    const taints = [{ key: 'k', value: '', effect: 'NoSchedule' as const }];
    const tainted = [nodeOf('a1', { zone: 'a' }), nodeOf('b1', { zone: 'b' }, { taints })];
    const stage = stageOf(tainted, [spread(), running('a1')]);
    assert.ok(!stage.allowed(spread()).includes('a1'));
    assert.ok(stage.allowed(spread({ honorsTaints: true })).includes('a1'));
  });

  it('a selector that matches everything counts no pod but the one that is placed: as Kubernetes has it', () => {
    const stage = stageOf(nodes, [spread(), running('a1'), running('a2')]);
    assert.deepEqual(stage.allowed(spread({ selector: [] })), ['a1', 'a2', 'b1']);
  });

  it('pods that are placed one after the other fill the domains evenly', () => {
    const stage = stageOf(nodes, [spread()]);
    for (const node of ['a1', 'b1', 'a2', 'b1', 'a1']) {
      assert.ok(stage.allowed(spread()).includes(node), node);
      stage.hold(spread(), node);
    }
    assert.deepEqual(stage.allowed(spread()), ['b1']);
  });
});
