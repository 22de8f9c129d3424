import type { NodeFacts, PodFacts } from '../../src/core/snapshot/index.ts';
import type { PodMaker } from './manifests.ts';
import { randomFrom } from './random.ts';

/** Sizes of pods that fill a node of eight: with as many nodes of each, 6,250 nodes hold 20,000 pods. */
const fillings = [
  [4, 4],
  [4, 4],
  [4, 2, 2],
  [4, 2, 1, 1],
  [2, 2, 2, 1, 1],
] as const;

/** What runs in a pool. */
export interface RunningWish {
  /** Namespaces that the pods belong to. */
  readonly names: readonly string[];
  /** When a pod started, epoch milliseconds, from a random whole number. */
  readonly startedAt: (random: number) => number;
  readonly walltime: (random: number) => string;
}

/** Running pods of one, two and four GPUs that fill all nodes, in no order. */
export function runningPods(nodes: readonly NodeFacts[], wish: RunningWish, maker: PodMaker): readonly PodFacts[] {
  const random = randomFrom(3);
  return shuffled(nodes, random).flatMap((node, i) =>
    fillings[i % fillings.length]!.map((devices) =>
      maker.make({
        quota: wish.names[random() % wish.names.length]!,
        devices,
        createdAt: wish.startedAt(random()),
        walltime: wish.walltime(random()),
        nodeName: node.name,
      }),
    ),
  );
}

/** What a gang asks for: `size` pods of `devices` each. */
export interface GangWish {
  readonly quota: string;
  readonly name: string;
  readonly size: number;
  readonly devices: number;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** Node label one domain of which must hold all of it. */
  readonly within?: string;
}

export function gangOf(maker: PodMaker, wish: GangWish): readonly PodFacts[] {
  const { name, size, ...rest } = wish;
  return Array.from({ length: size }, () => maker.make({ ...rest, walltime: '24h', gang: { name, size } }));
}

/** Fisher and Yates. */
function shuffled<T>(values: readonly T[], random: () => number): readonly T[] {
  const mixed = [...values];
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = random() % (i + 1);
    [mixed[i], mixed[j]] = [mixed[j]!, mixed[i]!];
  }
  return mixed;
}
