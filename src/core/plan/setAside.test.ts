import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { BudgetSpec, MilliGpuHours } from '../budget/index.ts';
import type { Fleet, PodFacts } from '../snapshot/index.ts';
import { fleetOf, gpus, node, pod, quota } from '../testing/world.ts';
import { micros } from '../units/index.ts';
import { plan, type Plan } from './plan.ts';
import { SetAside } from './setAside.ts';

const hour = 3_600_000;
const minute = 60_000;
const unlimited = { maxPods: Infinity };

/** From the tenth minute to the twentieth. */
const shortBudget: BudgetSpec = {
  base: 1_000_000 as MilliGpuHours,
  period: { start: 10 * minute, end: 20 * minute },
  carryoverFraction: micros(0),
  graceFraction: micros(0),
  adjustments: [],
};
const quotas = [
  quota('calm', 4),
  quota('timed', 4, { budget: shortBudget }),
  quota('child', 0, { parentName: 'timed', borrowingLimit: gpus(2) }),
];
const namespaces = [...quotas.map(({ name }) => name), 'nobody'];

/** One way to wait, most of them for ever. */
const kinds: readonly ((namespace: string, name: string) => PodFacts)[] = [
  (namespace, name) => pod(namespace, 1, { name, walltime: hour }),
  (namespace, name) => pod(namespace, 3, { name, walltime: hour }),
  (namespace, name) => pod(namespace, 99, { name }),
  (namespace, name) => pod(namespace, 1, { name, problem: 'annotation moa.dev/walltime is no duration' }),
  (namespace, name) => pod(namespace, 1, { name, classes: ['b200'] }),
  (namespace, name) => pod(namespace, 1, { name, gangOf: [`${namespace}-gang`, 3] }),
  (namespace, name) => pod(namespace, 0, { name, walltime: hour }),
];

/** Something that happens, and a while after which a plan is made. */
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('arrive' as const), kind: fc.nat(), where: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('go' as const), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('cordon' as const), which: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const) }) },
  ),
  { minLength: 5, maxLength: 40, size: 'max' },
);

/** What a plan says, whatever the order in which it says it. */
function saying({ admit, waiting, again }: Plan) {
  return {
    admit: admit.map(({ workload, pods }) => [workload.key, ...pods.map(({ nodeName }) => nodeName)].join(' ')),
    waiting: waiting
      .flatMap(({ reason, message, owed, workloads }) =>
        workloads.map(({ key }) => `${key} ${reason} ${String(owed)} ${message}`),
      )
      .sort(),
    again,
  };
}

describe('what is set aside', () => {
  it('changes nothing of what a plan says, whatever comes, goes and ends meanwhile', () => {
    let told = 0;
    fc.assert(
      fc.property(steps, (history) => {
        const nodes = [node('n0', 4), node('n1', 4)];
        const make = (): Fleet =>
          fleetOf({
            quotas,
            nodes,
            namespaces: namespaces.map((name) => ({ name, labels: { 'moa.dev/institution': name } })),
          });
        const [lasting, fresh] = [make(), make()];
        const here: PodFacts[] = [];
        history.forEach((step, i) => {
          const both = (act: (fleet: Fleet) => void) => [lasting, fresh].forEach(act);
          if (step.do === 'arrive') {
            const namespace = namespaces[step.where % namespaces.length]!;
            const one = kinds[step.kind % kinds.length]!(namespace, `pod-${i}`);
            here.push(one);
            both((fleet) => fleet.upsertPod(one));
          } else if (step.do === 'go' && here.length > 0) {
            const [gone] = here.splice(step.which % here.length, 1);
            both((fleet) => fleet.removePod(gone!.uid));
          } else if (step.do === 'cordon') {
            const facts = nodes[step.which % 2]!;
            both((fleet) => fleet.upsertNode({ ...facts, cordoned: step.which % 4 < 2 }));
          }
          const now = i * minute;
          fresh.rebuild();
          const [kept, anew] = [lasting, fresh].map((fleet) => plan(fleet.snapshot(now), now, unlimited));
          assert.deepEqual(saying(kept!), saying(anew!));
          told += kept!.waiting.length;
          for (const { pods } of kept!.admit)
            for (const { pod: started, nodeName } of pods)
              both((fleet) => fleet.upsertPod({ ...started, nodeName, phase: 'Running', boundAt: now }));
        });
      }),
      { numRuns: 150 },
    );
    assert.ok(told > 1000, `${told} waited`);
  });

  it('a class that nothing can start is not looked at again until it changes', () => {
    const fleet = fleetOf({ quotas, nodes: [node('n0')] });
    const never = Array.from({ length: 20 }, (_, i) => pod('calm', 50 + i));
    for (const one of never) fleet.upsertPod(one);
    const awake = () => [...fleet.snapshot(0).pending.awake()].length;
    assert.equal(awake(), 20);
    assert.equal(plan(fleet.snapshot(0), 0, unlimited).waiting.length, 20);
    assert.equal(awake(), 0);
    assert.equal(plan(fleet.snapshot(0), 0, unlimited).waiting.length, 20, 'and is told so all the same');
    fleet.upsertPod({ ...never[0]!, priority: 7 });
    assert.equal(awake(), 1);
    fleet.removePod(never[1]!.uid);
    assert.equal(plan(fleet.snapshot(0), 0, unlimited).waiting.length, 19);
    assert.equal(SetAside.of(fleet.snapshot(0)).waiting.length, 19);
  });
});
