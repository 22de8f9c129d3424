import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { dump, loadAll } from 'js-yaml';

import { ensureBinaries, printProgress } from '../../tools/cluster/index.ts';
import { release } from '../support/chart.ts';
import type { KubeObject } from '../support/index.ts';

/** Where the chart is. */
export const chart = fileURLToPath(new URL('../../charts/moa', import.meta.url));

/** Values as they would stand in a file that somebody gives with `--values`. */
export type Values = Readonly<Record<string, unknown>>;

/** Sets of values of which each must lint, render, and be taken by the API server. */
export const valueSets: Readonly<Record<string, Values>> = {
  'nothing set': {},
  PostgreSQL: { ledger: { engine: 'PostgreSQL', postgresql: { existingSecret: 'moa-ledger', caSecret: 'db-ca' } } },
  'everything switched on': {
    nameOverride: 'gpus',
    image: {
      repository: 'registry.example.org/moa',
      digest: `sha256:${'0'.repeat(64)}`,
      pullSecrets: [{ name: 'pull' }],
    },
    replicas: 3,
    ledger: { engine: 'PostgreSQL', postgresql: { existingSecret: 'moa-ledger' } },
    config: { 'log-level': 'debug', 'bind-concurrency': 8 },
    serviceAccount: { annotations: { 'example.org/role': 'moa' } },
    access: {
      managers: [
        {
          name: 'kaist',
          quotas: ['kaist-vision'],
          subjects: [
            { kind: 'User', name: 'kim@example.org' },
            { kind: 'ServiceAccount', name: 'portal', namespace: 'portal' },
          ],
        },
        { name: 'auditors', subjects: [{ kind: 'Group', name: 'auditors' }] },
      ],
    },
    topologySpread: { hosts: 'ScheduleAnyway', zones: 'Off' },
    flowControl: {
      operatorShares: 100,
      institutions: {
        shares: 5,
        borrowingLimitPercent: 100,
        extraResources: [{ apiGroups: ['kubeflow.org'], resources: ['pytorchjobs'] }],
        exempt: { groups: ['platform'], serviceAccountNamespaces: ['argocd'] },
      },
    },
    affinity: { nodeAffinity: {} },
    tolerations: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' }],
    podLabels: { 'example.org/team': 'pool' },
    podAnnotations: { 'example.org/note': 'pool' },
    extraEnv: [{ name: 'HTTPS_PROXY', value: 'http://proxy.example.org:3128' }],
    metrics: {
      serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
      rules: { enabled: true, labels: { release: 'prometheus' } },
      dashboard: { enabled: true, annotations: { 'example.org/folder': 'GPUs' } },
    },
    networkPolicy: {
      enabled: true,
      metricsFrom: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
      extraEgress: [{ ports: [{ port: 4318, protocol: 'TCP' }] }],
    },
  },
  'everything switched off': {
    fullnameOverride: 'pool',
    replicas: 0,
    ledger: { sqlite: { existingClaim: 'books' } },
    crds: { enabled: false },
    serviceAccount: { create: false, name: 'operator' },
    access: { aggregateView: false, aggregateEdit: false },
    flowControl: { enabled: false },
    priorityClassName: '',
    podDisruptionBudget: { enabled: false },
    nodeSelector: { 'kubernetes.io/os': null },
    fsGroup: null,
  },
};

/** The Kubernetes that the chart is rendered for without a cluster: that of the local control plane. */
const testedVersion = '1.36.1';

/** Files of values that come with the chart. */
export const exampleFiles: readonly string[] = readdirSync(join(chart, 'examples')).map((file) =>
  join(chart, 'examples', file),
);

export interface Helm {
  /** Runs helm, and gives what it printed. @throws HelmError with what it said when it refuses */
  run(...args: readonly string[]): Promise<string>;
  /** Writes values into a file for `--values`. */
  file(values: Values): string;
  /** The objects that the chart makes of some values, without a cluster, for a version of Kubernetes. */
  render(values: Values, kubeVersion?: string): Promise<readonly KubeObject[]>;
}

/** Helm refused; the message is what it said. */
export class HelmError extends Error {
  override readonly name = 'HelmError';
}

/** The pinned Helm, with a home of its own, for the tests of the enclosing file or suite. */
export function withHelm(kubeconfig: () => string = () => '/dev/null'): Helm {
  let program = '';
  let home = '';
  let files = 0;
  before(
    async () => {
      home = mkdtempSync(join(tmpdir(), 'moa-helm-'));
      program = (await ensureBinaries(['helm'], printProgress())).helm;
    },
    // Helm is built once, from source, and takes some minutes.
    { timeout: 900_000 },
  );
  after(() => rmSync(home, { recursive: true, force: true }));

  const run = async (...args: readonly string[]): Promise<string> => {
    const env = {
      ...process.env,
      KUBECONFIG: kubeconfig(),
      HELM_CACHE_HOME: join(home, 'cache'),
      HELM_CONFIG_HOME: join(home, 'config'),
      HELM_DATA_HOME: join(home, 'data'),
    };
    try {
      return (await promisify(execFile)(program, args, { env, maxBuffer: 64 * 1024 * 1024 })).stdout;
    } catch (error) {
      const { stderr, stdout } = error as { stderr?: string; stdout?: string };
      throw new HelmError(`${stderr ?? ''}${stdout ?? ''}`.trim() || String(error), { cause: error });
    }
  };
  const file = (values: Values): string => {
    const path = join(home, `values-${files++}.yaml`);
    writeFileSync(path, dump(values));
    return path;
  };
  return {
    run,
    file,
    render: async (values, kubeVersion = testedVersion) => {
      const args = ['--namespace', release.namespace, '--values', file(values), '--kube-version', kubeVersion];
      const documents = loadAll(await run('template', release.name, chart, ...args)) as (KubeObject | null)[];
      return documents.filter((document) => document !== null);
    },
  };
}
