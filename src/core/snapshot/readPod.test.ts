import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PodReader } from './readPod.ts';

type Json = Record<string, unknown>;

function read(parts: { metadata?: Json; spec?: Json; status?: Json }) {
  return new PodReader().read(parts);
}

const shapeOf = (spec: Json) => read({ spec }).shape;
const container = (requests: Json, more: Json = {}) => ({ name: 'main', resources: { requests }, ...more });
const sidecar = (requests: Json) => container(requests, { restartPolicy: 'Always' });

describe('effective requests', () => {
  const table: { rule: string; spec: Json; want: Record<string, number> }[] = [
    { rule: 'a pod that asks for nothing takes one place', spec: { containers: [{}] }, want: { pods: 1 } },
    {
      rule: 'containers add up, cpu in thousandths and memory in bytes',
      spec: { containers: [container({ cpu: '500m', memory: '1Ki' }), container({ cpu: 1, 'nvidia.com/gpu': '8' })] },
      want: { cpu: 1500, memory: 1024, 'nvidia.com/gpu': 8, pods: 1 },
    },
    {
      rule: 'a limit without a request is the request',
      spec: { containers: [{ resources: { limits: { 'nvidia.com/gpu': 2, cpu: 4 }, requests: { cpu: 1 } } }] },
      want: { cpu: 1000, 'nvidia.com/gpu': 2, pods: 1 },
    },
    {
      rule: 'an init container counts where it asks for more than the containers together',
      spec: { containers: [container({ cpu: 1, memory: 8 })], initContainers: [container({ cpu: 3, memory: 5 })] },
      want: { cpu: 3000, memory: 8, pods: 1 },
    },
    {
      rule: 'init containers run one after the other, so the largest counts',
      spec: { containers: [], initContainers: [container({ cpu: 2 }), container({ cpu: 3 })] },
      want: { cpu: 3000, pods: 1 },
    },
    {
      rule: 'a sidecar runs beside the containers',
      spec: { containers: [container({ cpu: 2 })], initContainers: [sidecar({ cpu: 1 })] },
      want: { cpu: 3000, pods: 1 },
    },
    {
      rule: 'an init container runs beside the sidecars before it',
      spec: { containers: [container({ cpu: 1 })], initContainers: [sidecar({ cpu: 2 }), container({ cpu: 5 })] },
      want: { cpu: 7000, pods: 1 },
    },
    {
      rule: 'an init container does not run beside the sidecars after it',
      spec: { containers: [container({ cpu: 1 })], initContainers: [container({ cpu: 5 }), sidecar({ cpu: 2 })] },
      want: { cpu: 5000, pods: 1 },
    },
    {
      rule: 'what the pod level says replaces the sum of the containers, for the resources that it names',
      spec: { containers: [container({ cpu: 4, memory: 7 })], resources: { requests: { cpu: 3 } } },
      want: { cpu: 3000, memory: 7, pods: 1 },
    },
    {
      rule: 'devices have no pod level',
      spec: { containers: [container({ 'nvidia.com/gpu': 1 })], resources: { requests: { 'nvidia.com/gpu': 4 } } },
      want: { 'nvidia.com/gpu': 1, pods: 1 },
    },
    {
      rule: 'overhead is added to the pod level as well',
      spec: { containers: [], resources: { requests: { cpu: 3 } }, overhead: { cpu: '250m' } },
      want: { cpu: 3250, pods: 1 },
    },
  ];
  for (const { rule, spec, want } of table) it(rule, () => assert.deepEqual(shapeOf(spec).requests, want));

  const resized: { rule: string; status: Json; want: number }[] = [
    {
      rule: 'a container that shrinks counts with what it still has',
      status: { containerStatuses: [{ name: 'main', resources: { requests: { cpu: 6 } } }] },
      want: 6000,
    },
    {
      rule: 'a container that grows counts with what it asks for',
      status: {
        containerStatuses: [{ name: 'main', resources: { requests: { cpu: 1 } }, allocatedResources: { cpu: 2 } }],
      },
      want: 4000,
    },
    {
      rule: 'a container whose growth is infeasible counts with what it was given',
      status: {
        containerStatuses: [{ name: 'main', resources: { requests: { cpu: 1 } }, allocatedResources: { cpu: 2 } }],
        conditions: [{ type: 'PodResizePending', reason: 'Infeasible', status: 'True' }],
      },
      want: 2000,
    },
  ];
  for (const { rule, status, want } of resized)
    it(rule, () => {
      const pod = read({ spec: { containers: [container({ cpu: 4 })] }, status });
      assert.equal(pod.shape.requests['cpu'], want);
    });

  it('one large init container or all containers together, resource by resource: never less than either', () => {
    const cpus = fc.array(fc.nat(64), { maxLength: 4 });
    fc.assert(
      fc.property(cpus, cpus, cpus, (main, sidecars, init) => {
        const asked = shapeOf({
          containers: main.map((cpu) => container({ cpu })),
          initContainers: [...sidecars.map((cpu) => sidecar({ cpu })), ...init.map((cpu) => container({ cpu }))],
        }).requests['cpu'];
        const sum = (all: number[]) => all.reduce((a, b) => a + b, 0);
        const want = sum(sidecars) + Math.max(sum(main), ...init);
        assert.equal(asked ?? 0, want * 1000);
      }),
    );
  });
});

