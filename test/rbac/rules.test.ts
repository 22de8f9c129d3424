import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { claimOf, storageClassOf, volumeOf, type Disk } from '../faults/disks.ts';
import { Estate } from '../scheduler/estate.ts';
import {
  eventually,
  jobManifest,
  operatorIdentity,
  release,
  startOperator,
  uniqueName,
  withCluster,
  type KubeObject,
} from '../support/index.ts';

/** What the chart grants and the run below has no occasion for, and which occasion it is for. */
const elsewhere: Readonly<Record<string, string>> = {
  'patch events': 'an event that comes again within ten minutes is counted: src/kube/events.test.ts',
  'get persistentvolumeclaims': 'a claim is looked at once more when the watch is late: test/scheduler/feasibility',
};

interface AuditEvent {
  readonly verb: string;
  readonly objectRef?: { readonly apiGroup?: string; readonly resource: string; readonly subresource?: string };
  readonly responseStatus?: { readonly code: number };
}

const local: Disk = { name: 'local', provisioner: 'kubernetes.io/no-provisioner' };
const made: Disk = { name: 'made', provisioner: 'example.test/none' };

describe("the operator's roles", () => {
  const folder = mkdtempSync(join(tmpdir(), 'moa-audit-'));
  after(() => rmSync(folder, { recursive: true }));
  const [policy, log] = [join(folder, 'policy.json'), join(folder, 'audit.log')];
  const user = `system:serviceaccount:${release.namespace}:${release.name}`;
  writeFileSync(
    policy,
    JSON.stringify({
      apiVersion: 'audit.k8s.io/v1',
      kind: 'Policy',
      omitStages: ['RequestReceived'],
      rules: [{ level: 'Metadata', users: [user] }, { level: 'None' }],
    }),
  );
  const apiServerFlags = [`--audit-policy-file=${policy}`, `--audit-log-path=${log}`, '--audit-log-mode=blocking'];
  const cluster = withCluster({ crds: true, apiServerFlags });

  /** `verb resource` of each request that the API server has carried out for the operator. */
  const used = (): ReadonlySet<string> => {
    const events = readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line) => JSON.parse(line) as AuditEvent);
    return new Set(
      events.flatMap(({ verb, objectRef, responseStatus }) => {
        if (objectRef === undefined || (responseStatus?.code ?? 0) >= 400) return [];
        const { resource, subresource } = objectRef;
        return [`${verb} ${subresource === undefined ? resource : `${resource}/${subresource}`}`];
      }),
    );
  };

  it('grant each verb that it uses, and none that it does not', async (context) => {
    const { client } = cluster;
    await client.create(podGroupDefinition);
    const flags = (n: number) => ['--leader-elect=true', '--ledger-journal', join(folder, `${n}.journal`)];
    const leader = await startOperator(cluster.plane, flags(1));
    const follower = await startOperator(cluster.plane, flags(2));
    for (const operator of [leader, follower]) context.after(() => operator.kill());

    // An isolated pool, a gang of a Job, volumes bound and provisioned, a reclaim, an investment.
    const spec = { isolate: true, scheduling: { reclaim: { minRuntime: '0s', notice: '1s' } } };
    const estate = await Estate.create(cluster, [{ labels: { from: 'investor' } }], spec);
    const owner = await estate.tenant({ guaranteed: 8 });
    const borrower = await estate.tenant();
    const contribution = {
      items: [{ class: 'h200', gpus: 1 }],
      nodeSelector: { matchLabels: { from: 'investor' } },
    };
    await client.create(
      estate.resource('MatchingInvestment', uniqueName('deal'), { investorName: owner.quota, contribution }),
    );
    const [node] = await estate.nodes();
    await client.create(storageClassOf(local));
    await client.create(storageClassOf(made));
    await client.create(volumeOf(local, node!.metadata.name));
    for (const disk of [local, made]) {
      const claim = claimOf(disk, disk.name);
      await client.create({ ...claim, metadata: { ...claim.metadata, namespace: borrower.namespace } });
    }
    const annotations = { 'moa.dev/gang': 'true' };
    const job = jobManifest({ name: 'gang', namespace: borrower.namespace, gpus: 1, parallelism: 2, annotations });
    await client.create(job);
    await borrower.running(1, { gpus: 1, spec: volumesOf('local') });
    await borrower.pod({ gpus: 1, spec: volumesOf('made') });
    await borrower.running(4, { gpus: 1 });
    await owner.running(1, { gpus: 8 });

    const { rules } = await operatorIdentity(cluster.plane);
    // The role that assigns institutions is for people.
    const granted = rules.flatMap(({ verbs, resources }) =>
      resources
        .filter((resource) => resource !== 'institutions')
        .flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`)),
    );
    // A server that does not stream lists is asked for them page by page.
    const isFallback = (each: string) => each.startsWith('list ') && granted.includes(each.replace('list', 'watch'));
    await eventually(
      () => {
        const seen = used();
        const unused = granted.filter((each) => !seen.has(each) && !(each in elsewhere) && !isFallback(each));
        assert.deepEqual(unused, [], 'granted by charts/moa/templates/rbac, and not used');
        return Promise.resolve();
      },
      { timeoutMs: 30_000 },
    );
    for (const each of Object.keys(elsewhere))
      assert.ok(granted.includes(each), `${each} is no exception: not granted`);
    // Whatever was refused for want of a rule is told when an operator is stopped.
    await leader.stop();
    await follower.stop();
  });

  it('let it read no secret, and write nothing of a workload but what it is there for', async () => {
    const { rules } = await operatorIdentity(cluster.plane);
    const resources = new Set(rules.flatMap((rule) => rule.resources));
    for (const forbidden of [
      'secrets',
      'configmaps',
      '*',
      'pods/exec',
      'serviceaccounts/token',
      'roles',
      'clusterroles',
    ])
      assert.ok(!resources.has(forbidden), forbidden);
    for (const { verbs } of rules) assert.ok(!verbs.includes('*'));
  });
});

const podGroupDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: 'podgroups.scheduling.x-k8s.io',
    annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubernetes-sigs/scheduler-plugins' },
  },
  spec: {
    group: 'scheduling.x-k8s.io',
    names: { kind: 'PodGroup', plural: 'podgroups' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
} as KubeObject;

function volumesOf(claimName: string) {
  return { volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }] };
}
