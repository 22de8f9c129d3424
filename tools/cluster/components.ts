import { join } from 'node:path';

import type { Credentials } from './credentials.ts';
import { nodeMonitorGraceSeconds } from './kwok/index.ts';

/** A process of the control plane. */
export type Component = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kwok' | 'kube-scheduler';

/** What the command lines are made of. */
export interface ComponentSettings {
  readonly dataDir: string;
  readonly ports: Ports;
  readonly credentials: Credentials;
  /** etcd waits for the disk on every write. Needless where the data goes with the process. */
  readonly durable: boolean;
  /** Requests a second that kube-controller-manager and kube-scheduler may send. */
  readonly qps: number;
  /** Appended to kube-apiserver's flags; a later flag wins over an earlier one. */
  readonly apiServerFlags: readonly string[];
}

/** TCP ports on the loopback interface. */
export interface Ports {
  readonly etcd: number;
  readonly etcdPeer: number;
  readonly apiServer: number;
}

/** Controllers that something in a simulated cluster needs. Fewer means a faster start and less to watch. */
const controllers = [
  'clusterrole-aggregation-controller',
  'cronjob-controller',
  'daemonset-controller',
  'deployment-controller',
  'disruption-controller',
  'garbage-collector-controller',
  'job-controller',
  'namespace-controller',
  'node-lifecycle-controller',
  'persistentvolume-binder-controller',
  'persistentvolume-protection-controller',
  'persistentvolumeclaim-protection-controller',
  'pod-garbage-collector-controller',
  'replicaset-controller',
  'resourcequota-controller',
  'serviceaccount-controller',
  'serviceaccount-token-controller',
  'statefulset-controller',
  'taint-eviction-controller',
  'ttl-after-finished-controller',
  'validatingadmissionpolicy-status-controller',
];

/** The arguments that each component is started with. */
export const componentArguments: Readonly<Record<Component, (settings: ComponentSettings) => readonly string[]>> = {
  etcd: ({ dataDir, ports, durable }) => [
    '--name=moa',
    `--data-dir=${join(dataDir, 'etcd')}`,
    `--listen-client-urls=http://127.0.0.1:${ports.etcd}`,
    `--advertise-client-urls=http://127.0.0.1:${ports.etcd}`,
    `--listen-peer-urls=http://127.0.0.1:${ports.etcdPeer}`,
    `--initial-advertise-peer-urls=http://127.0.0.1:${ports.etcdPeer}`,
    `--initial-cluster=moa=http://127.0.0.1:${ports.etcdPeer}`,
    // A busy day of a demo writes far more than the default of 2 GiB.
    `--quota-backend-bytes=${8 * 1024 ** 3}`,
    '--snapshot-count=100000',
    '--log-level=warn',
    ...(durable ? [] : ['--unsafe-no-fsync']),
  ],

  'kube-apiserver': ({ ports, credentials, apiServerFlags }) => [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${ports.apiServer}`,
    `--cert-dir=${credentials.certificateDir}`,
    '--authorization-mode=Node,RBAC',
    `--token-auth-file=${credentials.tokenFile}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${credentials.serviceAccountPublicKey}`,
    `--service-account-signing-key-file=${credentials.serviceAccountPrivateKey}`,
    '--service-cluster-ip-range=10.0.0.0/16',
    // Nothing routes to the kubernetes service here, and a loopback address is not allowed as its endpoint.
    '--endpoint-reconciler-type=none',
    // Pods can be created in a namespace at once, before a controller has made its service account; no pod mounts a token.
    '--disable-admission-plugins=ServiceAccount',
    '--max-requests-inflight=3000',
    '--max-mutating-requests-inflight=1500',
    '--delete-collection-workers=8',
    '--shutdown-delay-duration=0s',
    ...apiServerFlags,
  ],

  'kube-controller-manager': ({ dataDir, credentials, qps }) => [
    `--kubeconfig=${kubeconfigOf(dataDir, 'kube-controller-manager')}`,
    `--controllers=${controllers.join(',')}`,
    `--service-account-private-key-file=${credentials.serviceAccountPrivateKey}`,
    '--leader-elect=false',
    '--secure-port=0',
    `--kube-api-qps=${qps}`,
    `--kube-api-burst=${2 * qps}`,
    '--concurrent-job-syncs=16',
    '--concurrent-namespace-syncs=20',
    `--node-monitor-grace-period=${nodeMonitorGraceSeconds}s`,
  ],

  kwok: ({ dataDir }) => [
    `--kubeconfig=${kubeconfigOf(dataDir, 'kwok')}`,
    `--config=${join(dataDir, 'kwok.yaml')}`,
    '--v=WARN',
  ],

  'kube-scheduler': ({ dataDir, qps }) => [
    `--kubeconfig=${kubeconfigOf(dataDir, 'kube-scheduler')}`,
    '--leader-elect=false',
    '--secure-port=0',
    `--kube-api-qps=${qps}`,
    `--kube-api-burst=${2 * qps}`,
  ],
};

/** Path of the kubeconfig of one of the components. */
export function kubeconfigOf(dataDir: string, component: Component): string {
  return join(dataDir, 'pki', `${component}.kubeconfig`);
}
