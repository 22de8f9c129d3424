import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readClaim, readCsiNode, readStorageClass, readVolume } from '../../snapshot/index.ts';
import { nodeOf, podOf, stageOf } from '../../testing/constraints.ts';

const driver = 'csi.test';
const nodes = [nodeOf('a'), nodeOf('b')];

function stage(pods: Parameters<typeof stageOf>[1]) {
  const made = stageOf(nodes, pods);
  const { storage } = made.fleet;
  storage.putClass(
    readStorageClass({ metadata: { name: 'made' }, provisioner: driver, volumeBindingMode: 'WaitForFirstConsumer' }),
  );
  const bind = (name: string, accessMode: string, handle: string): void => {
    const spec = { volumeName: `v-${name}`, accessModes: [accessMode] };
    const annotations = { 'pv.kubernetes.io/bind-completed': 'yes' };
    storage.putClaim(readClaim({ metadata: { name, namespace: 'lab', annotations }, spec }));
    storage.putVolume(readVolume({ metadata: { name: `v-${name}` }, spec: { csi: { driver, volumeHandle: handle } } }));
  };
  const leaveOpen = (name: string, storageClassName: string): void =>
    storage.putClaim(readClaim({ metadata: { name, namespace: 'lab', uid: name }, spec: { storageClassName } }));
  const limit = (node: string, count: number): void =>
    storage.putCsiNode(
      readCsiNode({ metadata: { name: node }, spec: { drivers: [{ name: driver, allocatable: { count } }] } }),
    );
  return { ...made, storage, bind, leaveOpen, limit };
}

describe('claims in use', () => {
  it('a claim of a single pod is in use wherever that pod is', () => {
    const { bind, allowed, hold } = stage([]);
    bind('one', 'ReadWriteOncePod', 'h');
    bind('many', 'ReadWriteOnce', 'i');
    const user = podOf({ uses: ['one', 'many'] });
    hold(user, 'a');
    assert.deepEqual(allowed(podOf({ uses: ['one'] })), []);
    assert.deepEqual(allowed(podOf({ uses: ['many'] })), ['a', 'b']);
    hold(user, 'a', -1);
    assert.deepEqual(allowed(podOf({ uses: ['one'] })), ['a', 'b']);
  });

  it('a node attaches no more volumes than it says, each counted once however many pods use it', () => {
    const { bind, allowed, hold, limit } = stage([]);
    for (const [claim, handle] of Object.entries({ x: 'h1', y: 'h2', again: 'h1' }))
      bind(claim, 'ReadWriteMany', handle);
    limit('a', 1);
    hold(podOf({ uses: ['x'] }), 'a');
    assert.deepEqual(allowed(podOf({ uses: ['y'] })), ['b']);
    assert.deepEqual(allowed(podOf({ uses: ['again'] })), ['a', 'b']);
    assert.deepEqual(allowed(podOf({ uses: ['x', 'y'] })), ['b']);
  });

  it('a volume that is still to be made counts as one of its driver', () => {
    const { leaveOpen, allowed, hold, limit } = stage([]);
    leaveOpen('x', 'made');
    leaveOpen('y', 'made');
    limit('a', 1);
    hold(podOf({ uses: ['x'] }), 'a');
    assert.deepEqual(allowed(podOf({ uses: ['y'] })), ['b']);
  });
});

describe('volumes of pods that are tried out', () => {
  const free = (name: string) =>
    readVolume({ metadata: { name }, spec: { storageClassName: 'local' }, status: { phase: 'Available' } });

  it('the next pod finds another volume, and the same one once the first is taken back', () => {
    const { storage, leaveOpen, allowed, hold } = stage([]);
    storage.putClass(
      readStorageClass({
        metadata: { name: 'local' },
        provisioner: 'kubernetes.io/no-provisioner',
        volumeBindingMode: 'WaitForFirstConsumer',
      }),
    );
    for (const name of ['x', 'y', 'z']) leaveOpen(name, 'local');
    for (const name of ['v1', 'v2']) storage.putVolume(free(name));
    const [x, y, z] = ['x', 'y', 'z'].map((name) => podOf({ uses: [name] }));
    hold(x!, 'a');
    hold(y!, 'b');
    assert.deepEqual(allowed(z!), []);
    hold(x!, 'a', -1);
    assert.deepEqual(allowed(z!), ['a', 'b']);
    hold(y!, 'b', -1);
  });

  it('a second pod of a claim goes where its volume will be made', () => {
    const { leaveOpen, allowed, hold } = stage([]);
    leaveOpen('shared', 'made');
    const [first, second, third] = [1, 2, 3].map(() => podOf({ uses: ['shared'] }));
    hold(first!, 'b');
    assert.deepEqual(allowed(second!), ['b']);
    hold(second!, 'b');
    hold(first!, 'b', -1);
    assert.deepEqual(allowed(third!), ['b']);
    hold(second!, 'b', -1);
    assert.deepEqual(allowed(third!), ['a', 'b']);
  });
});
