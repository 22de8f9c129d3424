import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { parseDuration } from '../../src/core/units/index.ts';
import { eventually, jobManifest, podManifest, uniqueName, type KubeObject, type Pod } from '../support/index.ts';
import { elsewhere, lab, pools, withPolicies } from './setup.ts';

interface PodSpec {
  readonly schedulerName: string;
  readonly activeDeadlineSeconds?: number;
  readonly tolerations?: readonly { readonly key?: string; readonly value?: string }[];
}

type Options = Partial<Parameters<typeof podManifest>[0]>;

interface Row {
  readonly pod: Options;
  readonly scheduler: 'moa-scheduler' | 'default-scheduler' | 'other';
  /** Pools whose taint the pod tolerates. Default: none. */
  readonly tolerates?: readonly string[];
}

const byInit = { initContainers: [{ name: 'init', image: 'i', resources: { limits: { 'nvidia.com/gpu': '1' } } }] };
const second = {
  containers: [
    { name: 'a', image: 'i' },
    {
      name: 'b',
      image: 'i',
      resources: { requests: { cpu: '1', 'nvidia.com/gpu': '2' }, limits: { 'nvidia.com/gpu': '2' } },
    },
  ],
};
const pinned = { key: 'moa.dev/pool', operator: 'Equal', value: 'national', effect: 'NoSchedule' };

const rows: Readonly<Record<string, Row>> = {
  'a pod that asks for a GPU gets the scheduler and the toleration of its pool': {
    pod: { gpus: 1 },
    scheduler: 'moa-scheduler',
    tolerates: ['national'],
  },
  'any class of any pool counts, and a pool that is not isolated needs no toleration': {
    pod: { gpus: 1, resourceName: 'furiosa.ai/rngd' },
    scheduler: 'moa-scheduler',
  },
  'an init container may be who asks': { pod: { spec: byInit }, scheduler: 'moa-scheduler', tolerates: ['national'] },
  'any container may be who asks': { pod: { spec: second }, scheduler: 'moa-scheduler', tolerates: ['national'] },
  'a pod that names Moa itself gets the toleration': {
    pod: { gpus: 1, schedulerName: 'moa-scheduler' },
    scheduler: 'moa-scheduler',
    tolerates: ['national'],
  },
  'a toleration that is there is not given twice': {
    pod: { gpus: 1, spec: { tolerations: [pinned] } },
    scheduler: 'moa-scheduler',
    tolerates: ['national'],
  },
  'a pod that asks for no accelerator stays as it is': { pod: {}, scheduler: 'default-scheduler' },
  'a pod that asks for none of a resource stays as it is': {
    pod: { spec: { containers: [{ name: 'a', image: 'i', resources: { limits: { 'nvidia.com/gpu': '0' } } }] } },
    scheduler: 'default-scheduler',
  },
  'a resource that no pool has stays as it is': {
    pod: { gpus: 1, resourceName: 'example.test/fpga' },
    scheduler: 'default-scheduler',
  },
  'a resource that the values name by prefix counts': {
    pod: { gpus: 1, resourceName: 'nvidia.com/mig-1g.18gb' },
    scheduler: 'moa-scheduler',
    tolerates: ['national'],
  },
  'a resource that the values name counts': {
    pod: { gpus: 1, resourceName: 'amd.com/gpu' },
    scheduler: 'moa-scheduler',
    tolerates: ['national'],
  },
  'a namespace without an institution is not looked at': {
    pod: { gpus: 1, namespace: elsewhere },
    scheduler: 'default-scheduler',
  },
};

/** Durations that the policy leaves to Moa, which reads the annotation itself. */
const leftAlone = [
  '.5h',
  '1.h',
  'PT0.5S',
  '0',
  '0s',
  'PT',
  'P',
  '',
  'forever',
  '-1h',
  '12',
  '12 h',
  '999999h',
  'P1000Y',
  '12H',
];