const nodeAffinity = (terms: unknown) => ({
  affinity: {
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
  },
});

describe('where a pod may run', () => {
  it('a node selector is one requirement for each label', () => {
    assert.deepEqual(shapeOf({ nodeSelector: { zone: 'b', arch: 'arm' } }).nodeSelector, [
      { key: 'arch', operator: 'In', values: ['arm'] },
      { key: 'zone', operator: 'In', values: ['b'] },
    ]);
  });
  it('required node affinity keeps labels and node names apart', () => {
    const label = { key: 'gpu', operator: 'Exists' };
    const name = { key: 'metadata.name', operator: 'In', values: ['n1'] };
    const shape = shapeOf(nodeAffinity([{ matchExpressions: [label], matchFields: [name] }]));
    assert.equal(shape.unsupported, undefined);
    assert.deepEqual(shape.nodeTerms, [{ labels: [{ ...label, values: [] }], names: [name] }]);
  });
  it('node affinity without terms matches no node, and is not the same as none', () => {
    assert.deepEqual(shapeOf(nodeAffinity([])).nodeTerms, []);
    assert.equal(shapeOf({ affinity: {} }).nodeTerms, undefined);
  });
  it('preferred terms have no effect', () => {
    const preferred = { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1 }] };
    const affinity = { nodeAffinity: preferred, podAffinity: preferred, podAntiAffinity: preferred };
    assert.equal(shapeOf({ affinity }).key, shapeOf({}).key);
  });
  it('a toleration without an operator asks for an equal value, one without a key and an effect for all', () => {
    assert.deepEqual(shapeOf({ tolerations: [{ key: 'a', value: 'b' }, { operator: 'Exists' }] }).tolerations, [
      { key: 'a', operator: 'Equal', value: 'b', effect: '' },
      { key: '', operator: 'Exists', value: '', effect: '' },
    ]);
  });
});

