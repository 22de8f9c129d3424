import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';

import { load } from 'js-yaml';

import { loadConfig } from '../../src/config/index.ts';
import { release } from '../support/chart.ts';
import type { KubeObject } from '../support/index.ts';
import { chart, exampleFiles, HelmError, valueSets, withHelm, type Values } from './helm.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };
const postgresql = { engine: 'PostgreSQL', postgresql: { existingSecret: 'moa-ledger' } };

interface Deployment extends KubeObject {
  readonly spec: {
    readonly replicas: number;
    readonly strategy: object;
    readonly template: {
      readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
      readonly spec: PodSpec;
    };
  };
}

interface PodSpec {
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: object;
  readonly topologySpreadConstraints?: readonly { readonly topologyKey: string; readonly whenUnsatisfiable: string }[];
  readonly volumes: readonly { readonly name: string; readonly emptyDir?: object }[];
  readonly containers: readonly {
    readonly image: string;
    readonly args: readonly string[];
    readonly env?: readonly { readonly name: string }[];
    readonly securityContext: object;
  }[];
}

function only(objects: readonly KubeObject[], kind: string): KubeObject {
  const found = objects.filter((object) => object.kind === kind);
  assert.equal(found.length, 1, `one ${kind}`);
  return found[0]!;
}

const deploymentOf = (objects: readonly KubeObject[]) => only(objects, 'Deployment') as Deployment;

