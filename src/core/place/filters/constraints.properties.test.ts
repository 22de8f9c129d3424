import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { AffinityTerm, PodFacts, SpreadConstraint } from '../../snapshot/index.ts';
import { plan } from '../../plan/index.ts';
import { fleetOf, quota } from '../../testing/world.ts';
import { nodeOf, podOf, selecting, stageOf } from '../../testing/constraints.ts';

const zones = ['a', 'a', 'b', undefined, 'b'];
const nodes = zones.map((zone, i) => nodeOf(`n${i}`, zone === undefined ? {} : { zone }));
const key = fc.constantFrom('zone', 'kubernetes.io/hostname');
const app = fc.constantFrom('x', 'y');
const term = fc.record({
  topologyKey: key,
  selector: app.map((name) => selecting('app', name)),
  namespaces: fc.constantFrom<readonly string[]>([], ['lab', 'other']),
  namespaceSelector: fc.constant(undefined),
});
const terms = fc.array<AffinityTerm>(term, { maxLength: 1 });
const spread = fc.record<SpreadConstraint>({
  topologyKey: key,
  maxSkew: fc.constantFrom(1, 2),
  minDomains: fc.constantFrom(1, 3),
  selector: app.map((name) => selecting('app', name)),
  honorsAffinity: fc.boolean(),
  honorsTaints: fc.boolean(),
});
const pod: fc.Arbitrary<PodFacts> = fc
  .record({
    labels: app.map((name) => ({ app: name })),
    namespace: fc.constantFrom('lab', 'other'),
    affinity: terms,
    antiAffinity: terms,
    spread: fc.array(spread, { maxLength: 1 }),
    hostPorts: fc.array(
      fc.record({ ip: fc.constantFrom('0.0.0.0', '10.0.0.1'), protocol: fc.constant('TCP'), port: fc.constant(80) }),
      { maxLength: 1 },
    ),
    going: fc.boolean(),
  })
  .map(({ going, ...parts }) => podOf({ ...parts, more: { deletionAt: going ? 1 : undefined } }));
const node = fc.nat(nodes.length - 1);
/** Counts labels from the start. */
const selector = podOf({
  antiAffinity: [{ topologyKey: 'zone', selector: undefined, namespaces: [], namespaceSelector: undefined }],
});

describe('constraints while pods come and go', () => {
  it('give the same answers as a state that is built from what is there', () => {
    const moves = fc.array(fc.record({ pod, node, stays: fc.boolean() }), { maxLength: 12 });
    fc.assert(
      fc.property(moves, fc.array(pod, { minLength: 1, maxLength: 3 }), (tried, asked) => {
        const lived = stageOf(nodes, [selector]);
        // Someone asks early: what is counted from then on must be what would be counted later.
        for (const one of asked) lived.allowed(one);
        for (const { pod: held, node: at } of tried) lived.hold(held, `n${at}`);
        for (const { pod: held, node: at, stays } of tried.toReversed()) if (!stays) lived.hold(held, `n${at}`, -1);
        const staying = tried.filter(({ stays }) => stays);
        const built = stageOf(nodes, [
          selector,
          ...staying.map(({ pod: held, node: at }): PodFacts => ({ ...held, nodeName: `n${at}`, phase: 'Running' })),
        ]);
        for (const one of asked) assert.deepEqual(lived.allowed(one), built.allowed(one));
      }),
      { numRuns: 300 },
    );
  });
});

describe('a plan', () => {
  const waiting = fc.array(fc.record({ pod, gang: fc.constantFrom(undefined, 'g', 'h') }), { maxLength: 14 });

  it('puts no two pods together that keep apart or take one port, in whatever order they came', () => {
    let together = 0;
    fc.assert(
      fc.property(waiting, fc.array(fc.record({ pod, node }), { maxLength: 3 }), (asked, running) => {
        const gangs = Map.groupBy(asked, ({ gang }) => gang);
        const pods = asked.map(({ pod: one, gang }): PodFacts => {
          const size = gangs.get(gang)?.length;
          const claim = { kind: 'label' as const, name: gang ?? '', size };
          return { ...one, namespace: 'lab', deletionAt: undefined, gang: gang === undefined ? undefined : claim };
        });
        const settled = running.map(({ pod: one, node: at }): PodFacts => ({
          ...one,
          nodeName: `n${at}`,
          phase: 'Running',
        }));
        const fleet = fleetOf({ nodes, quotas: [quota('lab', 40)], pods: [...pods, ...settled] });
        const placed = plan(fleet.snapshot(0), 0, { maxPods: 100 }).admit.flatMap((admission) => admission.pods);
        const held = [...placed, ...settled.map((one) => ({ pod: one, nodeName: one.nodeName ?? '' }))];
        for (const one of placed)
          for (const other of held) {
            if (one.pod === other.pod) continue;
            together += 1;
            assert.ok(!keepsAway(one, other) && !keepsAway(other, one), 'anti-affinity');
            if (one.nodeName === other.nodeName) assert.ok(!sharesPort(one.pod, other.pod), 'port');
          }
      }),
      { numRuns: 300 },
    );
    assert.ok(together > 1000, `${together} pairs`);
  });

  interface Placed {
    readonly pod: PodFacts;
    readonly nodeName: string;
  }

  /** As the text of the field says it, worked out for one pair. */
  function keepsAway(one: Placed, other: Placed): boolean {
    return (one.pod.shape.constraints?.antiAffinity ?? []).some(({ topologyKey, selector, namespaces }) => {
      const labelOf = (name: string) => nodes.find((facts) => facts.name === name)?.labels[topologyKey];
      const domain = labelOf(one.nodeName);
      if (domain === undefined || domain !== labelOf(other.nodeName)) return false;
      const inNamespace = namespaces.length === 0 ? other.pod.namespace === one.pod.namespace : true;
      return inNamespace && selector?.[0]?.values[0] === other.pod.labels['app'];
    });
  }

  function sharesPort(one: PodFacts, other: PodFacts): boolean {
    const [a, b] = [one, other].map(({ shape }) => shape.constraints?.hostPorts[0]?.ip);
    return a !== undefined && b !== undefined && (a === b || a === '0.0.0.0' || b === '0.0.0.0');
  }
});
