import { foreignKeys } from '../../api/v1alpha1/constants/index.ts';
import {
  matchesNode,
  untoleratedTaint,
  type NodeProfile,
  type PodFacts,
  type PodShape,
  type Snapshot,
  type Taint,
} from '../snapshot/index.ts';
import { withoutTaintOf } from './poolTaint.ts';
import type { PlacementRole } from './request.ts';
import { Constraints, explainObstacles, isConstrained } from './filters/index.ts';

/** Taints that Kubernetes keeps on such nodes; taken for granted even before its controllers have set them. */
const cordonTaint: Taint = { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' };
const notReadyTaint: Taint = { key: 'node.kubernetes.io/not-ready', value: '', effect: 'NoSchedule' };

/**
 * Which nodes a pod may run on, free amounts aside. Answers hold for one snapshot.
 *
 * What depends on the node alone (node selector and affinity, taints, cordon, readiness) is worked out once for each
 * (shape, profile); a shape that selects nodes by name or host name is looked at node by node as well. What depends on
 * other pods and on volumes is asked for each pod with {@link allows}, and follows what the snapshot holds: the first
 * Feasibility of a snapshot is to be made while nothing is tried out in it.
 */
export class Feasibility {
  readonly #snapshot: Snapshot;
  readonly #constraints: Constraints;
  readonly #profiles = new Map<PodShape, readonly NodeProfile[]>();
  readonly #byName = new Map<PodShape, boolean>();

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
    this.#constraints = Constraints.of(snapshot);
  }

  /** The profiles whose nodes the shape may run on; for a shape that names nodes, those that might hold them. */
  profilesOf(shape: PodShape): readonly NodeProfile[] {
    let profiles = this.#profiles.get(shape);
    if (profiles === undefined) {
      profiles = this.#snapshot.nodes.profiles.filter((profile) => this.#accepts(profile, shape));
      this.#profiles.set(shape, profiles);
    }
    return profiles;
  }

  /** Whether the shape may run on this node of an accepted profile, other pods and volumes aside. */
  accepts(shape: PodShape, node: number): boolean {
    if (!this.namesNodes(shape)) return true;
    const facts = this.#snapshot.nodes.facts[node];
    return facts !== undefined && matchesNode(shape, facts.labels, facts.name);
  }

  /** Whether other pods and volumes let the pod, which the fleet knows, onto the node as things are held now. */
  allows(pod: PodFacts, node: number): boolean {
    return this.#constraints.obstacle(pod, node) === undefined;
  }

  /** Whether {@link allows} may say no to one of the pods for some node. O(1) where no pod keeps others away. */
  watchesAny(pods: readonly PodFacts[]): boolean {
    return this.#constraints.concernAny(pods);
  }

  /** Whether placing a pod of the shape may change what {@link allows} says of the next: they go one at a time. */
  isDynamic(shape: PodShape): boolean {
    return isConstrained(shape);
  }

  /**
   * Which constraints on other pods and on volumes stand in the way of a role's first pod on the nodes that have room
   * for it, as a part of a sentence; undefined = none does. O(nodes) where there are some.
   */
  explain({ pods, profiles }: PlacementRole): string | undefined {
    const [pod] = pods;
    if (pod === undefined || !this.watchesAny(pods)) return undefined;
    const allowed = new Set(profiles.map(({ id }) => id));
    const { nodes } = this.#snapshot;
    const request = this.#snapshot.requestOf(pod.shape);
    const usable: number[] = [];
    for (let node = 0; node < nodes.count; node++) {
      if (!allowed.has(nodes.profileIdOf(node)) || !this.accepts(pod.shape, node)) continue;
      if (nodes.copiesThatFit(node, request) > 0) usable.push(node);
    }
    return explainObstacles(this.#constraints, pod, usable);
  }

  #accepts(profile: NodeProfile, shape: PodShape): boolean {
    if (!this.namesNodes(shape) && !matchesNode(shape, profile.labels, '')) return false;
    const ownPool = this.#snapshot.poolOfProfile(profile.id)?.spec.name;
    const taints = withoutTaintOf(ownPool, profile.taints);
    if (profile.cordoned) taints.push(cordonTaint);
    if (!profile.ready) taints.push(notReadyTaint);
    return untoleratedTaint(taints, shape.tolerations) === undefined;
  }

  /** Whether the shape asks for nodes by name or host name, so that nodes of one profile differ to it. */
  namesNodes(shape: PodShape): boolean {
    let names = this.#byName.get(shape);
    if (names === undefined) {
      const terms = shape.nodeTerms ?? [];
      const requirements = [...shape.nodeSelector, ...terms.flatMap((term) => term.labels)];
      names =
        terms.some((term) => term.names.length > 0) || requirements.some((r) => r.key === foreignKeys.hostname.key);
      this.#byName.set(shape, names);
    }
    return names;
  }
}