describe('what a pod in the namespace of an institution gets', () => {
  const { cluster } = withPolicies({ 'admission.resourceNames': ['nvidia.com/mig-*', 'amd.com/gpu'] });
  const created = async (options: Options): Promise<PodSpec> => {
    const manifest = podManifest({
      name: uniqueName('pod'),
      namespace: lab,
      schedulerName: 'default-scheduler',
      ...options,
    });
    const { spec } = await cluster.client.create<KubeObject & { spec: PodSpec }>(manifest, { dryRun: true });
    return spec;
  };
  const toleratedBy = ({ tolerations = [] }: PodSpec) =>
    tolerations.filter(({ key }) => key === 'moa.dev/pool').map(({ value }) => value);
  const deadlineOf = async (walltime: string, spec: object = {}) =>
    (await created({ gpus: 1, annotations: { 'moa.dev/walltime': walltime }, spec })).activeDeadlineSeconds;

  for (const [rule, { pod, scheduler, tolerates = [] }] of Object.entries(rows)) {
    it(rule, async () => {
      const spec = await created(pod);
      assert.equal(spec.schedulerName, scheduler);
      assert.deepEqual(toleratedBy(spec), tolerates);
    });
  }

  it('keeps the tolerations that it has', async () => {
    const own = { key: 'dedicated', operator: 'Exists' };
    const { tolerations = [] } = await created({ gpus: 1, spec: { tolerations: [own] } });
    assert.deepEqual(tolerations[0], own);
    assert.ok(tolerations.some(({ key, value }) => key === 'moa.dev/pool' && value === 'national'));
  });

  it('comes through the Jobs that people write', async () => {
    const name = uniqueName('job');
    const annotations = { 'moa.dev/walltime': '90m' };
    await cluster.client.create(
      jobManifest({ name, namespace: lab, gpus: 1, annotations, schedulerName: 'default-scheduler' }),
    );
    const labelSelector = `job-name=${name}`;
    await eventually(async () => {
      const [pod] = await cluster.client.list<Pod & { spec: PodSpec }>(
        { apiVersion: 'v1', kind: 'Pod' },
        { namespace: lab, labelSelector },
      );
      assert.equal(pod?.spec.schedulerName, 'moa-scheduler');
      assert.equal(pod.spec.activeDeadlineSeconds, 5400);
    });
  });

  it('a walltime becomes the limit that the kubelet keeps, in whole seconds, rounded up', async () => {
    const go = fc
      .array(fc.tuple(fc.integer({ min: 0, max: 99_999 }), fc.constantFrom('h', 'm', 's', 'ms', 'us', 'ns')), {
        minLength: 1,
        maxLength: 4,
      })
      .map((parts) => parts.map(([n, unit]) => `${n}${unit}`).join(''));
    const part = (unit: string, max: number) =>
      fc.option(
        fc.integer({ min: 0, max }).map((n) => `${n}${unit}`),
        { nil: '' },
      );
    const iso = fc
      .tuple(
        part('Y', 9),
        part('M', 99),
        part('W', 99),
        part('D', 999),
        part('H', 9999),
        part('M', 9999),
        part('S', 99_999),
      )
      .map(([y, mo, w, d, h, m, s]) => `P${y}${mo}${w}${d}${h + m + s === '' ? '' : 'T'}${h}${m}${s}`)
      .filter((text) => text !== 'P');
    const texts = [
      '12h',
      '1h30m',
      '1.5h',
      '1500ms',
      '1ns',
      'P2D',
      'PT15M',
      'P1Y2M3W4DT5H6M7S',
      'P1M',
      'PT1M',
      '99999h',
      ...fc.sample(fc.oneof(go, iso), { numRuns: 120, seed: 7 }),
    ];
    for (const text of texts) {
      const seconds = Math.ceil((parseDuration(text) ?? NaN) / 1000);
      // Whole milliseconds are the finest that Moa knows: below, the policy rounds up by itself.
      const want = seconds === 0 ? [undefined, 1] : [seconds, seconds + 1];
      const got = await deadlineOf(text);
      assert.ok(want.includes(got), `${text}: ${got ?? 'none'}, not ${want.join(' or ')}`);
    }
  });

  it('a walltime that the policy cannot read is left to Moa', async () => {
    for (const text of leftAlone) assert.equal(await deadlineOf(text), undefined, JSON.stringify(text));
  });

  it('a limit that somebody set stays', async () => {
    assert.equal(await deadlineOf('12h', { activeDeadlineSeconds: 60 }), 60);
  });

  it('a walltime is no business of pods without accelerators', async () => {
    const { activeDeadlineSeconds } = await created({ annotations: { 'moa.dev/walltime': '1h' } });
    assert.equal(activeDeadlineSeconds, undefined);
  });

  it('follows the pools: a class that is added counts at once, and without any pool nothing does', async () => {
    const fpga = { gpus: 1, resourceName: 'example.test/fpga' };
    const acceleratorClasses = [
      {
        name: 'fpga',
        resourceName: 'example.test/fpga',
        nodeSelector: { matchLabels: { class: 'fpga' } },
        weight: '1',
      },
    ];
    await cluster.client.patch(pools[1]!, { spec: { acceleratorClasses } });
    await eventually(async () => assert.equal((await created(fpga)).schedulerName, 'moa-scheduler'));
    assert.equal((await created({ gpus: 1, resourceName: 'furiosa.ai/rngd' })).schedulerName, 'default-scheduler');
    for (const pool of pools) await cluster.client.delete(pool);
    await eventually(async () => assert.equal((await created({ gpus: 1 })).schedulerName, 'default-scheduler'));
    assert.equal((await created({ ...fpga, schedulerName: 'other' })).schedulerName, 'other');
    for (const pool of pools) await cluster.client.create(pool);
  });
});
