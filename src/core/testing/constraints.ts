import type { AffinityTerm, Labels, NodeFacts, PodConstraints, PodFacts, Selector } from '../snapshot/index.ts';
import { fleetOf, node, pod } from './world.ts';
import { Feasibility } from '../place/index.ts';

const none: PodConstraints = { hostPorts: [], disks: [], affinity: [], antiAffinity: [], spread: [], claims: false };

/** What a pod of a test may differ in. */
export interface PodParts extends Partial<PodConstraints> {
  readonly labels?: Labels;
  readonly namespace?: string;
  /** Names of claims. */
  readonly uses?: readonly string[];
  readonly on?: string;
  readonly more?: Partial<Omit<PodFacts, 'shape'>>;
}

/** A pod of namespace `lab` that asks for one device. */
export function podOf({ labels = {}, namespace = 'lab', uses = [], on, more, ...constraints }: PodParts): PodFacts {
  const own = { ...none, ...constraints, claims: uses.length > 0 };
  const some = own.claims || Object.values(constraints).some((list) => Array.isArray(list) && list.length > 0);
  return pod(namespace, 1, {
    labels,
    claims: uses.map((name) => ({ name, ephemeral: false })),
    ...(on === undefined ? {} : { nodeName: on, phase: 'Running' as const }),
    ...more,
    shape: { constraints: some ? own : undefined },
  });
}

/** A node of these labels beside its host name. */
export function nodeOf(name: string, labels: Labels = {}, more: Partial<NodeFacts> = {}): NodeFacts {
  return node(name, 8, {
    labels: { 'nvidia.com/gpu.product': 'h200', 'kubernetes.io/hostname': name, ...labels },
    ...more,
  });
}

/** A selector of one label. */
export const selecting = (key: string, value: string): Selector => [{ key, operator: 'In', values: [value] }];

/** A term about pods of namespace `lab`, unless it says otherwise. */
export function termOf(
  topologyKey: string,
  selector: Selector | undefined,
  more: Partial<AffinityTerm> = {},
): AffinityTerm {
  return { topologyKey, selector, namespaces: [], namespaceSelector: undefined, ...more };
}

/** Nodes with pods on them, and what they allow. */
export function stageOf(nodes: readonly NodeFacts[], pods: readonly PodFacts[]) {
  const namespaces = [
    { name: 'lab', labels: { team: 'red' } },
    { name: 'other', labels: { team: 'blue' } },
  ];
  const fleet = fleetOf({ nodes, pods, namespaces });
  const snapshot = fleet.snapshot(0);
  const feasibility = new Feasibility(snapshot);
  const idOf = (name: string): number => snapshot.nodes.idOf(name) ?? -1;
  return {
    fleet,
    snapshot,
    feasibility,
    /** Names of the nodes that other pods and volumes allow the pod. */
    allowed: (asked: PodFacts): readonly string[] =>
      nodes.map(({ name }) => name).filter((name) => feasibility.allows(asked, idOf(name))),
    hold: (held: PodFacts, name: string, count = 1): void => snapshot.hold(held, idOf(name), count),
  };
}
