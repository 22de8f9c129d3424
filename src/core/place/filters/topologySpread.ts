import { at } from '../../ds/index.ts';
import {
  matches,
  matchesNode,
  untoleratedTaint,
  type NodeFacts,
  type NodeTable,
  type PodFacts,
  type PodShape,
  type SpreadConstraint,
  type Taint,
} from '../../snapshot/index.ts';
import type { Domains } from './domains.ts';
import type { Obstacle } from './obstacle.ts';
import type { Peer, Peers, Watch } from './peers.ts';

/** What topology spread needs of the snapshot. */
export interface SpreadContext {
  readonly nodes: NodeTable;
  readonly peers: Peers;
  readonly domainsOf: (topologyKey: string) => Domains;
  /** The node's taints as our pods meet them. */
  readonly taintsOf: (node: number) => readonly Taint[];
}

/**
 * Topology spread with `DoNotSchedule`, as the plugin PodTopologySpread of kube-scheduler.
 *
 * | operation | cost |
 * |---|---|
 * | obstacle | O(constraints); for the first pod of a shape and namespace O(nodes x constraints) |
 */
export class TopologySpread {
  readonly #context: SpreadContext;
  readonly #states = new Map<PodShape, Map<string, readonly Spread[]>>();
  #made = 0;

  constructor(context: SpreadContext) {
    this.#context = context;
  }

  obstacle(pod: PodFacts, node: number): Obstacle | undefined {
    if ((pod.shape.constraints?.spread.length ?? 0) === 0) return undefined;
    for (const spread of this.#stateOf(pod)) if (!spread.allows(pod, node)) return spread.obstacle;
    return undefined;
  }

  #stateOf({ shape, namespace }: PodFacts): readonly Spread[] {
    let byNamespace = this.#states.get(shape);
    if (byNamespace === undefined) this.#states.set(shape, (byNamespace = new Map<string, readonly Spread[]>()));
    let state = byNamespace.get(namespace);
    if (state === undefined) byNamespace.set(namespace, (state = this.#make(shape, namespace)));
    return state;
  }

  #make(shape: PodShape, namespace: string): readonly Spread[] {
    const { nodes, peers, domainsOf, taintsOf } = this.#context;
    const constraints = shape.constraints?.spread ?? [];
    const all = constraints.map(({ topologyKey }) => domainsOf(topologyKey));
    return constraints.map((constraint, i) => {
      // A node without one of the labels takes no part in any of the constraints.
      const counts = (facts: NodeFacts, node: number): boolean =>
        all.every((domains) => domains.of(node) >= 0) &&
        (!constraint.honorsAffinity || matchesNode(shape, facts.labels, facts.name)) &&
        (!constraint.honorsTaints || untoleratedTaint(taintsOf(node), shape.tolerations) === undefined);
      const domains = all[i] ?? domainsOf(constraint.topologyKey);
      const included = Uint8Array.from(nodes.facts, (facts, node) => (counts(facts, node) ? 1 : 0));
      return peers.watch(`spread ${++this.#made}`, () => new Spread({ constraint, namespace, domains, included }));
    });
  }
}

/** One constraint of the pods of one shape and namespace: how many matching pods each domain has. */
class Spread implements Watch {
  readonly obstacle: Obstacle;
  readonly #constraint: SpreadConstraint;
  readonly #namespace: string;
  readonly #domains: Domains;
  readonly #included: Uint8Array;
  /** Number of domains that have a node which counts. */
  readonly #eligible: number;
  readonly #counts: Int32Array;
  /** How many eligible domains have this many pods. */
  readonly #histogram: number[];
  #least = 0;

  constructor(parts: {
    readonly constraint: SpreadConstraint;
    readonly namespace: string;
    readonly domains: Domains;
    readonly included: Uint8Array;
  }) {
    this.#constraint = parts.constraint;
    this.#namespace = parts.namespace;
    this.#domains = parts.domains;
    this.#included = parts.included;
    this.#counts = new Int32Array(parts.domains.count);
    const eligible = new Set<number>();
    parts.included.forEach((counts, node) => {
      if (counts !== 0) eligible.add(parts.domains.of(node));
    });
    this.#eligible = eligible.size;
    this.#histogram = [eligible.size];
    const { topologyKey, maxSkew } = parts.constraint;
    this.obstacle = { text: `topology spread by ${topologyKey} with a skew of at most ${maxSkew}` };
  }

  /** Pods that are being deleted do not count, and a selector that matches everything counts none: as Kubernetes has it. */
  matches({ namespace, labels, terminating }: Peer): boolean {
    const { selector } = this.#constraint;
    if (terminating || namespace !== this.#namespace || selector === undefined) return false;
    return selector.length > 0 && matches(selector, labels);
  }

  add(node: number, count: number): void {
    if (this.#included[node] === 0) return;
    const domain = this.#domains.of(node);
    const before = at(this.#counts, domain);
    const after = before + count;
    this.#counts[domain] = after;
    this.#histogram[before] = (this.#histogram[before] ?? 0) - 1;
    this.#histogram[after] = (this.#histogram[after] ?? 0) + 1;
    if (after < this.#least) this.#least = after;
    while ((this.#histogram[this.#least] ?? 0) === 0) this.#least++;
  }

  allows({ labels }: PodFacts, node: number): boolean {
    const domain = this.#domains.of(node);
    if (domain < 0) return false;
    const { selector, minDomains, maxSkew } = this.#constraint;
    const least = this.#eligible < minDomains ? 0 : this.#least;
    const self = selector !== undefined && matches(selector, labels) ? 1 : 0;
    return at(this.#counts, domain) + self - least <= maxSkew;
  }
}