describe('what is not modelled is named', () => {
  const table: [string, Json, string][] = [
    ["a cloud's disk", { volumes: [{ emptyDir: {} }, { gcePersistentDisk: {} }] }, 'spec.volumes[1].gcePersistentDisk'],
    ['a kind of volume that we do not know', { volumes: [{ name: 'v', warpDisk: {} }] }, 'spec.volumes[0].warpDisk'],
    ['claims of dynamic resources', { resourceClaims: [{ name: 'gpu' }] }, 'spec.resourceClaims'],
    [
      'an unknown field of a node',
      nodeAffinity([{ matchFields: [{ key: 'spec.x', operator: 'In' }] }]),
      'matchFields[0].key',
    ],
    [
      'an unknown operator',
      nodeAffinity([{ matchExpressions: [{ key: 'a', operator: 'Like' }] }]),
      'matchExpressions[0].operator',
    ],
    ['an unknown kind of toleration', { tolerations: [{ operator: 'Near' }] }, 'spec.tolerations[0].operator'],
    ['a malformed quantity', { containers: [container({ cpu: 'two' })] }, 'spec.containers[0].resources.requests[cpu]'],
    ['a negative quantity', { overhead: { memory: '-1' } }, 'spec.overhead[memory]'],
    ['an endless quantity', { overhead: { memory: '1e999' } }, 'spec.overhead[memory]'],
  ];
  for (const [rule, spec, field] of table)
    it(rule, () => {
      const unsupported = shapeOf(spec).unsupported ?? '';
      assert.ok(unsupported.includes(field), `${unsupported} does not name ${field}`);
      assert.match(unsupported, /\.$/);
    });

  it('soft spread, and volumes that every node can serve, are no hindrance', () => {
    const free = ['configMap', 'csi', 'downwardAPI', 'emptyDir', 'hostPath', 'nfs', 'projected', 'secret'];
    const shape = shapeOf({
      volumes: free.map((kind) => ({ name: kind, [kind]: {} })),
      topologySpreadConstraints: [{ whenUnsatisfiable: 'ScheduleAnyway' }],
      containers: [{ ports: [{ containerPort: 80 }] }],
      initContainers: [{ ports: [{ hostPort: 80 }] }],
    });
    assert.deepEqual([shape.unsupported, shape.constraints], [undefined, undefined]);
  });
});

const jobOwner = { ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'train' }] };
const gangLabel = { labels: { 'moa.dev/gang': 'ring' } };

describe('gangs', () => {
  const table: { rule: string; metadata: Json; want?: object; problem?: string }[] = [
    { rule: 'a pod without any sign stands alone', metadata: {} },
    {
      rule: 'the label names the gang, the annotation its size',
      metadata: { ...gangLabel, annotations: { 'moa.dev/gang-size': '8' } },
      want: { kind: 'label', name: 'ring', size: 8 },
    },
    {
      rule: 'the annotation on a pod of a Job makes the Job the gang',
      metadata: { annotations: { 'moa.dev/gang': 'true' }, ...jobOwner },
      want: { kind: 'job', name: 'train', size: undefined },
    },
    { rule: 'a pod of a Job without the annotation stands alone', metadata: jobOwner },
    {
      rule: 'the annotation "false" is the same as none',
      metadata: { annotations: { 'moa.dev/gang': 'false' }, ...jobOwner },
    },
    {
      rule: 'the label of a PodGroup names the gang',
      metadata: { labels: { 'scheduling.x-k8s.io/pod-group': 'ray' } },
      want: { kind: 'podGroup', name: 'ray', size: undefined },
    },
    {
      rule: 'the label of Moa wins over that of a PodGroup',
      metadata: {
        labels: { 'moa.dev/gang': 'ring', 'scheduling.x-k8s.io/pod-group': 'ray' },
        annotations: { 'moa.dev/gang-size': '2' },
      },
      want: { kind: 'label', name: 'ring', size: 2 },
    },
    {
      rule: 'a gang without a size says so',
      metadata: gangLabel,
      want: { kind: 'label', name: 'ring', size: undefined },
      problem: 'moa.dev/gang-size is missing',
    },
    ...['0', '-1', '1.5', '8 pods', '', '1e3', '9999999999'].map((size) => ({
      rule: `a gang size of ${JSON.stringify(size)} is refused`,
      metadata: { ...gangLabel, annotations: { 'moa.dev/gang-size': size } },
      want: { kind: 'label', name: 'ring', size: undefined },
      problem: `moa.dev/gang-size is ${JSON.stringify(size)}`,
    })),
    {
      rule: 'an empty name is refused',
      metadata: { labels: { 'moa.dev/gang': '' } },
      problem: 'moa.dev/gang is empty',
    },
    {
      rule: 'a size without a gang is a slip',
      metadata: { annotations: { 'moa.dev/gang-size': '8' } },
      problem: 'moa.dev/gang-size says nothing without a gang',
    },
    {
      rule: 'the annotation on a pod that no Job owns is a slip',
      metadata: { annotations: { 'moa.dev/gang': 'true' } },
      problem: 'needs a batch/v1 Job',
    },
    {
      rule: 'the annotation with another word is a slip',
      metadata: { annotations: { 'moa.dev/gang': 'yes' }, ...jobOwner },
      problem: 'moa.dev/gang is "yes"',
    },
  ];
  for (const { rule, metadata, want, problem } of table)
    it(rule, () => {
      const pod = read({ metadata });
      assert.deepEqual(pod.gang, want);
      if (problem === undefined) assert.equal(pod.problem, undefined);
      else assert.ok(pod.problem?.includes(problem), String(pod.problem));
    });
});

