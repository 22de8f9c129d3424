import type { OutgoingHttpHeaders } from 'node:http';
import type { RequestOptions } from 'node:https';

import type { KubeConfig } from '@kubernetes/client-node';

import { createTransport, loadKubeConfig } from '../../src/kube/index.ts';
import { TestClient } from './client.ts';

/** Somebody who speaks to the API server. */
export interface Actor {
  readonly user: string;
  readonly group?: string;
}

/** A client for somebody else, by the administrator's right to impersonate. The API server authorizes it as that user. */
export function clientOf(kubeconfig: string, actor: Actor): TestClient {
  return new TestClient(createTransport({ kubeConfig: impersonating(kubeconfig, actor), userAgent: 'moa-test' }));
}

/** The headers that make a request of the administrator one of somebody else. */
export function impersonationOf({ user, group }: Actor): Readonly<Record<string, string>> {
  return { 'impersonate-user': user, ...(group === undefined ? {} : { 'impersonate-group': group }) };
}

function impersonating(kubeconfig: string, actor: Actor): KubeConfig {
  const kubeConfig = loadKubeConfig(kubeconfig);
  const apply = kubeConfig.applyToHTTPSOptions.bind(kubeConfig);
  kubeConfig.applyToHTTPSOptions = async (options: RequestOptions) => {
    await apply(options);
    options.headers = { ...(options.headers as OutgoingHttpHeaders), ...impersonationOf(actor) };
  };
  return kubeConfig;
}
