import type { ClaimUse, Labels, PodFacts, PodPhase } from './facts.ts';

/** What pods of one template have in common: one object for all of them. */
export type PodTemplate = Pick<
  PodFacts,
  | 'namespace'
  | 'ours'
  | 'gated'
  | 'priority'
  | 'shape'
  | 'gang'
  | 'topology'
  | 'classes'
  | 'user'
  | 'walltime'
  | 'borrower'
  | 'problem'
>;

/** What is a pod's own. */
type OwnFacts = Omit<PodFacts, keyof PodTemplate>;

/**
 * A pod as the watches tell of it, small enough to keep a million of: what its template says is shared, and times are
 * whole seconds, as Kubernetes gives them, which V8 keeps without a box. 112 bytes beside its texts, where a plain
 * object takes 296.
 */
export class Pod implements PodFacts {
  readonly uid: string;
  readonly name: string;
  readonly labels: Labels;
  readonly claims: readonly ClaimUse[];
  readonly owner: string | undefined;
  readonly nodeName: string | undefined;
  readonly phase: PodPhase;
  readonly explained: string | undefined;
  readonly #template: PodTemplate;
  readonly #created: number;
  readonly #bound: number | undefined;
  readonly #deletion: number | undefined;
  readonly #evicted: number | undefined;

  constructor(template: PodTemplate, own: OwnFacts) {
    this.uid = own.uid;
    this.name = own.name;
    this.labels = own.labels;
    this.claims = own.claims;
    this.owner = own.owner;
    this.nodeName = own.nodeName;
    this.phase = own.phase;
    this.explained = own.explained;
    this.#template = template;
    this.#created = secondsOf(own.createdAt) ?? 0;
    this.#bound = secondsOf(own.boundAt);
    this.#deletion = secondsOf(own.deletionAt);
    this.#evicted = secondsOf(own.evictedAt);
  }

  /** The pod as it is once it runs on a node, bound at `boundAt` (epoch milliseconds). */
  runningOn(nodeName: string, boundAt: number): Pod {
    const { uid, name, labels, claims, owner, explained, createdAt, deletionAt, evictedAt } = this;
    const own = { uid, name, labels, claims, owner, explained, createdAt, deletionAt, evictedAt };
    return new Pod(this.#template, { ...own, nodeName, boundAt, phase: 'Running' });
  }

  get namespace(): string {
    return this.#template.namespace;
  }

  get ours(): boolean {
    return this.#template.ours;
  }

  get gated(): boolean {
    return this.#template.gated;
  }

  get priority(): number {
    return this.#template.priority;
  }

  get shape(): PodFacts['shape'] {
    return this.#template.shape;
  }

  get gang(): PodFacts['gang'] {
    return this.#template.gang;
  }

  get topology(): PodFacts['topology'] {
    return this.#template.topology;
  }

  get classes(): PodFacts['classes'] {
    return this.#template.classes;
  }

  get user(): string | undefined {
    return this.#template.user;
  }

  get walltime(): number | undefined {
    return this.#template.walltime;
  }

  get borrower(): boolean {
    return this.#template.borrower;
  }

  get problem(): string | undefined {
    return this.#template.problem;
  }

  get createdAt(): number {
    return this.#created * 1000;
  }

  get boundAt(): number | undefined {
    return millisecondsOf(this.#bound);
  }

  get deletionAt(): number | undefined {
    return millisecondsOf(this.#deletion);
  }

  get evictedAt(): number | undefined {
    return millisecondsOf(this.#evicted);
  }
}

function secondsOf(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.floor(milliseconds / 1000);
}

function millisecondsOf(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}