describe('annotations', () => {
  const walltimes: [string, Json, number | undefined][] = [
    ['walltime is a duration', { metadata: { annotations: { 'moa.dev/walltime': '90m' } } }, 5_400_000],
    [
      'the annotation wins over the deadline',
      { metadata: { annotations: { 'moa.dev/walltime': 'PT1H' } }, spec: { activeDeadlineSeconds: 60 } },
      3_600_000,
    ],
    ['the deadline is a walltime', { spec: { activeDeadlineSeconds: 60 } }, 60_000],
    ['without either there is none', {}, undefined],
  ];
  for (const [rule, pod, want] of walltimes)
    it(rule, () => {
      assert.equal(read(pod).walltime, want);
      assert.equal(read(pod).problem, undefined);
    });

  const problems: [string, Record<string, string>, string | undefined][] = [
    ['a malformed walltime is refused', { 'moa.dev/walltime': 'a day' }, 'moa.dev/walltime is "a day"'],
    ['a walltime of zero is refused', { 'moa.dev/walltime': '0s' }, 'moa.dev/walltime is "0s"'],
    ['a required domain passes', { 'moa.dev/topology': 'zone' }, undefined],
    ['a preferred domain passes', { 'moa.dev/topology': 'zone', 'moa.dev/topology-mode': 'Preferred' }, undefined],
    ['an empty level is refused', { 'moa.dev/topology': '' }, 'moa.dev/topology is empty'],
    [
      'an unknown mode is refused',
      { 'moa.dev/topology': 'zone', 'moa.dev/topology-mode': 'preferred' },
      'moa.dev/topology-mode is "preferred"',
    ],
    ['a list of classes passes', { 'moa.dev/class': 'h200, b200' }, undefined],
    ['a list of classes with a gap is refused', { 'moa.dev/class': 'h200,,b200' }, 'moa.dev/class is "h200,,b200"'],
  ];
  for (const [rule, annotations, want] of problems)
    it(rule, () => {
      const { problem } = read({ metadata: { annotations } });
      if (want === undefined) assert.equal(problem, undefined);
      else assert.ok(problem?.includes(want), String(problem));
    });
});

