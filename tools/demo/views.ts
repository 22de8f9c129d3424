import type { RawObject, Stored } from '../../src/kube/index.ts';

/** What the demo keeps of a pod. Times in epoch milliseconds, to the second as the API has them. */
export interface PodView extends Stored {
  /** Name of its Job; empty for a pod of none. */
  readonly job: string;
  readonly gpus: number;
  readonly createdAt: number;
  readonly nodeName: string | undefined;
  /** When it was bound. */
  readonly scheduledAt: number | undefined;
  readonly startedAt: number | undefined;
  /** When its last container ended; of a pod that ended without one, when it started. */
  readonly finishedAt: number | undefined;
  /** Token of the reason why it waits; undefined when it does not, or nobody has looked at it yet. */
  readonly waitsFor: string | undefined;
}

/** How far a Job is by its own status. */
export interface JobView extends Stored {
  readonly state: 'active' | 'done' | 'failed';
  readonly pods: number;
}

/** What the demo keeps of a node. */
export interface NodeView extends Stored {
  readonly gpus: number;
  readonly createdAt: number;
}

/** A quota's status as it is printed, in normalized GPUs. Empty texts before Moa has written it. */
export interface QuotaView extends Stored {
  readonly selectsNamespaces: boolean;
  readonly guaranteed: string;
  readonly used: string;
  readonly borrowed: string;
  readonly lent: string;
  readonly pending: number;
}

/** An investment's status as it is printed. */
export interface InvestmentView extends Stored {
  readonly phase: string;
  readonly contributed: string;
  readonly matched: string;
  readonly entitlement: string;
  readonly effectiveEntitlement: string;
}

interface Raw<Spec, Status> {
  readonly metadata: {
    readonly uid: string;
    readonly namespace?: string;
    readonly name: string;
    readonly resourceVersion: string;
    readonly creationTimestamp: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: Spec;
  readonly status?: Status;
}

const gpuResource = 'nvidia.com/gpu';

function storedOf({ metadata }: Raw<unknown, unknown>): Stored {
  const { uid, namespace = '', name, resourceVersion } = metadata;
  return { uid, namespace, name, resourceVersion };
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

type RawPod = Raw<
  {
    readonly nodeName?: string;
    readonly containers: readonly { readonly resources?: { readonly requests?: Readonly<Record<string, string>> } }[];
  },
  {
    readonly phase?: string;
    readonly startTime?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly { readonly state?: { readonly terminated?: { finishedAt: string } } }[];
  }
>;

export function podView(raw: RawObject): PodView {
  const pod = raw as unknown as RawPod;
  const { spec, status = {} } = pod;
  const scheduled = status.conditions?.find(({ type }) => type === 'PodScheduled');
  const startedAt = instant(status.startTime);
  const ended = status.phase === 'Succeeded' || status.phase === 'Failed';
  const ends = (status.containerStatuses ?? []).map(({ state }) => instant(state?.terminated?.finishedAt) ?? 0);
  return {
    ...storedOf(pod),
    job: pod.metadata.labels?.['batch.kubernetes.io/job-name'] ?? '',
    gpus: spec.containers.reduce((sum, { resources }) => sum + Number(resources?.requests?.[gpuResource] ?? 0), 0),
    createdAt: Date.parse(pod.metadata.creationTimestamp),
    nodeName: spec.nodeName,
    scheduledAt: scheduled?.status === 'True' ? instant(scheduled.lastTransitionTime) : undefined,
    startedAt,
    finishedAt: ended ? Math.max(startedAt ?? 0, ...ends) : undefined,
    waitsFor: scheduled?.status === 'False' ? (scheduled.message ?? '').split(':', 1)[0] : undefined,
  };
}

export function jobView(raw: RawObject): JobView {
  const job = raw as unknown as Raw<{ readonly completions?: number }, { readonly conditions?: readonly Condition[] }>;
  const is = (wanted: string) =>
    job.status?.conditions?.some(({ type, status }) => type === wanted && status === 'True') === true;
  const state = is('Complete') ? 'done' : is('Failed') ? 'failed' : 'active';
  return { ...storedOf(job), state, pods: job.spec.completions ?? 1 };
}

export function nodeView(raw: RawObject): NodeView {
  const node = raw as unknown as Raw<object, { readonly allocatable?: Readonly<Record<string, string>> }>;
  return {
    ...storedOf(node),
    gpus: Number(node.status?.allocatable?.[gpuResource] ?? 0),
    createdAt: Date.parse(node.metadata.creationTimestamp),
  };
}

type RawQuota = Raw<
  { readonly namespaceSelector?: object },
  {
    readonly capacity?: Readonly<Record<'effectiveGuarantee' | 'used' | 'borrowed' | 'lent', string>>;
    readonly workloads?: { readonly pending: number };
  }
>;

export function quotaView(raw: RawObject): QuotaView {
  const quota = raw as unknown as RawQuota;
  const { capacity, workloads } = quota.status ?? {};
  return {
    ...storedOf(quota),
    selectsNamespaces: quota.spec.namespaceSelector !== undefined,
    guaranteed: capacity?.effectiveGuarantee ?? '',
    used: capacity?.used ?? '',
    borrowed: capacity?.borrowed ?? '',
    lent: capacity?.lent ?? '',
    pending: workloads?.pending ?? 0,
  };
}

export function investmentView(raw: RawObject): InvestmentView {
  const investment = raw as unknown as Raw<object, Partial<Omit<InvestmentView, keyof Stored>>>;
  const {
    phase = '',
    contributed = '',
    matched = '',
    entitlement = '',
    effectiveEntitlement = '',
  } = investment.status ?? {};
  return { ...storedOf(investment), phase, contributed, matched, entitlement, effectiveEntitlement };
}

function instant(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text);
}
