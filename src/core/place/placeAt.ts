import type { Snapshot } from '../snapshot/index.ts';
import type { Feasibility } from './feasibility.ts';
import { release, type PlacedPod } from './rolePlacing.ts';

/**
 * Places pods on nodes that were chosen before, all of them or none, where they still may run and fit. What is placed
 * is held in the snapshot. O(pods).
 */
export function placeAt(snapshot: Snapshot, feasibility: Feasibility, chosen: readonly PlacedPod[]): boolean {
  const placed: PlacedPod[] = [];
  for (const one of chosen) {
    if (!mayRun(snapshot, feasibility, one)) {
      release(snapshot, placed);
      return false;
    }
    snapshot.hold(one.pod, one.node, 1);
    placed.push(one);
  }
  return true;
}

function mayRun(snapshot: Snapshot, feasibility: Feasibility, { pod, node }: PlacedPod): boolean {
  const { nodes, power } = snapshot;
  const profile = nodes.profileOf(node);
  return (
    nodes.copiesThatFit(node, snapshot.requestOf(pod.shape)) > 0 &&
    feasibility.profilesOf(pod.shape).includes(profile) &&
    feasibility.accepts(pod.shape, node) &&
    feasibility.allows(pod, node) &&
    power.copiesAt(profile.id, snapshot.acceleratorsOf(pod.shape)) > 0
  );
}
