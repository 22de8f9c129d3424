import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { load } from 'js-yaml';
import {
  apiVersion,
  collectionPath,
  definitions,
  parseResource,
  resources,
  type Kind,
} from '../../src/api/v1alpha1/index.ts';
import { createTransport, loadKubeConfig, mergePatch, type Transport } from '../../src/kube/index.ts';
import { crdOf } from '../../tools/generate/crd.ts';
import { withCluster } from '../support/index.ts';
import { badChanges, badInput } from './badInput.ts';
import { goodManifest, withField, type Manifest } from './manifests.ts';
import { tryCreate, tryReplace, type Verdict } from './server.ts';

const kinds = Object.keys(resources) as Kind[];
const samples = readdirSync('config/samples').map(
  (file) => load(readFileSync(`config/samples/${file}`, 'utf8')) as Manifest,
);

describe('the API server with the resources of Moa', () => {
  const cluster = withCluster({ crds: true, controllerManager: false, kwok: false });
  let transport: Transport;
  before(() => {
    transport = createTransport({ kubeConfig: loadKubeConfig(cluster.kubeconfig), userAgent: 'moa-test' });
  });
  after(() => transport.close());

  const create = (manifest: Manifest) =>
    transport.request<Manifest>({ method: 'POST', path: collectionPath(manifest.kind), body: manifest });

  const kubectl = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(cluster.plane.binaries.kubectl!, args, {
      env: { ...process.env, KUBECONFIG: cluster.kubeconfig },
    });
    return stdout;
  };

  describe('refuses', () => {
    for (const { mistake, kind, field, value, answer } of badInput) {
      it(`${mistake} (${kind})`, async () => {
        const manifest = withField(goodManifest(kind), field, value);
        assert.deepEqual(answersOf(await tryCreate(transport, manifest)), [answer]);
        assert.equal(parseResource(kind, manifest).ok, false);
      });
    }
  });

  describe('refuses as a change', () => {
    let stored: Manifest;
    before(async () => {
      stored = await create(goodManifest('ResearchQuota', 'with-adjustment'));
    });

    for (const { mistake, field, value, answer } of badChanges) {
      it(mistake, async () => {
        assert.deepEqual(answersOf(await tryReplace(transport, withField(stored, field, value))), [answer]);
      });
    }

    it('but takes a further adjustment', async () => {
      const entry = { name: 'e1', date: '2026-09-01', kind: 'Extension', end: '2027-05-31' };
      const verdict = await tryReplace(transport, withField(stored, 'spec.budget.adjustments[1]', entry));
      assert.deepEqual(answersOf(verdict), []);
    });

    it('but takes adjustments in another order', async () => {
      const entry = { name: 'r1', date: '2026-09-01', kind: 'Reduction', normalizedGpuHours: 10 };
      const { budget } = stored.spec as { budget: { adjustments: unknown[] } };
      const reversed = [entry, ...budget.adjustments];
      const verdict = await tryReplace(transport, withField(stored, 'spec.budget.adjustments', reversed));
      assert.deepEqual(answersOf(verdict), []);
    });
  });

  for (const kind of kinds) {
    it(`keeps the schema of ${kind} as it was generated`, async () => {
      const generated = crdOf(definitions[kind]) as { metadata: { name: string }; spec: { versions: object[] } };
      const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${generated.metadata.name}`;
      const stored = await transport.request<typeof generated>({ method: 'GET', path });
      assert.deepEqual(stored.spec.versions, generated.spec.versions);
    });
  }

  const defaults: readonly [kind: Kind, minimal: Manifest['spec'], want: Manifest['spec']][] = [
    [
      'GpuPool',
      { acceleratorClasses: [{ name: 'h200', weight: 1, nodeSelector: { matchLabels: { gpu: 'h200' } } }] },
      {
        acceleratorClasses: [
          { name: 'h200', weight: 1, nodeSelector: { matchLabels: { gpu: 'h200' } }, resourceName: 'nvidia.com/gpu' },
        ],
        isolate: false,
        publicFloor: '0',
        scheduling: {
          placement: 'Pack',
          backfill: true,
          reclaim: { minRuntime: '15m', notice: '2m' },
          fairShare: { halfLife: '168h', historyWeight: '1', preemption: 'Never' },
        },
        accounting: { timeZone: 'UTC', borrowedChargeFactor: '1' },
      },
    ],
    [
      'ResearchQuota',
      { poolName: 'national' },
      {
        poolName: 'national',
        tier: 'Research',
        weight: '1',
        capacity: { guaranteed: '0' },
        limits: {},
        suspend: false,
      },
    ],
    [
      'MatchingInvestment',
      { poolName: 'national', investorName: 'company-a' },
      {
        poolName: 'national',
        investorName: 'company-a',
        contribution: { kind: 'Hardware' },
        entitlement: { ownFraction: '1', matchedFraction: '0' },
        term: {},
        reclaim: { guaranteedAccessWithin: '1h' },
      },
    ],
  ];
  for (const [kind, minimal, want] of defaults) {
    it(`fills in the defaults of a ${kind} that gives only what is required`, async () => {
      const verdict = await tryCreate(transport, { ...goodManifest(kind), spec: minimal });
      assert.ok(verdict.ok);
      assert.deepEqual(verdict.object.spec, want);
    });
  }

  it('tells kubectl of a field that does not exist', async () => {
    const manifest = withField(goodManifest('GpuPool'), 'spec.publicFlor', '0.3');
    await assert.rejects(
      transport.request({
        method: 'POST',
        path: collectionPath('GpuPool'),
        query: { dryRun: 'All', fieldValidation: 'Strict' },
        body: manifest,
      }),
      /unknown field "spec\.publicFlor"/,
    );
  });

  describe('with the samples applied', () => {
    before(async () => {
      for (const sample of samples) await create(sample);
      await setStatus('GpuPool', 'national', {
        capacity: {
          ...{ gpus: 96, normalizedGpus: '128', allocatedGpus: 80, freeGpus: 16 },
          ...{ guaranteed: '120', entitled: '96', public: '32' },
        },
        nodes: { total: 12, ready: 12 },
        conditions: [ready],
      });
      await setStatus('ResearchQuota', 'kaist', {
        capacity: {
          ...{ guaranteed: '80', entitled: '0', effectiveGuarantee: '80' },
          ...{ used: '96.5', borrowed: '16.5', lent: '0' },
        },
        workloads: { pending: 3, running: 12 },
        conditions: [ready],
      });
      await setStatus('MatchingInvestment', 'company-a-2026', {
        ...{ phase: 'Active', effectiveEntitlement: '96', used: '32', lent: '64' },
      });
    });

    const ready = {
      ...{ type: 'Ready', status: 'True', reason: 'Ready', message: 'In force.' },
      lastTransitionTime: '2026-04-01T00:00:00Z',
    };

    const setStatus = (kind: Kind, name: string, status: object) =>
      transport.request({
        method: 'PATCH',
        path: `${collectionPath(kind)}/${name}/status`,
        contentType: mergePatch,
        body: { status },
      });

    const tables: readonly [shortName: string, header: string, row: string][] = [
      ['gp', 'NAME GPUS ALLOCATED FREE READY AGE', 'national 96 80 16 True'],
      ['rq', 'NAME POOL GUARANTEED USED BORROWED PENDING READY AGE', 'kaist national 80 96.5 16.5 3 True'],
      ['mi', 'NAME INVESTOR PHASE ENTITLEMENT USED AGE', 'company-a-2026 company-a Active 96 32'],
    ];
    for (const [shortName, header, row] of tables) {
      it(`kubectl get ${shortName} shows ${header.toLowerCase()}`, async () => {
        const [first, ...rows] = (await kubectl('get', shortName))
          .split('\n')
          .map((line) => line.replaceAll(/ +/g, ' '));
        assert.equal(first?.trim(), header);
        assert.ok(
          rows.some((line) => line.startsWith(`${row} `)),
          rows.join('\n'),
        );
      });
    }

    it('kubectl get moa lists all three kinds', async () => {
      const names = (await kubectl('get', 'moa', '-o', 'name')).trim().split('\n');
      const want = samples.map(({ kind, metadata }) => `${resources[kind].singular}.moa.dev/${metadata.name}`);
      for (const name of want) assert.ok(names.includes(name), `${name} in ${names.join(' ')}`);
    });

    it('kubectl explain shows the meaning of a field', async () => {
      assert.match(await kubectl('explain', 'rq.spec.capacity.lendingLimit'), /others may use while it is idle/);
    });

    for (const sample of samples) {
      it(`reads the sample ${sample.metadata.name} as zod does`, async () => {
        const path = `${collectionPath(sample.kind)}/${sample.metadata.name}`;
        const stored = await transport.request<Manifest>({ method: 'GET', path });
        const local = parseResource(sample.kind, sample);
        assert.ok(local.ok);
        assert.deepEqual(stored.spec, local.resource.spec);
        assert.equal(stored.apiVersion, apiVersion);
      });
    }

    it('the spec cannot be changed through the status, nor the status through the spec', async () => {
      const path = `${collectionPath('ResearchQuota')}/company-a`;
      const body = { spec: { suspend: true }, status: { workloads: { pending: 7, running: 0 } } };
      const after = await transport.request<Manifest & { status?: { workloads?: object } }>({
        ...{ method: 'PATCH', path: `${path}/status`, contentType: mergePatch, body },
      });
      assert.equal(after.spec.suspend, false);
      const later = await transport.request<typeof after>({
        ...{ method: 'PATCH', path, contentType: mergePatch, body: { ...body, status: { workloads: null } } },
      });
      assert.deepEqual(later.status?.workloads, { pending: 7, running: 0 });
    });
  });
});

function answersOf(verdict: Verdict): readonly string[] {
  return verdict.ok ? [] : verdict.problems.map(({ path, message }) => `${path}: ${message}`);
}
