import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { acceleratorClass, fleetOf, node, pod, pool, quota } from '../testing/world.ts';

const inZone = (zone: string) => [{ key: 'zone', operator: 'In' as const, values: [zone] }];
const at = (name: string, zone: string) => {
  const facts = node(name);
  return { ...facts, labels: { ...facts.labels, zone } };
};

/** Two sites of 10 and 20 kW within one of 24 kW; a device draws 1 kW. */
function world() {
  const spec = pool({
    classes: [acceleratorClass('h200', 1, { powerWatts: 1000 })],
    sites: [
      { name: 'small', nodeSelector: inZone('z1'), powerLimitWatts: 10_000 },
      { name: 'large', nodeSelector: inZone('z2'), powerLimitWatts: 20_000 },
      { name: 'campus', nodeSelector: [], powerLimitWatts: 24_000 },
      { name: 'unlimited', nodeSelector: [], powerLimitWatts: undefined },
    ],
  });
  const nodes = [at('a', 'z1'), at('b', 'z1'), at('c', 'z2'), at('d', 'z2')];
  const snapshot = fleetOf({ nodes, pools: [spec], quotas: [quota('q', 0)] }).snapshot(0);
  const profileOf = (name: string) => snapshot.nodes.profileIdOf(snapshot.nodes.idOf(name)!);
  const hold = (name: string, count: number) => snapshot.hold(pod('q', 8), snapshot.nodes.idOf(name)!, count);
  return { snapshot, profileOf, hold, one: snapshot.acceleratorsOf(pod('q', 1).shape) };
}

describe('site power', () => {
  it('held devices draw from every site that their node lies in', () => {
    const { snapshot, profileOf, hold, one } = world();
    hold('a', 1);
    assert.equal(snapshot.power.copiesAt(profileOf('a'), one), 2);
    assert.equal(snapshot.power.copiesAt(profileOf('c'), one), 16);
    hold('a', -1);
    assert.equal(snapshot.power.copiesAt(profileOf('a'), one), 10);
    assert.equal(snapshot.power.copiesAt(profileOf('c'), one), 20);
  });

  it('says which sites lack power, their limits and what is drawn', () => {
    const { snapshot, hold, one } = world();
    const profiles = snapshot.nodes.profiles.map(({ id }) => id);
    assert.deepEqual(snapshot.power.shortages(profiles, one), []);
    hold('c', 1);
    hold('d', 1);
    hold('a', 1);
    const campus = { site: 'campus', limitWatts: 24_000, inUseWatts: 24_000 };
    assert.deepEqual(snapshot.power.shortages(profiles, one), [campus]);
    assert.equal(snapshot.power.copiesWithin(snapshot.nodes.profiles, one), 0);
  });

  it('a site that is over its limit takes nothing more', () => {
    const { snapshot, profileOf, hold, one } = world();
    hold('a', 1);
    hold('b', 1);
    assert.equal(snapshot.power.copiesAt(profileOf('a'), one), 0);
  });

  it('pods without devices draw nothing', () => {
    const { snapshot, profileOf } = world();
    assert.equal(snapshot.power.copiesAt(profileOf('a'), []), Infinity);
    assert.equal(snapshot.power.limits(profileOf('a'), []), false);
  });
});
