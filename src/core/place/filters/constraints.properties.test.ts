import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { AffinityTerm, PodFacts, SpreadConstraint } from '../../snapshot/index.ts';
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
