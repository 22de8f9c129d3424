import type { NodeFacts, Taint } from './facts.ts';

/**
 * Devices of one resource that a node counts for capacity, and a pod for quota, at the most. A node that reports more
 * has a faulty device plugin, and must not carry the pool's sums past what integers hold.
 */
export const mostDevices = 100_000;

/**
 * Nodes that nothing but their name, place and free amounts tells apart: same values of all labels that anyone asks
 * for, same taints, same cordon and readiness. Whether a shape may run, and which classes the devices belong to, is
 * decided once per profile instead of once per node.
 */
export interface NodeProfile {
  readonly id: number;
  /** Values of the relevant labels only. */
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly cordoned: boolean;
  readonly ready: boolean;
  readonly nodeCount: number;
  /** Sum of allocatable amounts over the profile's nodes, by resource name; {@link mostDevices} a node at the most. */
  readonly allocatable: ReadonlyMap<string, number>;
  /** Largest allocatable amount of one node, by resource name. */
  readonly largest: ReadonlyMap<string, number>;
}

/** The profiles of some nodes, numbered as they are met, and the profile id of each node. O(nodes x labels). */
export function profileNodes(
  nodes: readonly NodeFacts[],
  relevantLabels: ReadonlySet<string>,
): { readonly profiles: readonly NodeProfile[]; readonly profileOf: Int32Array } {
  const bySignature = new Map<string, Draft>();
  const profiles: Draft[] = [];
  const profileOf = new Int32Array(nodes.length);
  const keys = [...relevantLabels].sort();
  nodes.forEach((node, i) => {
    const signature = signatureOf(node, keys);
    let draft = bySignature.get(signature);
    if (draft === undefined) {
      draft = draftOf(node, keys, profiles.length);
      bySignature.set(signature, draft);
      profiles.push(draft);
    }
    profileOf[i] = draft.id;
    draft.nodeCount++;
    for (const resource in node.allocatable) {
      const amount = Math.min(node.allocatable[resource] ?? 0, mostDevices);
      draft.allocatable.set(resource, (draft.allocatable.get(resource) ?? 0) + amount);
      draft.largest.set(resource, Math.max(draft.largest.get(resource) ?? 0, amount));
    }
  });
  return { profiles, profileOf };
}

interface Draft extends NodeProfile {
  nodeCount: number;
  readonly allocatable: Map<string, number>;
  readonly largest: Map<string, number>;
}

function draftOf(node: NodeFacts, keys: readonly string[], id: number): Draft {
  const labels: Record<string, string> = {};
  for (const key of keys) {
    const value = node.labels[key];
    if (value !== undefined) labels[key] = value;
  }
  return {
    id,
    labels,
    taints: decisiveTaints(node),
    cordoned: node.cordoned,
    ready: node.ready,
    nodeCount: 0,
    allocatable: new Map(),
    largest: new Map(),
  };
}

/** Equal for nodes of one profile only: label values hold no control characters, and a missing one is no empty one. */
function signatureOf(node: NodeFacts, keys: readonly string[]): string {
  let signature = `${node.cordoned ? 'c' : ''}${node.ready ? 'r' : ''}`;
  for (const key of keys) {
    const value = node.labels[key];
    signature += value === undefined ? '\n-' : `\n=${value}`;
  }
  return node.taints.length === 0 ? signature : `${signature}\n${JSON.stringify(decisiveTaints(node))}`;
}

/** A preference keeps a pod off no node. */
function decisiveTaints(node: NodeFacts): readonly Taint[] {
  return node.taints.filter((taint) => taint.effect !== 'PreferNoSchedule');
}
