import {
  matches,
  type AffinityTerm,
  type Holder,
  type Labels,
  type PodFacts,
  type PodShape,
} from '../../snapshot/index.ts';
import { DomainTally, type Domains } from './domains.ts';
import { podsText, type Obstacle } from './obstacle.ts';
import { peerOf, type Peer, type Peers, type Watch } from './peers.ts';

/** What pod affinity needs of the snapshot. */
export interface AffinityContext {
  readonly peers: Peers;
  readonly domainsOf: (topologyKey: string) => Domains;
  /** Labels of a namespace; none for one that is not known. */
  readonly namespaceLabels: (namespace: string) => Labels;
}

/**
 * Required pod affinity and anti-affinity, as the plugin InterPodAffinity of kube-scheduler: what a pod asks of the pods
 * that run, and what they, in turn, forbid it.
 *
 * | operation | cost |
 * |---|---|
 * | hold | O(anti-affinity terms of the pod) |
 * | obstacle | O(terms of the pod + anti-affinity terms of others that match it) |
 */
export class PodAffinity {
  readonly #context: AffinityContext;
  readonly #own = new Map<PodShape, Map<string, OwnTerms>>();
  /** Anti-affinity terms of pods that hold a place, and where those pods are. */
  readonly #repulsions = new Map<string, Repulsion>();
  readonly #repelling = new Map<string, WeakMap<Labels, { readonly known: number; readonly list: Repulsion[] }>>();

  constructor(context: AffinityContext) {
    this.#context = context;
  }

  hold(holder: Holder, node: number, count: number): void {
    for (const term of holder.shape.constraints?.antiAffinity ?? [])
      this.#repulsionOf(term, holder.namespace).tally.add(node, count);
  }

