import { collectionPath } from '../../src/api/v1alpha1/index.ts';
import { runReflector, Store, systemClock, type RawObject, type Stored, type Transport } from '../../src/kube/index.ts';
import {
  investmentView,
  jobView,
  nodeView,
  podView,
  quotaView,
  type InvestmentView,
  type JobView,
  type NodeView,
  type PodView,
  type QuotaView,
} from './views.ts';

/** What the demo sees of the cluster: one watch a resource. */
export interface World {
  readonly pods: Store<PodView>;
  readonly jobs: Store<JobView>;
  readonly nodes: Store<NodeView>;
  readonly quotas: Store<QuotaView>;
  readonly investments: Store<InvestmentView>;
}

const paths = {
  pods: '/api/v1/pods',
  jobs: '/apis/batch/v1/jobs',
  nodes: '/api/v1/nodes',
  quotas: collectionPath('ResearchQuota'),
  investments: collectionPath('MatchingInvestment'),
} as const;

/** Watches until the signal aborts. Resolves once everything that is there has been seen. */
export async function watchWorld(transport: Transport, signal: AbortSignal): Promise<World> {
  const watch = <T extends Stored>(path: string, project: (raw: RawObject) => T): Store<T> => {
    const store = new Store<T>();
    void runReflector({ transport, path, project, store, clock: systemClock(), random: Math.random, signal });
    return store;
  };
  const world = {
    pods: watch(paths.pods, podView),
    jobs: watch(paths.jobs, jobView),
    nodes: watch(paths.nodes, nodeView),
    quotas: watch(paths.quotas, quotaView),
    investments: watch(paths.investments, investmentView),
  };
  await Promise.all(Object.values(world).map((store) => store.whenSynced(signal)));
  return world;
}

/** What the API server has now, read anew and not through the watches: what a summary is checked against. */
export interface FreshWorld {
  readonly pods: readonly PodView[];
  readonly jobs: readonly JobView[];
  readonly nodes: readonly NodeView[];
}

const pageSize = 500;

/** @throws ApiError */
export async function readWorld(transport: Transport): Promise<FreshWorld> {
  const [pods, jobs, nodes] = await Promise.all([
    list(transport, paths.pods, podView),
    list(transport, paths.jobs, jobView),
    list(transport, paths.nodes, nodeView),
  ]);
  return { pods, jobs, nodes };
}

async function list<T>(transport: Transport, path: string, project: (raw: RawObject) => T): Promise<T[]> {
  const items: T[] = [];
  for (let token = ''; ;) {
    const page = await transport.request<{ metadata: { continue?: string }; items: RawObject[] }>({
      method: 'GET',
      path,
      query: { limit: String(pageSize), ...(token === '' ? {} : { continue: token }) },
    });
    items.push(...page.items.map(project));
    token = page.metadata.continue ?? '';
    if (token === '') return items;
  }
}