describe('PodReader', () => {
  it('reads who, where and in what state', () => {
    const pod = read({
      metadata: {
        uid: 'u1',
        namespace: 'kaist',
        name: 'train-0',
        creationTimestamp: '2026-03-01T00:00:00Z',
        deletionTimestamp: '2026-03-01T00:01:00Z',
        labels: { 'moa.dev/user': 'kim' },
        annotations: { 'moa.dev/topology': 'zone', 'moa.dev/class': 'h200, b200' },
        ownerReferences: [{ kind: 'Job', name: 'train', uid: 'j1', controller: true }],
      },
      spec: { schedulerName: 'moa-scheduler', nodeName: 'n1', priority: 7, schedulingGates: [{ name: 'g' }] },
      status: {
        phase: 'Running',
        conditions: [{ type: 'PodScheduled', status: 'False', message: 'Waits for 3 GPUs.' }],
      },
    });
    const want = {
      uid: 'u1',
      namespace: 'kaist',
      name: 'train-0',
      labels: { 'moa.dev/user': 'kim' },
      ours: true,
      createdAt: Date.UTC(2026, 2, 1),
      nodeName: 'n1',
      phase: 'Running',
      boundAt: Date.UTC(2026, 2, 1),
      deletionAt: Date.UTC(2026, 2, 1, 0, 1),
      evictedAt: undefined,
      gated: true,
      priority: 7,
      claims: [],
      gang: undefined,
      topology: { level: 'zone', required: true },
      classes: ['h200', 'b200'],
      owner: 'j1',
      user: 'kim',
      walltime: undefined,
      problem: undefined,
      explained: 'Waits for 3 GPUs.',
    };
    for (const [field, value] of Object.entries(want)) assert.deepEqual(pod[field as keyof typeof want], value, field);
    assert.deepEqual(pod.shape.requests, { pods: 1 });
  });

  it('a pod that was just created is pending, unbound, and not ours unless it says so', () => {
    const pod = read({ spec: { nodeName: '' } });
    assert.deepEqual([pod.phase, pod.nodeName, pod.ours, pod.priority], ['Pending', undefined, false, 0]);
  });

  it('a pod that was marked for preemption says when; other disruptions, and a mark that was taken back, do not count', () => {
    const evictedAt = (reason: string, status: string) => {
      const mark = { type: 'DisruptionTarget', status, reason, lastTransitionTime: '2026-03-01T00:01:00Z' };
      return read({ status: { conditions: [mark] } }).evictedAt;
    };
    assert.equal(evictedAt('PreemptionByScheduler', 'True'), Date.UTC(2026, 2, 1, 0, 1));
    assert.equal(evictedAt('PreemptionByScheduler', 'False'), undefined);
    assert.equal(evictedAt('TerminationByKubelet', 'True'), undefined);
  });

  it('the explanation is gone once the pod is scheduled', () => {
    const conditions = [{ type: 'PodScheduled', status: 'True', message: 'old' }];
    assert.equal(read({ status: { conditions } }).explained, undefined);
  });

  it('pods of one template share a shape, whatever their volumes are called and in whatever order they list', () => {
    const reader = new PodReader();
    const one = {
      containers: [container({ cpu: '1', memory: '1Gi' })],
      volumes: [{ name: 'token-x7d', projected: {} }],
    };
    const other = {
      containers: [container({ memory: '1024Mi', cpu: 1 })],
      volumes: [{ name: 'token-b2k', projected: {} }],
    };
    assert.equal(reader.read({ spec: one }).shape, reader.read({ spec: other }).shape);
    const third = { containers: [container({ memory: '1024Mi', cpu: 2 })] };
    assert.notEqual(reader.read({ spec: one }).shape, reader.read({ spec: third }).shape);
  });

  it('never throws, whatever JSON it is given', () => {
    const reader = new PodReader();
    const names = fc.constantFrom(
      ...[
        'metadata',
        'spec',
        'status',
        'labels',
        'annotations',
        'containers',
        'initContainers',
        'resources',
        'requests',
      ],
      ...['affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution', 'nodeSelectorTerms', 'ports'],
      ...[
        'matchFields',
        'matchExpressions',
        'tolerations',
        'volumes',
        'conditions',
        'containerStatuses',
        'cpu',
        'name',
      ],
      ...['nodeSelector', 'ownerReferences', 'kind', 'apiVersion', 'moa.dev/gang', 'moa.dev/gang-size', '__proto__'],
    );
    const { json } = fc.letrec((tie) => ({
      json: fc.oneof(
        { maxDepth: 7, withCrossShrink: true },
        fc.oneof(fc.constantFrom(null, true, 0, -1, 1e308, '', 'true', 'Job', '1e999', 'Always'), fc.string()),
        fc.array(tie('json'), { maxLength: 3 }),
        fc.dictionary(names, tie('json'), { maxKeys: 6 }),
      ),
    }));
    const pod = fc.dictionary(names, json, { maxKeys: 6 });
    fc.assert(
      fc.property(pod, (raw) => void reader.read(JSON.parse(JSON.stringify(raw)) as Json)),
      { numRuns: 500 },
    );
  });
});
