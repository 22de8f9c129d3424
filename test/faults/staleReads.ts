import { setTimeout as sleep } from 'node:timers/promises';

import type { Transport } from '../../src/kube/index.ts';
import type { Outcome, SeenRequest } from './proxy.ts';

interface List {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly object[];
}

/**
 * A rule for a proxy: whoever lists a collection of the core API by a watch is told of it as it is now, for so long, and
 * only then of what happens from now on. An API server whose cache has fallen behind would do that, were it allowed to.
 */
export async function staleReads(
  transport: Transport,
  path: string,
  lagMs: number,
): Promise<(request: SeenRequest) => Outcome> {
  const { metadata } = await transport.request<List>({ method: 'GET', path, query: { limit: '1' } });
  const { resourceVersion } = metadata;
  return (request) => {
    if (request.path !== path || request.query.get('sendInitialEvents') === null) return 'pass';
    const fieldSelector = request.query.get('fieldSelector') ?? '';
    return { events: eventsSince({ transport, path, lagMs, resourceVersion, fieldSelector }) };
  };
}

async function* eventsSince(of: {
  readonly transport: Transport;
  readonly path: string;
  readonly lagMs: number;
  readonly resourceVersion: string;
  readonly fieldSelector: string;
}): AsyncGenerator<string> {
  const { transport, path, lagMs, resourceVersion, fieldSelector } = of;
  const began = performance.now();
  const query = { resourceVersion, fieldSelector };
  const list = await transport.request<List>({
    method: 'GET',
    path,
    query: { ...query, resourceVersionMatch: 'Exact' },
  });
  for (const object of list.items) yield JSON.stringify({ type: 'ADDED', object: { apiVersion: 'v1', ...object } });
  const annotations = { 'k8s.io/initial-events-end': 'true' };
  yield JSON.stringify({ type: 'BOOKMARK', object: { apiVersion: 'v1', metadata: { resourceVersion, annotations } } });
  await sleep(Math.max(0, began + lagMs - performance.now()));
  yield* transport.stream({
    method: 'GET',
    path,
    query: { ...query, watch: 'true', allowWatchBookmarks: 'true', timeoutSeconds: '600' },
  });
}
