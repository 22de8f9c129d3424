import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { createTransport, isApiError, loadKubeConfig } from '../../src/kube/index.ts';
import type { ControlPlane } from '../../tools/cluster/index.ts';
import { release, renderChart } from './chart.ts';
import { TestClient } from './client.ts';
import type { KubeObject } from './manifests.ts';

/** A rule of RBAC. */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** Whom the operator of a test acts as: the chart's service account, with the chart's roles and nothing else. */
export interface Identity {
  /** Path of a kubeconfig. */
  readonly kubeconfig: string;
  /** All that the roles grant. */
  readonly rules: readonly Rule[];
}

interface KubeconfigFile {
  readonly users: readonly { readonly name: string; readonly user: object }[];
}

const identities = new WeakMap<ControlPlane, Promise<Identity>>();
const tokenSeconds = 86_400;

/** The operator's identity on a control plane; made at the first call. */
export function operatorIdentity(plane: ControlPlane): Promise<Identity> {
  const known = identities.get(plane);
  if (known !== undefined) return known;
  const made = createIdentity(plane);
  identities.set(plane, made);
  return made;
}

async function createIdentity(plane: ControlPlane): Promise<Identity> {
  const client = new TestClient(
    createTransport({ kubeConfig: loadKubeConfig(plane.kubeconfig), userAgent: 'moa-test' }),
  );
  try {
    const { name, namespace } = release;
    await client
      .create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
      .catch((error: unknown) => {
        if (!isApiError(error, 'AlreadyExists')) throw error;
      });
    const objects = await renderChart(['serviceaccount.yaml', 'rbac']);
    for (const object of objects) await client.apply(object);
    const rules = objects.flatMap(
      (object) => (object as KubeObject & { readonly rules?: readonly Rule[] }).rules ?? [],
    );
    return { kubeconfig: await kubeconfigFor(plane, { client, name, namespace }), rules };
  } finally {
    await client.transport.close();
  }
}

/** A kubeconfig of a service account, made from the administrator's. */
async function kubeconfigFor(
  plane: ControlPlane,
  account: { readonly client: TestClient; readonly name: string; readonly namespace: string },
): Promise<string> {
  const { client, name, namespace } = account;
  const { status } = await client.transport.request<{ status: { token: string } }>({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: tokenSeconds },
    },
  });
  const config = JSON.parse(readFileSync(plane.kubeconfig, 'utf8')) as KubeconfigFile;
  const users = config.users.map((user) => ({ name: user.name, user: { token: status.token } }));
  const path = join(mkdtempSync(join(plane.dataDir, 'account-')), 'kubeconfig');
  writeFileSync(path, JSON.stringify({ ...config, users }), { mode: 0o600 });
  return path;
}

const verbs: Readonly<Record<string, string>> = {
  GET: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
  WATCH: 'watch',
};

/**
 * What an operator was refused for want of a rule, by its own metrics: `create pods/binding`. Other refusals do not
 * count: nobody may create anything in a namespace that is being deleted.
 */
export function missingRules(metricsPage: string, rules: readonly Rule[]): readonly string[] {
  const refused = metricsPage
    .split('\n')
    .filter((line) => /^moa_api_requests_total\{.*code="403".*\} [1-9]/.test(line));
  const label = (line: string, name: string): string => new RegExp(`[{,]${name}="([^"]*)"`).exec(line)?.[1] ?? '';
  return refused
    .map((line) => ({ verb: verbs[label(line, 'verb')] ?? label(line, 'verb'), resource: label(line, 'resource') }))
    .filter(({ verb, resource }) => {
      const granted = rules.some((rule) => rule.resources.includes(resource) && rule.verbs.includes(verb));
      // A list and a get are both GET: whichever it was, reading is refused for no other cause.
      return verb === 'get' || !granted;
    })
    .map(({ verb, resource }) => `${verb} ${resource}`);
}