describe('the chart', () => {
  const helm = withHelm();

  for (const [name, values] of Object.entries(valueSets)) {
    it(`passes helm lint --strict with ${name}`, async () => {
      await helm.run('lint', '--strict', chart, '--values', helm.file(values));
    });
  }
  for (const path of exampleFiles) {
    it(`passes helm lint --strict with ${path.slice(chart.length + 1)}`, async () => {
      await helm.run('lint', '--strict', chart, '--values', path);
    });
  }

  describe('refuses', () => {
    const table: readonly (readonly [mistake: string, values: Values, answer: RegExp])[] = [
      ['a value that it does not have', { replica: 2 }, /at '': additional properties 'replica' not allowed/],
      [
        'a value that it does not have, deep down',
        { ledger: { sqlite: { sise: '1Gi' } } },
        /at '\/ledger\/sqlite': additional properties 'sise' not allowed/,
      ],
      ['a text for a number', { replicas: 'two' }, /at '\/replicas': got string, want null or integer/],
      ['a fraction of a replica', { replicas: 1.5 }, /at '\/replicas': got number, want null or integer/],
      ['a text for true or false', { crds: { keep: 'yes' } }, /at '\/crds\/keep': got string, want boolean/],
      [
        'an engine that it does not know',
        { ledger: { engine: 'MySQL' } },
        /at '\/ledger\/engine': value must be one of/,
      ],
      [
        'a size that is none',
        { ledger: { sqlite: { size: 'big' } } },
        /at '\/ledger\/sqlite\/size': 'big' does not match/,
      ],
      ['a digest that is none', { image: { digest: 'latest' } }, /at '\/image\/digest': 'latest' does not match/],
      [
        'a setting that the operator does not have',
        { config: { 'log-levl': 'info' } },
        /at '\/config': additional properties 'log-levl' not allowed/,
      ],
      [
        'a setting that follows from the chart',
        { config: { 'metrics-address': ':9090' } },
        /at '\/config': additional properties 'metrics-address' not allowed/,
      ],
      [
        'a setting of another type',
        { config: { 'bind-concurrency': 'many' } },
        /at '\/config\/bind-concurrency': got string, want integer/,
      ],
      [
        'more bindings at once than the operator allows',
        { config: { 'bind-concurrency': 1001 } },
        /at '\/config\/bind-concurrency': maximum: got 1,?001, want 1,?000/,
      ],
      [
        'a collector that is not a URL',
        { config: { 'otlp-endpoint': 'collector:4318' } },
        /at '\/config\/otlp-endpoint': 'collector:4318' does not match/,
      ],
      [
        'a misspelt part of the resources',
        { resources: { limit: { memory: '2Gi' } } },
        /at '\/resources': additional properties 'limit' not allowed/,
      ],
      [
        'an amount of memory that is none',
        { resources: { limits: { memory: '2GB' } } },
        /at '\/resources\/limits\/memory': '2GB' does not match/,
      ],
      [
        'admission that both denies and warns',
        { admission: { actions: ['Deny', 'Warn'] } },
        /admission\.actions: Deny and Warn exclude each other/,
      ],
      [
        'a manager without subjects',
        { access: { managers: [{ name: 'kaist', subjects: [] }] } },
        /at '\/access\/managers\/0\/subjects': minItems: got 0, want 1/,
      ],
      [
        'turns for everything that is written',
        { flowControl: { institutions: { extraResources: [{ apiGroups: ['*'], resources: ['jobs'] }] } } },
        /at '\/flowControl\/institutions\/extraResources\/0\/apiGroups\/0': 'not' failed/,
      ],
      [
        'several replicas with the embedded ledger',
        { replicas: 2 },
        /replicas: 2 operators cannot share the embedded ledger, whose SQLite file has one writer\. Set ledger\.engine/,
      ],
      [
        'PostgreSQL without its Secret',
        { ledger: { engine: 'PostgreSQL' } },
        /ledger\.postgresql\.existingSecret: name a Secret/,
      ],
      [
        'a Secret for PostgreSQL with SQLite',
        { ledger: { postgresql: { existingSecret: 'moa-ledger' } } },
        /ledger\.postgresql: is set, but ledger\.engine is SQLite/,
      ],
      [
        'a claim for SQLite with PostgreSQL',
        { ledger: { ...postgresql, sqlite: { existingClaim: 'books' } } },
        /ledger\.sqlite\.existingClaim: is set, but ledger\.engine is PostgreSQL/,
      ],
      [
        'a foreign service account without a name',
        { serviceAccount: { create: false } },
        /serviceAccount\.name: name the service account/,
      ],
    ];
    for (const [mistake, values, answer] of table) {
      it(`${mistake}, by name`, async () => {
        await assert.rejects(helm.render(values), (error) => error instanceof HelmError && answer.test(error.message));
      });
    }
  });

  it('runs one operator at a time on the volume of the embedded ledger', async () => {
    const objects = await helm.render({});
    const { spec } = deploymentOf(objects);
    assert.equal(spec.replicas, 1);
    assert.deepEqual(spec.strategy, { type: 'Recreate' });
    assert.equal(only(objects, 'PersistentVolumeClaim').metadata.annotations?.['helm.sh/resource-policy'], 'keep');
    assert.deepEqual(kindsAmong(objects, ['PodDisruptionBudget']), []);
    assert.equal(spec.template.spec.topologySpreadConstraints, undefined);
  });

  it('runs two operators on two nodes with PostgreSQL, and drains take one at a time', async () => {
    const objects = await helm.render({ ledger: postgresql });
    const { spec } = deploymentOf(objects);
    assert.equal(spec.replicas, 2);
    assert.deepEqual(spec.strategy, { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
    assert.deepEqual(kindsAmong(objects, ['PersistentVolumeClaim', 'PodDisruptionBudget']), ['PodDisruptionBudget']);
    assert.deepEqual(
      spec.template.spec.topologySpreadConstraints?.map(({ topologyKey, whenUnsatisfiable }) => [
        topologyKey,
        whenUnsatisfiable,
      ]),
      [
        ['kubernetes.io/hostname', 'DoNotSchedule'],
        ['topology.kubernetes.io/zone', 'ScheduleAnyway'],
      ],
    );
  });

  it('gives the URL of PostgreSQL by a Secret alone, never in the configuration or on the command line', async () => {
    const objects = await helm.render({ ledger: postgresql });
    const [container] = deploymentOf(objects).spec.template.spec.containers;
    assert.deepEqual(container?.env, [
      { name: 'MOA_LEDGER', valueFrom: { secretKeyRef: { name: 'moa-ledger', key: 'url' } } },
    ]);
    assert.deepEqual(container.args, ['--config', '/etc/moa/moa.yaml']);
    assert.equal('ledger' in (load(configOf(objects)) as object), false);
  });

  it('keeps the pods restricted, whatever is set', async () => {
    for (const values of Object.values(valueSets)) {
      const { spec } = deploymentOf(await helm.render(values)).spec.template;
      const { fsGroup, fsGroupChangePolicy, ...context } = spec.securityContext as Record<string, unknown>;
      assert.deepEqual(context, { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      assert.equal(fsGroup === undefined, fsGroupChangePolicy === undefined);
      for (const { securityContext } of spec.containers) {
        assert.deepEqual(securityContext, {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
      }
    }
  });

  it('makes new pods when the configuration changes, and only then', async () => {
    const checksum = async (values: Values) =>
      deploymentOf(await helm.render(values)).spec.template.metadata.annotations['moa.dev/config-checksum'];
    const before = await checksum({});
    assert.equal(await checksum({ podDisruptionBudget: { enabled: false } }), before);
    assert.notEqual(await checksum({ config: { 'log-level': 'debug' } }), before);
  });

  for (const [name, values] of Object.entries(valueSets)) {
    it(`writes a configuration that the operator takes, with ${name}`, async () => {
      const objects = await helm.render(values);
      const [container] = deploymentOf(objects).spec.template.spec.containers;
      const byVariable = container?.env?.some((variable) => variable.name === 'MOA_LEDGER') === true;
      const url = 'postgres://moa@db/moa';
      const invocation = loadConfig(['--config', 'moa.yaml'], {
        readFile: () => configOf(objects),
        environment: byVariable ? { MOA_LEDGER: url } : {},
      });
      assert.ok(invocation.kind === 'run');
      const { config } = invocation;
      assert.equal(config.ledger, byVariable ? url : 'sqlite:/var/lib/moa/moa-ledger.sqlite');
      assert.equal(config.ledgerJournal, '/var/lib/moa/moa-ledger.journal');
      assert.equal(config.namespace, release.namespace);
      assert.deepEqual([config.metricsAddress?.port, config.healthAddress?.port], [8080, 8081]);
    });
  }

  it('carries the CustomResourceDefinitions of crds/, and keeps them by default', async () => {
    const rendered = (await helm.render({})).filter(({ kind }) => kind === 'CustomResourceDefinition');
    const generated = readdirSync('crds').map((file) => load(readFileSync(join('crds', file), 'utf8')) as KubeObject);
    const specs = (crds: readonly object[]) => crds.map((crd) => (crd as { spec: object }).spec);
    assert.deepEqual(new Set(specs(rendered)), new Set(specs(generated)));
    assert.ok(rendered.every(({ metadata }) => metadata.annotations?.['helm.sh/resource-policy'] === 'keep'));
    const loose = (await helm.render({ crds: { keep: false } })).filter(({ kind }) => kind.startsWith('CustomRes'));
    assert.ok(loose.every(({ metadata }) => metadata.annotations === undefined));
    assert.deepEqual(kindsAmong(await helm.render({ crds: { enabled: false } }), ['CustomResourceDefinition']), []);
  });

  it('is packaged whole', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'moa-chart-'));
    try {
      await helm.run('package', chart, '--destination', folder);
      const values = helm.file(valueSets['everything switched on']!);
      const render = (from: string) => helm.run('template', release.name, from, '--values', values);
      assert.equal(await render(join(folder, `moa-${version}.tgz`)), await render(chart));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('has the version of the operator', () => {
    const { version: own, appVersion } = load(readFileSync(join(chart, 'Chart.yaml'), 'utf8')) as Record<
      string,
      string
    >;
    assert.deepEqual([own, appVersion], [version, version]);
  });

  it('says so when it was packaged without its generated files', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'moa-chart-'));
    try {
      cpSync(chart, folder, { recursive: true, filter: (path) => basename(path) !== 'files' });
      const args = ['template', release.name, folder, '--set', 'metrics.rules.enabled=true'];
      await assert.rejects(helm.run(...args), /files\/alerts\.yaml is missing in the chart/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('leads from each alert to its page where the runbooks are published', async () => {
    const rules = { enabled: true, runbooks: 'https://pages.example.org/moa/' };
    const rule = only(await helm.render({ metrics: { rules } }), 'PrometheusRule');
    const pages = [...JSON.stringify(rule).matchAll(/"runbook_url":"([^"]*)"/g)].map(([, url]) => url ?? '');
    assert.ok(pages.length > 0);
    assert.deepEqual(
      pages.filter((url) => !/^https:\/\/pages\.example\.org\/moa\/\w+\.md$/.test(url)),
      [],
    );
  });

  it('leaves out the admission policies that the cluster is too old for', async () => {
    const policies = ['ValidatingAdmissionPolicy', 'MutatingAdmissionPolicy'];
    const served = async (kubeVersion: string) => [
      ...new Set(kindsAmong(await helm.render({}, kubeVersion), policies)),
    ];
    assert.deepEqual(await served('1.29.0'), []);
    assert.deepEqual(await served('1.30.0'), ['ValidatingAdmissionPolicy']);
    assert.deepEqual(new Set(await served('1.36.0')), new Set(policies));
    const off = await helm.render({ admission: { enabled: false } });
    assert.deepEqual(kindsAmong(off, policies), ['ValidatingAdmissionPolicy'], 'that on the terms of quotas stays');
  });

  it('makes as many turns at the API server as are wanted', async () => {
    const kinds = ['FlowSchema', 'PriorityLevelConfiguration'];
    const made = async (values: Values) => kindsAmong(await helm.render(values), kinds).length;
    assert.equal(await made({}), 6);
    const exempt = { groups: [], serviceAccountNamespaces: [] };
    assert.equal(await made({ flowControl: { institutions: { exempt } } }), 5);
    assert.equal(await made({ flowControl: { institutions: { enabled: false } } }), 3);
    assert.equal(await made({ flowControl: { enabled: false } }), 0);
  });

  it('lets managers change nothing where no policy holds them to some fields', async () => {
    const access = { managers: [{ name: 'kaist', quotas: ['kaist'], subjects: [{ kind: 'Group', name: 'kaist' }] }] };
    const verbs = async (kubeVersion: string) => {
      const role = (await helm.render({ access }, kubeVersion)).find(
        ({ metadata }) => metadata.name === 'moa-manager-kaist',
      );
      return (role as KubeObject & { rules: readonly { readonly verbs: readonly string[] }[] }).rules.map(
        (rule) => rule.verbs,
      );
    };
    const reads = ['get', 'list', 'watch'];
    assert.deepEqual(await verbs('1.29.0'), [reads]);
    assert.deepEqual(await verbs('1.30.0'), [reads, ['update', 'patch']]);
  });

  it('leaves out what watches over the operator unless it is asked for', async () => {
    const watchers = ['ServiceMonitor', 'PrometheusRule', 'NetworkPolicy'];
    assert.deepEqual(kindsAmong(await helm.render({}), watchers), []);
    assert.deepEqual(
      new Set(kindsAmong(await helm.render(valueSets['everything switched on']!), watchers)),
      new Set(watchers),
    );
  });
});

function kindsAmong(objects: readonly KubeObject[], kinds: readonly string[]): string[] {
  return objects.map(({ kind }) => kind).filter((kind) => kinds.includes(kind));
}

function configOf(objects: readonly KubeObject[]): string {
  const maps = objects.filter(({ kind }) => kind === 'ConfigMap') as (KubeObject & { data: Record<string, string> })[];
  const text = maps.map(({ data }) => data['moa.yaml']).find((found) => found !== undefined);
  assert.ok(text !== undefined, 'a ConfigMap with moa.yaml');
  return text;
}
