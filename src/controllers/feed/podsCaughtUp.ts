import { schedulerName } from '../../api/v1alpha1/constants/index.ts';
import { backOffMs, isApiError, isAsLate, keyOf, patchPodCondition } from '../../kube/index.ts';
import type { Clock, Store, Stored, Transport } from '../../kube/index.ts';
import type { PodFacts } from '../../core/snapshot/index.ts';
import type { Logger } from '../../observe/index.ts';

/** A pod as the feed keeps it. */
export interface StoredPod extends Stored {
  readonly facts: PodFacts;
}

/** What is looked at, and by what means. */
export interface PodsView {
  readonly pods: Store<StoredPod>;
  readonly transport: Transport;
  readonly clock: Clock;
  /** 0 <= r < 1 */
  readonly random: () => number;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Pods that have ended hold nothing and wait for nothing: the API server leaves them out. */
export const livePods = 'status.phase!=Succeeded,status.phase!=Failed';

const retry = { baseMs: 100, maxMs: 5000 };

/**
 * Waits until a store shows everything that had happened to pods before the call.
 *
 * A watch may lag by seconds. Whoever begins to lead with an old view would give away places that its predecessor has
 * filled. The events of a watch come in order, so a write of ours to one of the pods is a mark: when the store shows it,
 * it shows all that was before. The mark is `lastProbeTime` in the condition PodScheduled, and the write is refused when
 * the pod is no longer what the store shows. Where the store shows no pod of ours, the API server is asked whether there
 * is one. One request, and the time that the watch takes; O(pods).
 *
 * @throws the signal's reason
 */
export async function podsCaughtUp(view: PodsView): Promise<void> {
  const { pods, clock, random, logger, signal } = view;
  const refused = new Set<string>();
  let failures = 0;
  const pause = () => clock.sleep(backOffMs(retry, (failures += 1), random), signal);
  for (;;) {
    signal.throwIfAborted();
    const pod = markable(pods.values(), refused);
    if (pod === undefined) {
      if (refused.size === 0 && (await isEmptyEverywhere(view))) return;
      refused.clear();
      await pause();
      continue;
    }
    const key = keyOf(pod.namespace, pod.name);
    try {
      const marked = await mark(pod, view);
      await seen(pods, signal, () => {
        const now = pods.get(key);
        return now?.uid !== pod.uid || isAsLate(now.resourceVersion, marked);
      });
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (isApiError(error, 'Conflict', 'NotFound')) {
        // What we know of it is old: the news is on its way.
        await seen(pods, signal, () => pods.get(key)?.resourceVersion !== pod.resourceVersion);
        continue;
      }
      refused.add(pod.uid);
      logger.warn('cannot mark a pod to see how old our view is, another one is tried', { pod: key, error });
    }
  }
}

/** One that waits where there is one: nobody else writes to it. */
function markable(pods: Iterable<StoredPod>, refused: ReadonlySet<string>): StoredPod | undefined {
  let running: StoredPod | undefined;
  for (const pod of pods) {
    if (!pod.facts.ours || refused.has(pod.uid)) continue;
    if (pod.facts.nodeName === undefined) return pod;
    running ??= pod;
  }
  return running;
}

/** Whether the API server, as it is now, knows of no pod of ours either. False where it does not say. */
async function isEmptyEverywhere({ transport, signal, logger }: PodsView): Promise<boolean> {
  const query = { fieldSelector: `spec.schedulerName=${schedulerName},${livePods}`, limit: '1' };
  try {
    const list = await transport.request<{ readonly items?: readonly unknown[] }>({
      ...{ method: 'GET', path: '/api/v1/pods', query, signal },
    });
    return (list.items ?? []).length === 0;
  } catch (error) {
    signal.throwIfAborted();
    logger.warn('cannot see how old our view of the pods is, it is tried again', { error });
    return false;
  }
}

/** @returns the pod's version with the mark */
function mark({ uid, namespace, name, resourceVersion, facts }: StoredPod, view: PodsView): Promise<string> {
  const lastProbeTime = new Date(view.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  const condition = { type: 'PodScheduled', status: statusOf(facts), lastProbeTime } as const;
  return patchPodCondition(view.transport, { uid, namespace, name, resourceVersion, condition }, view.signal);
}

/** As it is: the mark must not say anything. */
function statusOf({ nodeName, explained }: PodFacts): 'True' | 'False' | 'Unknown' {
  if (nodeName !== undefined) return 'True';
  return explained === undefined ? 'Unknown' : 'False';
}

/** Resolves when it holds, which is looked at after each change. */
function seen(pods: Store<StoredPod>, signal: AbortSignal, holds: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    if (holds()) {
      resolve();
      return;
    }
    const abort = (): void => {
      end();
      reject(signal.reason as Error);
    };
    const end = pods.subscribe(() => {
      if (!holds()) return;
      end();
      signal.removeEventListener('abort', abort);
      resolve();
    });
    signal.addEventListener('abort', abort, { once: true });
  });
}
