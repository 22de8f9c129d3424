import type { MilliGpus } from '../units/index.ts';

/** Labels of an object, by key. */
export type Labels = Readonly<Record<string, string>>;

/** A key of a Kubernetes label selector requirement, node affinity operators included. */
export interface Requirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';
  readonly values: readonly string[];
}

/** All requirements must hold. An empty list matches everything. */
export type Selector = readonly Requirement[];

/** One `nodeSelectorTerms` entry: label requirements and, from `matchFields`, requirements on the node's name. */
export interface NodeTerm {
  readonly labels: Selector;
  readonly names: Selector;
}

export interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

export interface Toleration {
  /** Empty with operator `Exists` tolerates every taint. */
  readonly key: string;
  readonly operator: 'Exists' | 'Equal' | 'Lt' | 'Gt';
  readonly value: string;
  /** Empty: every effect. */
  readonly effect: string;
}

/** What scheduling needs to know of a node. Amounts are in the counting unit of `parseResourceQuantity`. */
export interface NodeFacts {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  /** `spec.unschedulable`: the node is cordoned. */
  readonly cordoned: boolean;
  /** Condition `Ready` is True. */
  readonly ready: boolean;
  readonly allocatable: Readonly<Record<string, number>>;
}

/** A port of the host that a container takes. */
export interface HostPort {
  /** `0.0.0.0` = every address of the host. */
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

/** A disk that pods of one node may share only while all of them read (`iscsi`, `rbd`). */
export interface InlineDisk {
  /** Everything by which the disk is known; two disks with a name in common are one. */
  readonly names: readonly string[];
  readonly readOnly: boolean;
}

/** A term of required pod affinity or anti-affinity. */
export interface AffinityTerm {
  readonly topologyKey: string;
  /** Undefined matches no pod. */
  readonly selector: Selector | undefined;
  /** Empty without a `namespaceSelector`: the pod's own namespace. */
  readonly namespaces: readonly string[];
  readonly namespaceSelector: Selector | undefined;
}

/** A topology spread constraint with `whenUnsatisfiable: DoNotSchedule`. */
export interface SpreadConstraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  /** `matchLabelKeys` merged in. Undefined matches no pod. */
  readonly selector: Selector | undefined;
  /** Whether nodes that the pod's selectors rule out are left out of account (`nodeAffinityPolicy`). */
  readonly honorsAffinity: boolean;
  /** Whether nodes whose taints the pod does not tolerate are left out of account (`nodeTaintsPolicy`). */
  readonly honorsTaints: boolean;
}

/** What a shape asks of its node that depends on other pods, or on volumes. */
export interface PodConstraints {
  readonly hostPorts: readonly HostPort[];
  readonly disks: readonly InlineDisk[];
  readonly affinity: readonly AffinityTerm[];
  readonly antiAffinity: readonly AffinityTerm[];
  readonly spread: readonly SpreadConstraint[];
  /** Each pod has volume claims; their names are in {@link PodFacts.claims}. */
  readonly claims: boolean;
}

/** A PersistentVolumeClaim that a pod uses. */
export interface ClaimUse {
  readonly name: string;
  /** Made for the pod from its template (`ephemeral`), and only usable when the pod owns it. */
  readonly ephemeral: boolean;
}

/** A part of one device, which several pods hold together. */
export interface DeviceShare {
  readonly resourceName: string;
  /** Thousandths of the device, a whole number from 1 to 999. */
  readonly milli: number;
}

/**
 * The part of a pod that decides where it may run. Pods made from one template share one PodShape object (interned by
 * `key`), so that feasibility is worked out once for all of them.
 */
export interface PodShape {
  readonly key: string;
  /** Effective requests: init and sidecar containers, pod level and overhead included, `pods: 1` as well. */
  readonly requests: Readonly<Record<string, number>>;
  /** Part of one device, beside `requests`. Only in simulation: Kubernetes has whole devices, and slices as classes. */
  readonly share?: DeviceShare;
  /** `spec.nodeSelector` as requirements. */
  readonly nodeSelector: Selector;
  /** Required node affinity, terms are alternatives; undefined = none asked. An empty list matches no node. */
  readonly nodeTerms: readonly NodeTerm[] | undefined;
  readonly tolerations: readonly Toleration[];
  /** Undefined, as for most pods: where it may run depends on the node alone. */
  readonly constraints: PodConstraints | undefined;
  /** Why Moa can't schedule such a pod: a sentence that names the field; undefined = it can. */
  readonly unsupported: string | undefined;
}

/** How a pod says that it belongs to a gang. */
export interface GangClaim {
  readonly kind: 'label' | 'job' | 'podGroup';
  /** Name of the gang, the Job or the PodGroup, within the pod's namespace. */
  readonly name: string;
  /** For `label`: the declared size. The other kinds look it up. */
  readonly size: number | undefined;
}

/** One domain of a topology level for the whole gang (annotation `moa.dev/topology`). */
export interface TopologyClaim {
  /** The node label that is the level. */
  readonly level: string;
  /** False: `Preferred`, the gang may spread over several domains where no single one holds it. */
  readonly required: boolean;
}

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';

/** What scheduling and accounting need to know of a pod. Times are epoch milliseconds. */
export interface PodFacts {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** Equal sets of labels are one object. */
  readonly labels: Labels;
  /** `spec.schedulerName` is Moa's. */
  readonly ours: boolean;
  readonly createdAt: number;
  /** Undefined while not bound. */
  readonly nodeName: string | undefined;
  readonly phase: PodPhase;
  /** When the pod was bound, as far as its status tells; undefined while it is not bound. */
  readonly boundAt: number | undefined;
  /** When a pod that is being deleted is killed at the latest (`metadata.deletionTimestamp`); undefined = it is not. */
  readonly deletionAt: number | undefined;
  /** When Moa marked the pod as evicted (condition `DisruptionTarget`), shortly before its deletion; undefined = it did not. */
  readonly evictedAt: number | undefined;
  /** `spec.schedulingGates` is not empty: not to be scheduled yet. */
  readonly gated: boolean;
  readonly priority: number;
  readonly shape: PodShape;
  /** In the order of `spec.volumes`. */
  readonly claims: readonly ClaimUse[];
  readonly gang: GangClaim | undefined;
  readonly topology: TopologyClaim | undefined;
  /** Names of the classes that the pod accepts, best first (annotation `moa.dev/class`); undefined = any. */
  readonly classes: readonly string[] | undefined;
  /** Uid of the controller that owns the pod and replaces it when it is evicted. */
  readonly owner: string | undefined;
  /** Label `moa.dev/user`. */
  readonly user: string | undefined;
  /** Declared walltime in milliseconds, from the annotation or `activeDeadlineSeconds`. */
  readonly walltime: number | undefined;
  /** Its budget admitted it as a borrower only (annotation `moa.dev/admitted-as`, written with the binding). */
  readonly borrower: boolean;
  /** A malformed or unsupported annotation, as a sentence that names it and says what to write instead. */
  readonly problem: string | undefined;
  /** Message of the pod's condition `PodScheduled` while it is False: what the last explanation was. */
  readonly explained: string | undefined;
}

/** The size of a Job's or PodGroup's gang; undefined = the object does not exist (yet). */
export type GangSizes = (kind: 'job' | 'podGroup', namespace: string, name: string) => number | undefined;

export interface NamespaceFacts {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A class weight that was in force when an investment's term began. */
export interface PinnedWeight {
  readonly className: string;
  readonly weight: MilliGpus;
}
