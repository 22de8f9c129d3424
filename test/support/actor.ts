import type { OutgoingHttpHeaders } from 'node:http';
import type { RequestOptions } from 'node:https';

import { createTransport, loadKubeConfig } from '../../src/kube/index.ts';
import { TestClient, type TestCluster } from '../support/index.ts';

/** Somebody who speaks to the API server. */
export interface Actor {
  readonly user: string;
  readonly group?: string;
}

/** A client for somebody else, by the administrator's right to impersonate. The API server authorizes it as that user. */
export function clientOf(cluster: TestCluster, { user, group }: Actor): TestClient {
  const kubeConfig = loadKubeConfig(cluster.kubeconfig);
  const apply = kubeConfig.applyToHTTPSOptions.bind(kubeConfig);
  kubeConfig.applyToHTTPSOptions = async (options: RequestOptions) => {
    await apply(options);
    const impersonated = { 'impersonate-user': user, ...(group === undefined ? {} : { 'impersonate-group': group }) };
    options.headers = { ...(options.headers as OutgoingHttpHeaders), ...impersonated };
  };
  return new TestClient(createTransport({ kubeConfig, userAgent: 'moa-test' }));
}