  obstacle(pod: PodFacts, node: number): Obstacle | undefined {
    const { constraints } = pod.shape;
    if (constraints !== undefined && constraints.affinity.length + constraints.antiAffinity.length > 0) {
      const own = this.#ownTerms(pod.shape, pod.namespace);
      if (own.attraction !== undefined && !own.attraction.holdsFor(pod, node)) return own.attraction.obstacle;
      for (const { tally, obstacle } of own.aversions) if (tally.at(node) > 0) return obstacle;
    }
    if (!this.repels) return undefined;
    for (const { tally, obstacle } of this.#repulsionsOn(pod)) if (tally.at(node) > 0) return obstacle;
    return undefined;
  }

  /** Whether some pod that holds a place, or did, keeps others away. */
  get repels(): boolean {
    return this.#repulsions.size > 0;
  }

  /** Whether anti-affinity of pods that hold a place may keep the pod from some node. */
  isRepelled(pod: PodFacts): boolean {
    return this.#repulsionsOn(pod).length > 0;
  }

  #ownTerms(shape: PodShape, namespace: string): OwnTerms {
    let byNamespace = this.#own.get(shape);
    if (byNamespace === undefined) this.#own.set(shape, (byNamespace = new Map<string, OwnTerms>()));
    let own = byNamespace.get(namespace);
    if (own === undefined) byNamespace.set(namespace, (own = this.#readOwn(shape, namespace)));
    return own;
  }

  #readOwn(shape: PodShape, namespace: string): OwnTerms {
    const bind = (term: AffinityTerm) => new BoundTerm(term, namespace, this.#context);
    const affinity = (shape.constraints?.affinity ?? []).map(bind);
    const antiAffinity = (shape.constraints?.antiAffinity ?? []).map(bind);
    const { peers } = this.#context;
    const attraction =
      affinity.length === 0
        ? undefined
        : peers.watch(`all ${affinity.map((term) => term.key).join()}`, () => new Attraction(affinity));
    const aversions = antiAffinity.map((term) => peers.watch(`any ${term.key}`, () => new Aversion(term)));
    return { attraction, aversions };
  }

  #repulsionOf(term: AffinityTerm, namespace: string): Repulsion {
    const key = boundKey(term, namespace);
    let repulsion = this.#repulsions.get(key);
    if (repulsion === undefined) {
      const bound = new BoundTerm(term, namespace, this.#context);
      const text = `anti-affinity of other pods to ${podsText(term.selector)} by ${term.topologyKey}`;
      repulsion = { term: bound, tally: new DomainTally(bound.domains), obstacle: { text } };
      this.#repulsions.set(key, repulsion);
    }
    return repulsion;
  }

  /** The known repulsions that match the pod. The list is worked out anew only when another repulsion becomes known. */
  #repulsionsOn(pod: PodFacts): readonly Repulsion[] {
    let byLabels = this.#repelling.get(pod.namespace);
    if (byLabels === undefined) this.#repelling.set(pod.namespace, (byLabels = new WeakMap()));
    let found = byLabels.get(pod.labels);
    if (found?.known !== this.#repulsions.size) {
      const list = [...this.#repulsions.values()].filter(({ term }) => term.matches(pod));
      byLabels.set(pod.labels, (found = { known: this.#repulsions.size, list }));
    }
    return found.list;
  }
}

interface OwnTerms {
  readonly attraction: Attraction | undefined;
  readonly aversions: readonly Aversion[];
}

interface Repulsion {
  readonly term: BoundTerm;
  readonly tally: DomainTally;
  readonly obstacle: Obstacle;
}

/** A term as a pod of one namespace means it. */
class BoundTerm {
  readonly key: string;
  readonly domains: Domains;
  readonly term: AffinityTerm;
  readonly #namespaces: ReadonlySet<string>;
  readonly #namespaceLabels: (namespace: string) => Labels;

  constructor(term: AffinityTerm, namespace: string, { domainsOf, namespaceLabels }: AffinityContext) {
    this.key = boundKey(term, namespace);
    this.term = term;
    this.domains = domainsOf(term.topologyKey);
    this.#namespaces = new Set(isOwnNamespace(term) ? [namespace] : term.namespaces);
    this.#namespaceLabels = namespaceLabels;
  }

  matches({ namespace, labels }: Pick<Peer, 'namespace' | 'labels'>): boolean {
    const { selector, namespaceSelector } = this.term;
    if (selector === undefined || !matches(selector, labels)) return false;
    if (this.#namespaces.has(namespace)) return true;
    return namespaceSelector !== undefined && matches(namespaceSelector, this.#namespaceLabels(namespace));
  }
}

/** The affinity terms of a pod. They count the pods that match all of them, in the domains of each. */
class Attraction implements Watch {
  readonly obstacle: Obstacle;
  readonly #terms: readonly BoundTerm[];
  readonly #tallies: ReadonlyMap<string, DomainTally>;

  constructor(terms: readonly BoundTerm[]) {
    this.#terms = terms;
    this.#tallies = new Map(terms.map(({ term, domains }) => [term.topologyKey, new DomainTally(domains)]));
    const texts = terms.map(({ term }) => `${podsText(term.selector)} by ${term.topologyKey}`);
    this.obstacle = { text: `required affinity to ${texts.join(' and ')}` };
  }

  matches(peer: Pick<Peer, 'namespace' | 'labels'>): boolean {
    return this.#terms.every((term) => term.matches(peer));
  }

  add(node: number, count: number): void {
    for (const tally of this.#tallies.values()) tally.add(node, count);
  }

  /**
   * Whether the node's domains have a matching pod each. The first of a group that is drawn to itself may go to any
   * node that has all the domains.
   */
  holdsFor(pod: PodFacts, node: number): boolean {
    let none = true;
    let everywhere = true;
    for (const tally of this.#tallies.values()) {
      if (tally.domains.of(node) < 0) return false;
      if (tally.at(node) <= 0) everywhere = false;
      if (tally.total > 0) none = false;
    }
    return everywhere || (none && this.matches(peerOf(pod)));
  }
}

/** An anti-affinity term of a pod: where the pods are that it keeps away from. */
class Aversion implements Watch {
  readonly tally: DomainTally;
  readonly obstacle: Obstacle;
  readonly #term: BoundTerm;

  constructor(term: BoundTerm) {
    this.#term = term;
    this.tally = new DomainTally(term.domains);
    const { selector, topologyKey } = term.term;
    this.obstacle = { text: `required anti-affinity to ${podsText(selector)} by ${topologyKey}` };
  }

  matches(peer: Peer): boolean {
    return this.#term.matches(peer);
  }

  add(node: number, count: number): void {
    this.tally.add(node, count);
  }
}

function isOwnNamespace({ namespaces, namespaceSelector }: AffinityTerm): boolean {
  return namespaces.length === 0 && namespaceSelector === undefined;
}

function boundKey(term: AffinityTerm, namespace: string): string {
  return JSON.stringify([term, isOwnNamespace(term) ? namespace : '']);
}
