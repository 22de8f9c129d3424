import type { Auditor, PodView } from './auditor.ts';
import type { Outcome } from './outcomes.ts';

/** One kind of pod that arrives. */
export interface Arrival {
  readonly tenant: string;
  /** Pods are called `<name>-<index>`. */
  readonly name: string;
  readonly pods: number;
  readonly gpus: number;
  readonly gang?: boolean;
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** A PersistentVolumeClaim of its namespace that each pod uses. */
  readonly claim?: string;
}

/** Where pods of a run are created. */
interface Place {
  readonly namespace: string;
  /** Label that all objects of the run carry. */
  readonly stage: string;
}

export function podNames({ name, pods }: Arrival): readonly string[] {
  return Array.from({ length: pods }, (_, i) => `${name}-${i}`);
}

/** The manifest of one pod of an arrival. */
export function podOf(arrival: Arrival, name: string, { namespace, stage }: Place): object {
  const { pods, gpus, gang, nodeSelector, claim } = arrival;
  const volumes = claim === undefined ? [] : [{ name: 'data', persistentVolumeClaim: { claimName: claim } }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      labels: { stage, ...(gang === true ? { 'moa.dev/gang': arrival.name } : {}) },
      annotations: gang === true ? { 'moa.dev/gang-size': String(pods) } : {},
    },
    spec: {
      schedulerName: 'moa-scheduler',
      nodeSelector,
      volumes,
      containers: [
        { name: 'main', image: 'example.test/main', resources: { limits: { 'nvidia.com/gpu': String(gpus) } } },
      ],
    },
  };
}

/** What has become of each kind of pod; `marked` are those that live on under a mark. @param namespaceOf of a tenant */
export function podOutcome(
  { pods, steps }: Pick<Auditor, 'pods' | 'steps'>,
  arrivals: readonly Arrival[],
  namespaceOf: (tenant: string) => string,
): Outcome {
  const all = arrivals.map((arrival) => {
    const { tenant } = arrival;
    const names = new Set(podNames(arrival));
    const isOne = (pod: PodView) => pod.namespace === namespaceOf(tenant) && names.has(pod.name);
    const own = pods.filter(isOne);
    const ended = steps.filter(({ what, pod }) => (what === 'ending' || what === 'gone') && isOne(pod));
    const waits = own.flatMap(({ nodeName, waitsFor }) => (nodeName === undefined ? [waitsFor ?? 'untold'] : []));
    const [bound, deleted] = [own.length - waits.length, new Set(ended.map(({ pod }) => pod.uid)).size];
    const marked = own.filter((pod) => pod.marked && !pod.ending).length;
    return [`${tenant} ${arrival.name}`, { bound, waits, deleted, marked }] as const;
  });
  return Object.fromEntries(all);
}
