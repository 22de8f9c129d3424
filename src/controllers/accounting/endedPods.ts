import { objectOf, PodReader, textOf } from '../../core/snapshot/index.ts';
import type { RawObject, Transport } from '../../kube/index.ts';
import type { Occupant } from './holdings.ts';

const pageSize = 500;

interface PodList {
  readonly items?: readonly RawObject[];
  readonly metadata?: { readonly continue?: string };
}

/**
 * Pods that ran on a node and have ended, as far as they still exist: what ended while nobody led. One that does not say
 * when it ended is left out. Two lists, page by page; O(ended pods).
 *
 * @throws ApiError when the server does not answer
 */
export async function endedPods(transport: Transport, signal: AbortSignal): Promise<readonly Occupant[]> {
  const reader = new PodReader();
  const ended: Occupant[] = [];
  for (const phase of ['Succeeded', 'Failed']) {
    let next: string | undefined;
    do {
      const page: PodList = await transport.request<PodList>({
        method: 'GET',
        path: '/api/v1/pods',
        query: {
          fieldSelector: `status.phase=${phase},spec.nodeName!=`,
          limit: String(pageSize),
          ...(next === undefined ? {} : { continue: next }),
        },
        signal,
      });
      for (const raw of page.items ?? []) {
        const end = endOf(raw);
        if (end !== undefined) ended.push({ pod: reader.read(raw), end });
      }
      next = page.metadata?.continue === '' ? undefined : page.metadata?.continue;
    } while (next !== undefined);
  }
  return ended;
}

/** When the last container of a pod ended, epoch milliseconds. */
function endOf(raw: RawObject): number | undefined {
  const status = objectOf(raw['status']);
  const statuses = [status['containerStatuses'], status['initContainerStatuses']].flatMap((list) =>
    Array.isArray(list) ? (list as readonly unknown[]) : [],
  );
  const ends = statuses
    .map((one) => textOf(objectOf(objectOf(objectOf(one)['state'])['terminated'])['finishedAt']))
    .map((text) => Date.parse(text ?? ''))
    .filter((end) => !Number.isNaN(end));
  return ends.length === 0 ? undefined : Math.max(...ends);
}
