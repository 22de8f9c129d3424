import assert from 'node:assert/strict';
import { request } from 'node:https';
import { before, describe, it } from 'node:test';

import { loadKubeConfig } from '../../src/kube/index.ts';
import {
  eventually,
  impersonationOf,
  release,
  renderChart,
  withCluster,
  type Actor,
  type KubeObject,
} from '../support/index.ts';

interface FlowObject extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly uid: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const flowControl = 'flowcontrol.apiserver.k8s.io/v1';
const kind = (name: string) => ({ apiVersion: flowControl, kind: name });

const operator: Actor = {
  user: `system:serviceaccount:${release.namespace}:${release.name}`,
  group: 'system:serviceaccounts',
};
const researcher: Actor = { user: 'kim', group: 'system:authenticated' };
const portal: Actor = { user: 'system:serviceaccount:portal:portal', group: 'system:serviceaccounts' };
const kubelet: Actor = { user: 'system:node:n1', group: 'system:nodes' };
const jobController: Actor = {
  user: 'system:serviceaccount:kube-system:job-controller',
  group: 'system:serviceaccounts:kube-system',
};

const pods = '/api/v1/namespaces/kaist-vision/pods';
const leases = `/apis/coordination.k8s.io/v1/namespaces/${release.namespace}/leases`;

describe('the API server, with the flow control of the chart', () => {
  const cluster = withCluster({ kwok: false });
  const names = new Map<string, string>();

  before(async () => {
    const { client } = cluster;
    const values = { 'flowControl.institutions.exempt.serviceAccountNamespaces': ['argocd'] };
    for (const object of await renderChart(['flowcontrol.yaml'], values)) await client.create(object);
    await eventually(async () => {
      const own = await client.list<FlowObject>(kind('FlowSchema'), { labelSelector: 'app.kubernetes.io/name=moa' });
      assert.equal(own.length, 4);
      for (const { metadata, status } of own) {
        const dangling = status?.conditions?.find(({ type }) => type === 'Dangling');
        assert.equal(dangling?.status, 'False', metadata.name);
      }
    });
    for (const name of ['FlowSchema', 'PriorityLevelConfiguration'])
      for (const { metadata } of await client.list<FlowObject>(kind(name))) names.set(metadata.uid, metadata.name);
  });

  /** By which schema and level the API server took a request, whatever it answered. */
  const takenBy = (actor: Actor, method: string, path: string) => {
    const config = loadKubeConfig(cluster.kubeconfig);
    const { server = '', caData = '' } = config.getCurrentCluster() ?? {};
    const headers = { authorization: `Bearer ${config.getCurrentUser()?.token ?? ''}`, ...impersonationOf(actor) };
    return new Promise<string>((resolve, reject) => {
      const ca = Buffer.from(caData, 'base64');
      const sent = request(new URL(path, server), { method, headers, ca }, (answer) => {
        answer.resume();
        const nameOf = (header: string) => names.get(String(answer.headers[header])) ?? 'unknown';
        resolve(`${nameOf('x-kubernetes-pf-flowschema-uid')} at ${nameOf('x-kubernetes-pf-prioritylevel-uid')}`);
      });
      sent.on('error', reject).end();
    });
  };

  const table: readonly (readonly [
    what: string,
    actor: Actor,
    request: readonly [method: string, path: string],
    want: string,
  ])[] = [
    ["takes the operator's bindings at its level", operator, ['POST', `${pods}/p/binding`], 'moa at moa'],
    ["takes the operator's lists at its level", operator, ['GET', '/api/v1/nodes'], 'moa at moa'],
    [
      'takes the lease of the operator with the leases of the system',
      operator,
      ['PUT', `${leases}/moa-leader`],
      'moa-leader at leader-election',
    ],
    [
      "takes what people write in namespaces by the namespaces' turns",
      researcher,
      ['POST', pods],
      'moa-institutions at moa-institutions',
    ],
    [
      'takes what a portal deletes in a namespace likewise',
      portal,
      ['DELETE', `${pods}/p`],
      'moa-institutions at moa-institutions',
    ],
    [
      'takes what people write of other kinds likewise',
      researcher,
      ['POST', '/apis/batch/v1/namespaces/kaist-vision/jobs'],
      'moa-institutions at moa-institutions',
    ],
    [
      'lets administrators go before whoever floods a namespace',
      { user: 'root', group: 'kubeadm:cluster-admins' },
      ['DELETE', pods],
      'moa-platform at workload-low',
    ],
    [
      "lets what works in everybody's namespaces go before as well",
      { user: 'system:serviceaccount:argocd:controller', group: 'system:serviceaccounts' },
      ['PATCH', `${pods}/p`],
      'moa-platform at workload-low',
    ],
    [
      'leaves evictions and bindings of others alone',
      portal,
      ['POST', `${pods}/p/eviction`],
      'service-accounts at workload-low',
    ],
    [
      "leaves the leases of other people's controllers alone",
      portal,
      ['PUT', '/apis/coordination.k8s.io/v1/namespaces/portal/leases/portal'],
      'service-accounts at workload-low',
    ],
    ['leaves what people read alone', researcher, ['GET', pods], 'global-default at global-default'],
    [
      'leaves what people write of the cluster alone',
      researcher,
      ['POST', '/api/v1/namespaces'],
      'global-default at global-default',
    ],
    ['leaves kubelets alone', kubelet, ['PATCH', `${pods}/p/status`], 'system-nodes at system'],
    [
      'leaves the controllers of Kubernetes alone',
      jobController,
      ['POST', pods],
      'kube-system-service-accounts at workload-high',
    ],
  ];
  for (const [what, actor, [method, path], want] of table) {
    it(what, async () => {
      assert.equal(await takenBy(actor, method, path), want);
    });
  }
});
