import { after, before } from 'node:test';

import { createTransport, loadKubeConfig } from '../../src/kube/index.ts';
import {
  applyCrds,
  endWithParent,
  startControlPlane,
  type ControlPlane,
  type ControlPlaneOptions,
} from '../../tools/cluster/index.ts';
import { TestClient } from './client.ts';
import { uniqueName } from './manifests.ts';

/** A control plane for the tests of one file. Its fields can be read once the first test or hook runs. */
export interface TestCluster {
  readonly plane: ControlPlane;
  /** Path of an administrator's kubeconfig. */
  readonly kubeconfig: string;
  readonly client: TestClient;
  /** Creates a namespace with a name of its own, and returns the name. */
  namespace(labels?: Readonly<Record<string, string>>): Promise<string>;
}

/** What to start for a test file. */
export interface TestClusterOptions extends ControlPlaneOptions {
  /** Install the resources of `crds/` first. */
  readonly crds?: boolean;
}

const startTimeout = { timeout: 120_000 };

/** Starts a control plane before the tests of the enclosing file or suite, and stops it after them. */
export function withCluster(options: TestClusterOptions = {}): TestCluster {
  let plane: ControlPlane | undefined;
  let client: TestClient | undefined;

  before(async () => {
    // The test runner can be killed in a way that no child hears of.
    endWithParent(() => process.exit(1));
    plane = await startControlPlane(options);
    const kubeConfig = loadKubeConfig(plane.kubeconfig);
    client = new TestClient(createTransport({ kubeConfig, userAgent: 'moa-test' }));
    if (options.crds === true) await applyCrds(client.transport);
  }, startTimeout);
  after(async () => {
    await plane?.stop();
    await client?.transport.close();
  });

  const started = <T>(value: T | undefined): T => {
    if (value === undefined)
      throw new Error('the cluster starts before the first test: use it inside a test or a hook');
    return value;
  };
  return {
    get plane() {
      return started(plane);
    },
    get kubeconfig() {
      return started(plane).kubeconfig;
    },
    get client() {
      return started(client);
    },
    namespace: async (labels = {}) => {
      const name = uniqueName('ns');
      await started(client).create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
      return name;
    },
  };
}
