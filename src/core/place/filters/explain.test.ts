import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeOf, podOf, selecting, stageOf, termOf } from '../../testing/constraints.ts';

describe('what stands in the way, in words', () => {
  const nodes = [nodeOf('a', { zone: 'x' }), nodeOf('b', { zone: 'x' }), nodeOf('c', { zone: 'y' })];
  const port = { hostPorts: [{ ip: '0.0.0.0', protocol: 'TCP', port: 80 }] };
  const apart = { antiAffinity: [termOf('zone', selecting('app', 'web'))] };
  const explain = (running: Parameters<typeof stageOf>[1], asked: ReturnType<typeof podOf>) => {
    const { feasibility } = stageOf(nodes, [...running, asked]);
    return feasibility.explain({ pods: [asked], profiles: feasibility.profilesOf(asked.shape) });
  };

  it('one cause for all nodes', () => {
    const running = nodes.map(({ name }) => podOf({ ...port, on: name }));
    assert.equal(explain(running, podOf(port)), 'host port 80/TCP in use by other pods leaves no node');
  });

  it('several causes, those of most nodes first', () => {
    const running = [podOf({ labels: { app: 'web' }, on: 'a' }), podOf({ ...port, on: 'c' })];
    assert.equal(
      explain(running, podOf({ ...port, ...apart })),
      'required anti-affinity to pods app=web by zone rules out 2 of 3 nodes with room; ' +
        'host port 80/TCP in use by other pods rules out 1 of 3 nodes with room',
    );
  });

  it('pods that could go one by one, but not together', () => {
    assert.equal(
      explain([], podOf({ ...port, ...apart })),
      'the pods cannot all be placed at once with their anti-affinity to pods app=web by zone, host ports',
    );
  });

  it('nothing for a pod that nothing keeps away', () => {
    assert.equal(explain([podOf({ ...port, on: 'a' })], podOf({})), undefined);
  });
});
