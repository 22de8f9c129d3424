import type { Fleet, PodFacts } from '../../core/snapshot/index.ts';

/** A pod of which something was heard. */
export interface Touched {
  readonly uid: string;
  /** As it was when it was last seen on a node; undefined = it has not been since the books were last brought up to date. */
  readonly pod: PodFacts | undefined;
  /** When it was gone, epoch milliseconds; undefined = it is not. */
  readonly end: number | undefined;
  /** Nobody watched when it ended: the end is the last moment at which someone did. */
  readonly unobserved: boolean;
}

/** Collects what happens to pods on nodes until someone takes it into the books. O(1) for each change. */
export class TouchedPods {
  readonly #now: () => number;
  /** The last moment at which the pods were watched, while they are not. */
  readonly #blindSince: () => number | undefined;
  #touched = new Map<string, Touched>();
  /** Those of which something was heard since {@link news} was last called. */
  #news = new Set<string>();

  constructor(now: () => number, blindSince: () => number | undefined) {
    this.#now = now;
    this.#blindSince = blindSince;
  }

  /** Hears of a pod. */
  note(fleet: Fleet, uid: string): void {
    const pod = fleet.pod(uid);
    const known = this.#touched.get(uid);
    const isGone = pod === undefined || pod.phase === 'Succeeded' || pod.phase === 'Failed';
    if (!isGone) {
      if (pod.nodeName === undefined) return;
      this.#touched.set(uid, { uid, pod, end: undefined, unobserved: false });
      this.#news.add(uid);
      return;
    }
    if (known?.end !== undefined) return;
    this.#news.add(uid);
    const blindSince = this.#blindSince();
    const end = blindSince ?? this.#now();
    this.#touched.set(uid, { uid, pod: known?.pod, end, unobserved: blindSince !== undefined });
  }

  /** Forgets everything, and knows the pods that hold something when a term begins: of those it is told how they end. */
  begin(pods: Iterable<PodFacts>): void {
    this.#touched = new Map(
      Array.from(pods, (pod) => [pod.uid, { uid: pod.uid, pod, end: undefined, unobserved: false }]),
    );
    this.#news.clear();
  }

  /** Takes back what {@link take} gave and no one could use. */
  giveBack(touched: ReadonlyMap<string, Touched>): void {
    const since = this.#touched;
    this.#touched = new Map(touched);
    for (const [uid, one] of since) this.#touched.set(uid, { ...one, pod: one.pod ?? touched.get(uid)?.pod });
    for (const uid of this.#touched.keys()) this.#news.add(uid);
  }

  /** All of it; it is forgotten here. */
  take(): ReadonlyMap<string, Touched> {
    const touched = this.#touched;
    if (touched.size > 0) this.#touched = new Map();
    this.#news.clear();
    return touched;
  }

  /** What was heard since the last call; {@link take} gives it all the same. */
  news(): readonly Touched[] {
    const news = [...this.#news].map((uid) => this.#touched.get(uid)).filter((one) => one !== undefined);
    this.#news.clear();
    return news;
  }
}
