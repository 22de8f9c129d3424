import { Feasibility, placeAll, release } from '../../src/core/place/index.ts';
import type { PodShape, Snapshot } from '../../src/core/snapshot/index.ts';
import { acceleratorClass, fleetOf, node, pod as podFacts, podShape, pool } from '../../src/core/testing/world.ts';
import type { OpenbPod } from '../../src/sim/traces/index.ts';
import type { Packer, PackingInput } from './policies.ts';

const gpuResource = 'nvidia.com/gpu';
const productLabel = 'nvidia.com/gpu.product';
const bytesPerMib = 2 ** 20;

/**
 * Moa's own core: a fleet that hears of each pod as it arrives, and the placer that the planner calls. Each GPU model is
 * a class of weight 1. It is not told of the trace: what is typical it learns from the arrivals.
 */
export function moaPacker({ nodes }: PackingInput): Packer {
  const models = [...new Set(nodes.map(({ model }) => model))];
  const fleet = fleetOf({
    pools: [pool({ classes: models.map((model) => acceleratorClass(model)) })],
    nodes: nodes.map(({ name, model, cpuMilli, memoryMib, gpus }) =>
      node(name, gpus, {
        product: model,
        allocatable: { cpu: cpuMilli, memory: memoryMib * bytesPerMib, [gpuResource]: gpus },
      }),
    ),
  });
  const shapes = new Map<string, PodShape>();
  let place: { readonly snapshot: Snapshot; readonly feasibility: Feasibility } | undefined;
  return {
    place(asked) {
      const key = JSON.stringify(asked);
      let shape = shapes.get(key);
      if (shape === undefined) shapes.set(key, (shape = shapeOf(asked)));
      const facts = podFacts('anyone', 0, { shape });
      fleet.upsertPod(facts);
      const snapshot = fleet.snapshot(0);
      if (place?.snapshot !== snapshot) place = { snapshot, feasibility: new Feasibility(snapshot) };
      const { feasibility } = place;
      const placed = placeAll(snapshot, feasibility, {
        roles: [{ pods: [facts], profiles: feasibility.profilesOf(shape) }],
        strategy: 'Pack',
        within: undefined,
        breadth: Infinity,
      });
      if (placed === undefined) {
        fleet.removePod(facts.uid);
        return false;
      }
      release(snapshot, placed);
      fleet.assume(facts.uid, { nodeName: snapshot.nodes.names[placed[0]!.node]!, since: 0 });
      return true;
    },
  };
}

function shapeOf({ cpuMilli, memoryMib, gpus, gpuMilli, models }: OpenbPod): PodShape {
  const whole = gpus > 0 && gpuMilli === 1000 ? { [gpuResource]: gpus } : {};
  return podShape(0, {
    requests: { cpu: cpuMilli, memory: memoryMib * bytesPerMib, ...whole },
    ...(gpuMilli > 0 && gpuMilli < 1000 ? { share: { resourceName: gpuResource, milli: gpuMilli } } : {}),
    nodeSelector: models.length === 0 ? [] : [{ key: productLabel, operator: 'In', values: models }],
  });
}
