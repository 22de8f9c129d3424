import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { before, describe, it } from 'node:test';

import { load } from 'js-yaml';

import { applyPatch } from '../../src/kube/index.ts';
import { release } from '../support/chart.ts';
import { eventually, withCluster, type KubeObject } from '../support/index.ts';
import { exampleFiles, valueSets, withHelm, type Values } from './helm.ts';
import { monitoringCrds } from './monitoringCrds.ts';
import { samples } from './samples.ts';

const valuesByName: Readonly<Record<string, Values>> = {
  ...valueSets,
  ...Object.fromEntries(exampleFiles.map((path) => [basename(path), load(readFileSync(path, 'utf8')) as Values])),
};

describe('the API server', () => {
  const cluster = withCluster({ crds: true, kwok: false });
  const helm = withHelm();

  /** Server-side apply, as Helm does it; stores nothing. An unknown field is refused. */
  const dryRun = async (manifest: KubeObject) => {
    const query = { dryRun: 'All', fieldManager: 'helm', force: 'true', fieldValidation: 'Strict' };
    const path = await cluster.client.path(manifest);
    await cluster.client.transport.request({ method: 'PATCH', path, query, contentType: applyPatch, body: manifest });
  };

  before(async () => {
    const { client } = cluster;
    const metadata = { name: release.namespace };
    await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata });
    for (const crd of monitoringCrds) await client.create(crd as KubeObject);
    const path = '/apis/monitoring.coreos.com/v1';
    await eventually(async () => {
      const served = await client.transport.request<{ resources: readonly object[] }>({ method: 'GET', path });
      assert.equal(served.resources.length, monitoringCrds.length);
    });
  });

  for (const [name, values] of Object.entries(valuesByName)) {
    it(`takes every object of the chart, with ${name}`, async () => {
      const objects = await helm.render(values);
      assert.ok(objects.length > 5);
      for (const object of objects) await dryRun(object);
    });
  }

  for (const sample of samples) {
    it(`takes the sample ${sample.kind} ${sample.metadata.name}`, () => dryRun(sample));
  }

  describe('with the roles of the chart', () => {
    const kaist = { name: 'kaist', quotas: ['kaist'], subjects: [{ kind: 'Group', name: 'kaist-managers' }] };
    const may = async (groups: readonly string[], verb: string, resource: string, name = '') => {
      const review = {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        metadata: { name: '' },
        spec: { user: 'kim', groups, resourceAttributes: { group: 'moa.dev', verb, resource, name } },
      };
      return (await cluster.client.create<typeof review & { status: { allowed: boolean } }>(review)).status.allowed;
    };

    before(async () => {
      const { client } = cluster;
      const rbac = 'rbac.authorization.k8s.io/v1';
      const objects = await helm.render({ access: { managers: [kaist] } });
      for (const object of objects.filter(({ apiVersion }) => apiVersion === rbac)) await client.apply(object);
      for (const role of ['view', 'edit', 'admin']) {
        const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role };
        const everywhere = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: `cluster-${role}` }];
        const here = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: `namespace-${role}` }];
        const metadata = { name: `test-${role}` };
        await client.create({
          apiVersion: rbac,
          kind: 'ClusterRoleBinding',
          metadata,
          roleRef,
          subjects: everywhere,
        } as KubeObject);
        await client.create({ apiVersion: rbac, kind: 'RoleBinding', metadata, roleRef, subjects: here } as KubeObject);
      }
      await eventually(async () => assert.equal(await may(['cluster-view'], 'list', 'gpupools'), true));
      await eventually(async () => assert.equal(await may(['cluster-edit'], 'create', 'gpupools'), true));
      await eventually(async () => assert.equal(await may(['cluster-admin'], 'create', 'gpupools'), true));
      await eventually(async () => assert.equal(await may(['kaist-managers'], 'list', 'gpupools'), true));
    });

    const table: readonly (readonly [who: string, verb: string, resource: string, name: string, want: boolean])[] = [
      ['kaist-managers', 'watch', 'matchinginvestments', '', true],
      ['kaist-managers', 'patch', 'researchquotas', 'kaist', true],
      ['kaist-managers', 'patch', 'researchquotas', 'company-a', false],
      ['kaist-managers', 'patch', 'researchquotas/status', 'kaist', false],
      ['kaist-managers', 'delete', 'researchquotas', 'kaist', false],
      ['kaist-managers', 'allot', 'researchquotas', 'kaist', false],
      ['cluster-edit', 'allot', 'researchquotas', 'kaist', true],
      ['kaist-managers', 'create', 'researchquotas', '', false],
      ['kaist-managers', 'patch', 'gpupools', 'national', false],
      ['cluster-view', 'list', 'researchquotas', '', true],
      ['cluster-view', 'patch', 'researchquotas', 'kaist', false],
      ['cluster-edit', 'patch', 'gpupools', 'national', true],
      ['cluster-edit', 'patch', 'gpupools/status', 'national', false],
      ['cluster-admin', 'delete', 'matchinginvestments', 'company-a-2026', true],
      ['namespace-admin', 'list', 'researchquotas', '', false],
      ['namespace-admin', 'patch', 'researchquotas', 'kaist', false],
      ['nobody', 'get', 'gpupools', 'national', false],
    ];
    for (const [who, verb, resource, name, want] of table) {
      it(`${want ? 'lets' : 'does not let'} ${who} ${verb} ${resource} ${name}`, async () => {
        assert.equal(await may([who], verb, resource, name), want);
      });
    }
  });
});
