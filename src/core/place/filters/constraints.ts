import type { Holder, PodFacts, PodShape, Snapshot } from '../../snapshot/index.ts';
import { withoutTaintOf } from '../poolTaint.ts';
import { Domains } from './domains.ts';
import { HostPorts } from './hostPorts.ts';
import { InlineDisks } from './inlineDisks.ts';
import type { Obstacle } from './obstacle.ts';
import { Peers } from './peers.ts';
import { PodAffinity } from './podAffinity.ts';
import { TopologySpread } from './topologySpread.ts';
import { VolumeClaims } from './volumeClaims.ts';

const nobody = {};

/**
 * Everything about a pod's place that depends on other pods or on volumes. It follows what the snapshot holds, tried
 * out or not, so that a pod that is placed changes the answers for the next, and taking it back undoes that exactly.
 */
export class Constraints {
  static readonly #of = new WeakMap<Snapshot, Constraints>();
  readonly #peers: Peers | undefined;
  readonly #ports = new HostPorts();
  readonly #disks = new InlineDisks();
  readonly #claims: VolumeClaims;
  readonly #affinity: PodAffinity;
  readonly #spread: TopologySpread;

  /** The constraints of a snapshot. To be asked for first while nothing is tried out in it. O(pods) the first time. */
  static of(snapshot: Snapshot): Constraints {
    let constraints = Constraints.#of.get(snapshot);
    if (constraints === undefined) Constraints.#of.set(snapshot, (constraints = new Constraints(snapshot)));
    return constraints;
  }

  private constructor(snapshot: Snapshot) {
    const { nodes, storage } = snapshot;
    const peers = new Peers();
    // Where no pod selects others nobody asks, and the count of all pods is spared.
    this.#peers = snapshot.podsSelectPods ? peers : undefined;
    const domains = new Map<string, Domains>();
    const domainsOf = (key: string): Domains => {
      let known = domains.get(key);
      if (known === undefined) domains.set(key, (known = new Domains(nodes, key)));
      return known;
    };
    const namespaceLabels = (name: string) => snapshot.namespaceLabels(name) ?? nobody;
    this.#affinity = new PodAffinity({ peers, domainsOf, namespaceLabels });
    const taintsOf = (node: number) => {
      const pool = snapshot.poolOfProfile(nodes.profileIdOf(node));
      return withoutTaintOf(pool?.spec.name, nodes.facts[node]?.taints ?? []);
    };
    this.#spread = new TopologySpread({ nodes, peers, domainsOf, taintsOf });
    this.#claims = new VolumeClaims(storage, nodes);
    for (const { pod, node } of snapshot.running.pods()) this.#hold(pod, node, 1);
    snapshot.onHold = (holder, node, count) => this.#hold(holder, node, count);
  }

  /** What keeps the pod off the node; undefined = nothing does. */
  obstacle(pod: PodFacts, node: number): Obstacle | undefined {
    return (
      this.#affinity.obstacle(pod, node) ??
      (isConstrained(pod.shape)
        ? (this.#ports.obstacle(pod, node) ??
          this.#disks.obstacle(pod, node) ??
          this.#spread.obstacle(pod, node) ??
          this.#claims.obstacle(pod, node))
        : undefined)
    );
  }

  /** Whether {@link obstacle} may find one for one of the pods, which share a shape, on some node. */
  concernAny(pods: readonly PodFacts[]): boolean {
    const [first] = pods;
    if (first === undefined) return false;
    return isConstrained(first.shape) || (this.#affinity.repels && pods.some((pod) => this.#affinity.isRepelled(pod)));
  }

  #hold(holder: Holder, node: number, count: number): void {
    this.#peers?.hold(holder, node, count);
    if (!isConstrained(holder.shape)) return;
    this.#affinity.hold(holder, node, count);
    this.#ports.hold(holder, node, count);
    this.#disks.hold(holder, node, count);
    this.#claims.hold(holder, node, count);
  }
}

/** Whether placing a pod of the shape may change where others of it can go. */
export function isConstrained(shape: PodShape): boolean {
  return shape.constraints !== undefined;
}
