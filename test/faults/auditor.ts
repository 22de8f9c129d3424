import { runReflector, Store, systemClock, type RawObject, type Stored, type Transport } from '../../src/kube/index.ts';

/** A pod as the API server shows it, as far as it matters here. */
export interface PodView extends Stored {
  readonly gang: string | undefined;
  /** GPUs that it holds while it has a node: none once it has ended. */
  readonly held: number;
  readonly nodeName: string | undefined;
  /** Marked for eviction. */
  readonly marked: boolean;
  readonly ending: boolean;
  /** Token of the reason why it waits; undefined where nothing is said. */
  readonly waitsFor: string | undefined;
  /** When it was put on its node, in epoch milliseconds and whole seconds. */
  readonly boundAt: number | undefined;
}

/** A turn in the life of a pod, and when it was seen, on the clock of `performance.now`. */
export interface Step {
  readonly what: 'bound' | 'marked' | 'ending' | 'gone';
  /** As it is then; one that is gone, as it was last. */
  readonly pod: PodView;
  readonly at: number;
}

/**
 * Watches the pods of one run at the API server itself, past every proxy, and holds what it sees against what must
 * always be so: a pod is bound once and stays where it is, and no node ever holds more than it has.
 */
export class Auditor {
  /** What should never have been, in words. */
  readonly violations: string[] = [];
  readonly steps: Step[] = [];
  readonly #pods = new Store<PodView>();
  readonly #held = new Map<string, number>();
  readonly #gpusOf: (node: string) => number;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  readonly #waiting = new Set<() => void>();

  /**
   * @param of.labelSelector of the pods of the run
   * @param of.gpusOf how many GPUs a node has
   */
  constructor(transport: Transport, of: { labelSelector: string; gpusOf: (node: string) => number }) {
    const { labelSelector } = of;
    this.#gpusOf = of.gpusOf;
    this.#pods.subscribe((changes) => {
      for (const { type, object, previous } of changes) this.#take(type === 'deleted' ? undefined : object, previous);
      for (const look of this.#waiting) look();
    });
    this.#ended = runReflector({
      transport,
      path: '/api/v1/pods',
      query: { labelSelector },
      project: readPod,
      store: this.#pods,
      clock: systemClock(),
      // The shortest pauses there are: the auditor must not be what is waited for.
      random: () => 0,
      signal: this.#stop.signal,
    });
  }

  get pods(): readonly PodView[] {
    return [...this.#pods.values()];
  }

  /** Resolves as soon as the condition holds. @throws Error when it does not in time, with what it says of itself */
  async until(holds: () => boolean, timeoutMs: number, describe: () => string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const look = () => {
      if (holds()) resolve(undefined);
    };
    const late = setTimeout(() => reject(new Error(`not so after ${timeoutMs / 1000} s: ${describe()}`)), timeoutMs);
    this.#waiting.add(look);
    look();
    try {
      await promise;
    } finally {
      clearTimeout(late);
      this.#waiting.delete(look);
    }
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('the run is over'));
    await this.#ended;
  }

  #take(pod: PodView | undefined, previous: PodView | undefined): void {
    const at = performance.now();
    if (previous?.nodeName !== undefined) this.#hold(previous.nodeName, -previous.held, previous);
    if (pod?.nodeName !== undefined) this.#hold(pod.nodeName, pod.held, pod);
    if (pod === undefined) {
      if (previous !== undefined) this.steps.push({ what: 'gone', pod: previous, at });
      return;
    }
    if (previous?.nodeName !== undefined && previous.nodeName !== pod.nodeName)
      this.violations.push(`${pod.name} was on ${previous.nodeName} and is on ${pod.nodeName ?? 'no node'}`);
    if (pod.nodeName !== undefined && previous?.nodeName === undefined) this.steps.push({ what: 'bound', pod, at });
    if (pod.marked && previous?.marked !== true) this.steps.push({ what: 'marked', pod, at });
    if (pod.ending && previous?.ending !== true) this.steps.push({ what: 'ending', pod, at });
  }

  #hold(node: string, gpus: number, pod: PodView): void {
    const held = (this.#held.get(node) ?? 0) + gpus;
    this.#held.set(node, held);
    const has = this.#gpusOf(node);
    if (gpus > 0 && held > has) this.violations.push(`${node} holds ${held} of ${has} GPUs since ${pod.name} is there`);
  }
}

interface RawPod {
  readonly metadata: {
    readonly uid: string;
    readonly namespace: string;
    readonly name: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly { readonly resources?: { readonly limits?: Readonly<Record<string, string>> } }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly message?: string;
      readonly lastTransitionTime?: string;
    }[];
  };
}

function readPod(raw: RawObject): PodView {
  const { metadata, spec, status } = raw as unknown as RawPod;
  const { uid, namespace, name, resourceVersion, labels } = metadata;
  const condition = (type: string) => status?.conditions?.find((one) => one.type === type);
  const hasEnded = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  const limits = spec.containers.map(({ resources }) => Number(resources?.limits?.['nvidia.com/gpu'] ?? 0));
  return {
    ...{ uid, namespace, name, resourceVersion },
    gang: labels?.['moa.dev/gang'],
    held: hasEnded ? 0 : limits.reduce((sum, gpus) => sum + gpus, 0),
    nodeName: spec.nodeName,
    marked: condition('DisruptionTarget')?.status === 'True',
    ending: metadata.deletionTimestamp !== undefined,
    waitsFor: spec.nodeName === undefined ? condition('PodScheduled')?.message?.split(':', 1)[0] : undefined,
    boundAt: spec.nodeName === undefined ? undefined : Date.parse(condition('PodScheduled')?.lastTransitionTime ?? ''),
  };
}
