import { labels } from '../../api/v1alpha1/index.ts';
import type { NodeFacts, Snapshot } from '../../core/snapshot/index.ts';
import {
  isApiError,
  mergePatch,
  runController,
  WorkQueue,
  type Clock,
  type ReconcileObservation,
  type ReconcileResult,
  type Transport,
} from '../../kube/index.ts';

/** A taint as the API server has it. Others' taints are handed back as they came, unknown fields included. */
interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

interface Node {
  readonly metadata: { readonly resourceVersion: string };
  readonly spec: { readonly taints?: readonly Taint[] };
}

export interface IsolationOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  /** 0 <= r < 1 */
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** Of every reconciliation. Must not throw. */
  readonly observe?: (observation: ReconcileObservation) => void;
}

const { key } = labels.pool;
const effect = 'NoSchedule';

const workers = 4;
/** Each worker rests so long after a write, so that a pool that begins to isolate does not crowd out bindings. */
const restMs = 50;
/** Whoever may not touch one node may touch none: all of them wait, and one error tells it. */
const forbiddenMs = 60_000;

/**
 * Keeps the taint `moa.dev/pool=<name>:NoSchedule` on the nodes of every pool with `spec.isolate`, and nowhere else: it
 * goes when the pool no longer isolates, loses the node, or is gone, be it while no operator ran. Level-triggered: what
 * a node carries is compared with each picture of the fleet, and only a difference costs calls to the API server.
 */
export class IsolationController {
  readonly #options: IsolationOptions;
  readonly #queue: WorkQueue<string>;
  /** Nodes that are to be changed, and the pool whose taint each shall carry; undefined = none. */
  #due = new Map<string, string | undefined>();
  /** On the monotonic clock. */
  #forbiddenUntil = -Infinity;

  constructor(options: IsolationOptions) {
    this.#options = options;
    this.#queue = new WorkQueue({ clock: options.clock, random: options.random });
  }

  /**
   * Takes the picture that taints are to follow from now on.
   *
   * @param pools names of all pools that exist, those included that can't be read: nobody knows what they want
   */
  show(snapshot: Snapshot, pools: ReadonlySet<string>): void {
    const before = this.#due;
    this.#due = wrongTaints(snapshot, pools);
    // What is due already has its place in the queue, and when it failed, its back-off.
    for (const name of this.#due.keys()) if (!before.has(name)) this.#queue.add(name);
  }

  /** Resolves when the signal has aborted and nothing is under way; never rejects. */
  async run(): Promise<void> {
    const { clock, signal, observe } = this.#options;
    await runController({
      name: 'isolation',
      queue: this.#queue,
      workers,
      reconcile: (name) => this.#reconcile(name),
      clock,
      signal,
      ...(observe === undefined ? {} : { observe }),
    });
  }

  async #reconcile(name: string): Promise<ReconcileResult> {
    if (!this.#due.has(name)) return {};
    const forbiddenMore = this.#forbiddenUntil - this.#options.clock.monotonic();
    if (forbiddenMore > 0) return { requeueAfterMs: forbiddenMore };
    const wanted = this.#due.get(name);
    if (!(await this.#setTaint(name, wanted))) return { requeueAfterMs: restMs };
    // A picture that came meanwhile has left the node to us, and may want something else of it.
    if (this.#due.has(name) && this.#due.get(name) !== wanted) return { requeueAfterMs: 1 };
    // The next picture may still show the node as it was: then it is looked at once more, and found as it should be.
    this.#due.delete(name);
    return {};
  }

  /**
   * Reads the node and writes it back under its resourceVersion: the taints that others change meanwhile are not lost.
   *
   * @returns false when someone else has changed the node meanwhile
   */
  async #setTaint(name: string, pool: string | undefined): Promise<boolean> {
    const { transport, clock, signal } = this.#options;
    const path = `/api/v1/nodes/${name}`;
    try {
      const { metadata, spec } = await transport.request<Node>({ method: 'GET', path, signal });
      const before = spec.taints ?? [];
      const others = before.filter((taint) => !isOurs(taint));
      const own = before.find(isOurs);
      if (pool === undefined ? own === undefined : own?.value === pool) return true;
      const taints = pool === undefined ? others : [...others, { key, value: pool, effect }];
      const body = { metadata: { resourceVersion: metadata.resourceVersion }, spec: { taints } };
      await transport.request({ method: 'PATCH', path, contentType: mergePatch, body, signal });
      await clock.sleep(restMs, signal);
      return true;
    } catch (error) {
      if (isApiError(error, 'NotFound')) return true;
      if (isApiError(error, 'Conflict')) return false;
      if (isApiError(error, 'Forbidden')) this.#forbiddenUntil = clock.monotonic() + forbiddenMs;
      throw error;
    }
  }
}

/**
 * The nodes whose taint is not as the pools want it, and the pool that each shall be tainted for; undefined = none.
 * A node that is tainted for a pool which exists and can't be read stays as it is. Cost: O(nodes).
 */
export function wrongTaints(
  { nodes, policy }: Pick<Snapshot, 'nodes' | 'policy'>,
  pools: ReadonlySet<string>,
): Map<string, string | undefined> {
  const isolating = new Set(policy.pools.filter(({ spec }) => spec.isolate).map(({ spec }) => spec.name));
  const readable = new Set(policy.pools.map(({ spec }) => spec.name));
  const wrong = new Map<string, string | undefined>();
  nodes.facts.forEach((node, id) => {
    const tainted = taintOf(node);
    if (tainted !== undefined && pools.has(tainted) && !readable.has(tainted)) return;
    const pool = policy.claims.poolOf[nodes.profileIdOf(id)];
    const wanted = pool !== undefined && isolating.has(pool) ? pool : undefined;
    if (tainted !== wanted) wrong.set(node.name, wanted);
  });
  return wrong;
}

function taintOf({ taints }: NodeFacts): string | undefined {
  return taints.find(isOurs)?.value;
}

function isOurs(taint: Taint): boolean {
  return taint.key === key && taint.effect === effect;
}
