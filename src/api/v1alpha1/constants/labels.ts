/**
 * Every label, annotation and taint key that Moa reads or writes. The tables are the source of
 * docs/reference/labels-and-annotations.md.
 */

/** Where a key stands and what its value means. */
export interface KeyDoc {
  readonly key: string;
  /** Kind of object that carries the key. */
  readonly on: 'Pod' | 'Node' | 'Namespace';
  /** Form of the value, for people. */
  readonly value: string;
  readonly meaning: string;
}

/** Labels and taints of Moa's own prefix. */
export const labels = {
  gang: {
    key: 'moa.dev/gang',
    on: 'Pod',
    value: 'a name, unique in the namespace',
    meaning:
      'Pods of one namespace with the same gang name form one workload: all of it starts or none of it does. Needs the annotation `moa.dev/gang-size`.',
  },
  user: {
    key: 'moa.dev/user',
    on: 'Pod',
    value: 'a user name',
    meaning:
      'Who runs the pod: for `spec.capacity.perUserMax` of the quota and for reports. Absent: no limit per user.',
  },
  institution: {
    key: 'moa.dev/institution',
    on: 'Namespace',
    value: 'an institution',
    meaning:
      'Whom the namespace belongs to. Quotas select their namespaces by it, and the admission policies of the chart apply to namespaces that carry it.',
  },
  contributor: {
    key: 'moa.dev/contributor',
    on: 'Node',
    value: 'name of a ResearchQuota',
    meaning: 'Who brought the node, for `spec.contributions` of a GpuPool.',
  },
  investment: {
    key: 'moa.dev/investment',
    on: 'Node',
    value: 'name of a MatchingInvestment',
    meaning: 'The investment that the node was bought under. A node counts in one investment only.',
  },
  funding: {
    key: 'moa.dev/funding',
    on: 'Node',
    value: '`investor` or `state`',
    meaning: 'Whose money paid for the node: tells the contributed nodes of an investment from the matched ones.',
  },
  block: {
    key: 'moa.dev/block',
    on: 'Node',
    value: 'a name',
    meaning: 'Network block of the node: a topology level between the zone and the NVLink domain.',
  },
  pool: {
    key: 'moa.dev/pool',
    on: 'Node',
    value: 'name of a GpuPool',
    meaning:
      'Key of the taint (effect NoSchedule) that an isolated pool keeps on its nodes. Moa ignores the taint of its own pool when it places a pod.',
  },
} as const satisfies Readonly<Record<string, KeyDoc>>;

/** Annotations of Moa's own prefix. */
export const annotations = {
  gangSize: {
    key: 'moa.dev/gang-size',
    on: 'Pod',
    value: 'a whole number, 1 or more',
    meaning: 'How many pods the gang of the label `moa.dev/gang` has. It waits until that many exist.',
  },
  gangOfJob: {
    key: labels.gang.key,
    on: 'Pod',
    value: '`true`',
    meaning: "On the pod template of a `batch/v1` Job: the Job's pods are one gang of `spec.parallelism` pods.",
  },
  topology: {
    key: 'moa.dev/topology',
    on: 'Pod',
    value: 'a node label that is a topology level of the pool',
    meaning: 'The whole gang runs within one domain of that level.',
  },
  topologyMode: {
    key: 'moa.dev/topology-mode',
    on: 'Pod',
    value: '`Required` (default) or `Preferred`',
    meaning: 'Whether a gang that no single domain holds waits (Required) or spreads over several (Preferred).',
  },
  acceleratorClass: {
    key: 'moa.dev/class',
    on: 'Pod',
    value: 'names of accelerator classes of the pool, with commas between them',
    meaning:
      'The classes that the workload accepts, best first. Absent: any class that the selectors of the pod allow, the one that leaves the pool most useful.',
  },
  walltime: {
    key: 'moa.dev/walltime',
    on: 'Pod',
    value: 'a duration such as `12h` or `P2D`',
    meaning:
      "The longest that the workload may run. Absent: `spec.activeDeadlineSeconds` of the pod, then the quota's `defaultWalltime`, then 24h. Past it the workload may be evicted.",
  },
  admittedAs: {
    key: 'moa.dev/admitted-as',
    on: 'Pod',
    value: '`Borrower`',
    meaning:
      'Written by Moa with the binding: the budget had only its grace left, so the workload counts as borrowed and may be reclaimed whatever its quota is guaranteed.',
  },
} as const satisfies Readonly<Record<string, KeyDoc>>;

/** Value of the annotation `moa.dev/admitted-as`. */
export const borrowerAdmission = 'Borrower';

/** Keys that belong to others and that Moa reads. */
export const foreignKeys = {
  podGroup: {
    key: 'scheduling.x-k8s.io/pod-group',
    on: 'Pod',
    value: 'name of a PodGroup in the namespace',
    meaning: "The pod belongs to that PodGroup's gang of `spec.minMember` pods. Kubeflow, Ray and Spark set it.",
  },
  hostname: {
    key: 'kubernetes.io/hostname',
    on: 'Node',
    value: 'a host name',
    meaning: 'The narrowest topology level, always implied as the last one.',
  },
} as const satisfies Readonly<Record<string, KeyDoc>>;

/** Values of the node label `moa.dev/funding`. */
export const funding = { investor: 'investor', state: 'state' } as const;

/** The PodGroup resource whose `minMember` Moa reads; it need not be installed. */
export const podGroups = { group: 'scheduling.x-k8s.io', version: 'v1alpha1', plural: 'podgroups' } as const;

/** The pod condition, one of Kubernetes' own, with which Moa marks the pods of a workload before it deletes them. */
export const evictionMark = { type: 'DisruptionTarget', reason: 'PreemptionByScheduler' } as const;
