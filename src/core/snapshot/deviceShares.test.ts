import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { fleetOf, node, pod } from '../testing/world.ts';
import type { PodFacts } from './facts.ts';

const resourceName = 'nvidia.com/gpu';

function part(milli: number): PodFacts {
  return pod('anyone', 0, { shape: { requests: { cpu: 1 }, share: { resourceName, milli } } });
}

function worldOf(devices: number) {
  const fleet = fleetOf({ nodes: [node('a', devices)] });
  const snapshot = fleet.snapshot(0);
  const slot = snapshot.slotOf(resourceName);
  const { part: partSlot } = snapshot.requestOf(part(1).shape).share!;
  const state = () => ({
    whole: snapshot.nodes.free(0, slot),
    largest: snapshot.nodes.free(0, partSlot),
    opened: [...snapshot.nodes.opened(0, slot)],
  });
  return { fleet, snapshot, state };
}

describe('parts of devices', () => {
  it('a part goes to the opened device with the least left that holds it, else it opens one', () => {
    const { snapshot, state } = worldOf(3);
    for (const milli of [700, 400, 300, 500]) snapshot.hold(part(milli), 0, 1);
    assert.deepEqual(state(), { whole: 1, largest: 1000, opened: [0, 100] });
  });

  it('whole devices that are taken leave the largest part of the opened ones', () => {
    const { snapshot, state } = worldOf(2);
    snapshot.hold(part(300), 0, 1);
    const whole = pod('anyone', 1);
    snapshot.hold(whole, 0, 1);
    assert.deepEqual(state(), { whole: 0, largest: 700, opened: [700] });
    snapshot.hold(whole, 0, -1);
    assert.equal(state().largest, 1000);
  });

  it('the last part given back closes the device', () => {
    const { snapshot, state } = worldOf(1);
    const [a, b] = [part(500), part(400)];
    snapshot.hold(a, 0, 1);
    snapshot.hold(b, 0, 1);
    snapshot.hold(a, 0, -1);
    assert.deepEqual(state(), { whole: 0, largest: 600, opened: [600] });
    snapshot.hold(b, 0, -1);
    assert.deepEqual(state(), { whole: 1, largest: 1000, opened: [] });
  });

  it('giving back what was just taken restores the state, whatever ended in between', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ milli: fc.integer({ min: 1, max: 999 }), end: fc.nat(20) }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 999 }),
        (steps, milli) => {
          const { snapshot, state } = worldOf(8);
          const running: PodFacts[] = [];
          for (const step of steps) {
            const facts = part(step.milli);
            if (snapshot.nodes.holds(0, snapshot.requestOf(facts.shape), 1)) {
              snapshot.hold(facts, 0, 1);
              running.push(facts);
            }
            const [ended] = running.splice(step.end, 1);
            if (ended !== undefined) snapshot.hold(ended, 0, -1);
          }
          const before = state();
          const tried = part(milli);
          if (snapshot.nodes.holds(0, snapshot.requestOf(tried.shape), 1)) {
            snapshot.hold(tried, 0, 1);
            snapshot.hold(tried, 0, -1);
          }
          assert.deepEqual(state(), before);
          for (const facts of running) snapshot.hold(facts, 0, -1);
          assert.deepEqual(state(), { whole: 8, largest: 1000, opened: [] });
        },
      ),
    );
  });

  it('pods keep their devices when the snapshot is built anew', () => {
    const { fleet } = worldOf(2);
    const pods = [600, 500, 300].map(part);
    for (const facts of pods) fleet.upsertPod(facts);
    fleet.snapshot(0);
    for (const facts of pods) fleet.assume(facts.uid, { nodeName: 'a', since: 0 });
    fleet.removePod(pods[0]!.uid);
    const opened = () => {
      const snapshot = fleet.snapshot(0);
      return [...snapshot.nodes.opened(0, snapshot.slotOf(resourceName))];
    };
    const before = opened();
    assert.deepEqual(before, [700, 500]);
    fleet.rebuild();
    assert.deepEqual(opened(), before);
  });
});
