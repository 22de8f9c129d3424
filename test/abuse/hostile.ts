import fc from 'fast-check';

/** A pod's or a node's manifest in the making. */
export type Hostile = Readonly<Record<string, unknown>>;

/** Quantities in every form that Kubernetes takes, the largest and smallest among them, and some that it refuses. */
const quantities = [
  ...['0', '1', '8', '9', '0.5', '1.5', '500m', '1n', '1u', '100u', '2k', '3M', '1G', '1T', '1P', '1E', '9E', '8Ei'],
  ...['1Ki', '1Mi', '1.5Gi', '1Ti', '1Pi', '1e3', '1E3', '5e-3', '1e15', '1e18', '1e30', '1e300', '1e400', '.5', '5.'],
  ...['+1', '-1', '-0', '9223372036854775807', '9007199254740993', '00000000000000000001', '100000', '100001'],
  ...['', ' ', 'many', '1 Gi', '0x10', '١', '1e', 'NaN', 'Infinity', '1'.repeat(400)],
] as const;

/** Keys and values of labels: legal ones that are members of every JavaScript object, long ones, and illegal ones. */
const allLabelKeys = [
  ...[
    'a',
    'constructor',
    'toString',
    'valueOf',
    'hasOwnProperty',
    'moa.dev/gang',
    'moa.dev/user',
    'moa.dev/institution',
  ],
  ...['scheduling.x-k8s.io/pod-group', 'kubernetes.io/hostname', 'nvidia.com/gpu.product', 'x'.repeat(63)],
  ...[`${'x'.repeat(63)}.${'y'.repeat(63)}/${'z'.repeat(63)}`, 'batch.kubernetes.io/job-name', '__proto__', '한', ''],
] as const;
const allLabelValues = [
  '',
  'a',
  'h200',
  'constructor',
  'x'.repeat(63),
  '0',
  '-1',
  '한국',
  'a|b',
  'x'.repeat(64),
] as const;

const annotationKeys = [
  ...[
    'moa.dev/gang',
    'moa.dev/gang-size',
    'moa.dev/walltime',
    'moa.dev/topology',
    'moa.dev/topology-mode',
    'moa.dev/class',
  ],
  ...['moa.dev/admitted-as', 'constructor', '__proto__', 'note'],
] as const;
const annotationValues = [
  ...[
    '',
    'true',
    'false',
    '0',
    '1',
    '2',
    '-1',
    '999999999',
    '1e9',
    '٣',
    ' 3',
    '12h',
    '0s',
    '-5m',
    'P3D',
    'P',
    'P285616Y',
  ],
  ...[
    '2501999792h',
    '1h'.repeat(1000),
    'Required',
    'Preferred',
    'topology.kubernetes.io/zone',
    'rack',
    'h200',
    'h200,',
  ],
  ...[',', 'b200,h200,h200', 'x'.repeat(70_000), '😀'.repeat(500), '\u0000', '\u202e한국', '\ud800', '"\n\t\\'],
] as const;

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt', 'Like', ''] as const;

/** Anything that JSON can hold, for where nothing of the kind is expected. */
const anything = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -1, 1e308, 2 ** 53, '', 'x', [], {}, [null], { a: null }),
  fc.jsonValue({ maxDepth: 2 }),
);

function members(keys: readonly string[], values: fc.Arbitrary<unknown>, maxKeys = 4): fc.Arbitrary<unknown> {
  return fc
    .array(fc.tuple(fc.constantFrom(...keys), values), { maxLength: maxKeys })
    .map((all) => Object.fromEntries(all));
}

function parts(fields: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<Hostile> {
  return fc.record(fields, { requiredKeys: [], noNullPrototype: true });
}

const resources = [
  'nvidia.com/gpu',
  'rebellions.ai/ATOM',
  'cpu',
  'memory',
  'ephemeral-storage',
  'hugepages-2Mi',
  'constructor',
  'made.up/x',
];

/** What people may say of pods and nodes. */
interface Sayings {
  /** Pods of namespace `bad` that wait for Moa, whatever else they say. Each has a uid of its own. */
  readonly waitingPods: fc.Arbitrary<readonly Hostile[]>;
  /** Pods of namespace `bad` on nodes that exist or do not, under whatever scheduler and in whatever phase. */
  readonly placedPods: fc.Arbitrary<readonly Hostile[]>;
  /** Nodes beside those that a test needs: odd labels and taints, capacities of every size, fields that are missing. */
  readonly oddNodes: fc.Arbitrary<readonly Hostile[]>;
}

/** @param wild whether anything may stand anywhere, as no API server admits it */
export function sayings(wild: boolean): Sayings {
  /** Mostly as it should be, now and then any. */
  const mostly = (good: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
    wild ? fc.oneof({ weight: 30, arbitrary: good }, { weight: 1, arbitrary: anything }) : good;
  const any = wild ? anything : fc.constant(undefined);
  /** What has the form that an API server asks for. */
  const legal = <T>(values: readonly T[], form: RegExp): readonly T[] =>
    wild ? values : values.filter((value) => form.test(String(value)));
  const amountsOf = legal(quantities, /^\+?(\d{1,19}\.?\d{0,9}|\.\d)([eE]-?\d{1,2}|n|u|m|k|M|G|T|P|E|[KMGTPE]i)?$/);
  const operatorsOf = legal(operators, /^(Exists|DoesNotExist)$/);
  const notesOf = legal(annotationKeys, /^[a-z]/);
  const labelKeys = legal(allLabelKeys, /^([a-z0-9.-]+\/)?[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/);
  const labelValues = legal(allLabelValues, /^([A-Za-z0-9][A-Za-z0-9._-]{0,62})?$/);

  const labels = mostly(members(labelKeys, mostly(fc.constantFrom(...labelValues))));

  const amounts = mostly(
    members(resources, mostly(fc.constantFrom(...amountsOf, 0, 1, 8, ...(wild ? [1e300, -1] : [])))),
  );
  const requirement = mostly(
    parts({
      key: mostly(fc.constantFrom(...labelKeys, 'metadata.name')),
      operator: mostly(fc.constantFrom(...operatorsOf)),
      values: mostly(fc.array(mostly(fc.constantFrom(...labelValues, '9'.repeat(5000))), { maxLength: 3 })),
    }),
  );
  const requirements = mostly(fc.array(requirement, { maxLength: 3 }));
  const selector = mostly(parts({ matchLabels: labels, matchExpressions: requirements }));
  const podTerms = mostly(
    parts({
      requiredDuringSchedulingIgnoredDuringExecution: mostly(
        fc.array(
          parts({
            topologyKey: mostly(fc.constantFrom('kubernetes.io/hostname', 'constructor', 'made-up')),
            labelSelector: selector,
            namespaces: mostly(fc.array(fc.constantFrom('good', 'bad', ''), { maxLength: 2 })),
            namespaceSelector: selector,
          }),
          { maxLength: 2 },
        ),
      ),
    }),
  );
  const container = mostly(
    parts({
      name: mostly(fc.constantFrom('a', 'b', 'constructor')),
      resources: mostly(parts({ limits: amounts, requests: amounts })),
      restartPolicy: mostly(fc.constantFrom('Always', 'Never')),
      ports: mostly(
        fc.array(
          parts({
            hostPort: mostly(fc.constantFrom<unknown>(0, 80, 65535, -1, 1e9)),
            hostIP: any,
            protocol: any,
          }),
          { maxLength: 2 },
        ),
      ),
    }),
  );
  const volume = mostly(
    parts({
      name: mostly(fc.constant('v')),
      persistentVolumeClaim: mostly(parts({ claimName: mostly(fc.constantFrom('claim', 'constructor', '')) })),
      ephemeral: any,
      rbd: mostly(parts({ monitors: mostly(fc.array(fc.constant('m'))), pool: any, image: any })),
      awsElasticBlockStore: any,
    }),
  );
  const times = mostly(
    fc.constantFrom('2026-05-01T00:00:00Z', '0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z', 'soon', ''),
  );
  const condition = mostly(
    parts({
      type: mostly(fc.constantFrom('PodScheduled', 'DisruptionTarget', 'Ready', 'PodResizePending')),
      status: mostly(fc.constantFrom('True', 'False', 'Unknown')),
      reason: mostly(fc.constantFrom('Unschedulable', 'PreemptionByScheduler', 'Infeasible')),
      message: mostly(fc.constantFrom('NoCapacity: x', ':', '', 'x'.repeat(40_000))),
      lastTransitionTime: times,
    }),
  );

  // What a pod's manifest may say beside its name.
  const podParts = fc.record({
    metadata: parts({
      labels,
      annotations: mostly(members(notesOf, mostly(fc.constantFrom(...annotationValues)))),
      ownerReferences: mostly(
        fc.array(
          parts({
            controller: mostly(fc.boolean()),
            kind: mostly(fc.constant('Job')),
            apiVersion: mostly(fc.constant('batch/v1')),
            name: mostly(fc.constantFrom('job', 'constructor')),
            uid: mostly(fc.constantFrom('u', '')),
          }),
          { maxLength: 2 },
        ),
      ),
      creationTimestamp: times,
      deletionTimestamp: fc.oneof({ weight: 20, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: times }),
    }),
    spec: parts({
      containers: mostly(fc.array(container, { maxLength: 3 })),
      initContainers: mostly(fc.array(container, { maxLength: 2 })),
      overhead: amounts,
      resources: mostly(parts({ limits: amounts, requests: amounts })),
      nodeSelector: labels,
      affinity: mostly(
        parts({
          nodeAffinity: mostly(
            parts({
              requiredDuringSchedulingIgnoredDuringExecution: mostly(
                parts({
                  nodeSelectorTerms: mostly(
                    fc.array(parts({ matchExpressions: requirements, matchFields: requirements }), { maxLength: 2 }),
                  ),
                }),
              ),
            }),
          ),
          podAffinity: podTerms,
          podAntiAffinity: podTerms,
        }),
      ),
      tolerations: mostly(
        fc.array(
          mostly(
            parts({
              key: mostly(fc.constantFrom(...labelKeys)),
              operator: mostly(fc.constantFrom('Exists', 'Equal', 'Lt', '')),
              value: any,
              effect: any,
            }),
          ),
          { maxLength: 2 },
        ),
      ),
      topologySpreadConstraints: mostly(
        fc.array(
          parts({
            maxSkew: mostly(fc.constantFrom<unknown>(1, 0, -1, 1e9)),
            minDomains: any,
            topologyKey: mostly(fc.constantFrom('kubernetes.io/hostname', 'made-up')),
            whenUnsatisfiable: mostly(fc.constant('DoNotSchedule')),
            labelSelector: selector,
            matchLabelKeys: any,
          }),
          { maxLength: 2 },
        ),
      ),
      volumes: mostly(fc.array(volume, { maxLength: 2 })),
      schedulingGates: fc.oneof({ weight: 10, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: any }),
      priority: mostly(fc.constantFrom<unknown>(0, 1, -2147483648, 2147483647, 2 ** 53, 0.5)),
      activeDeadlineSeconds: mostly(fc.constantFrom<unknown>(1, 3600, 2147483647, 9.1e15, -1, 0)),
      resourceClaims: fc.oneof({ weight: 20, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: any }),
    }),
    status: parts({
      conditions: mostly(fc.array(condition, { maxLength: 3 })),
      containerStatuses: mostly(
        fc.array(
          mostly(
            parts({
              name: mostly(fc.constant('a')),
              resources: mostly(parts({ requests: amounts })),
              allocatedResources: amounts,
            }),
          ),
          { maxLength: 2 },
        ),
      ),
      startTime: times,
    }),
  });

  const waitingPods: fc.Arbitrary<readonly Hostile[]> = fc.array(podParts, { maxLength: 12 }).map((all) =>
    all.map(({ metadata, spec, status }, i) => ({
      metadata: { ...metadata, name: `bad-${i}`, namespace: 'bad', uid: `bad-${i}` },
      spec: { ...spec, schedulerName: 'moa-scheduler', nodeName: undefined },
      status: { ...status, phase: 'Pending' },
    })),
  );

  const placedPods: fc.Arbitrary<readonly Hostile[]> = fc
    .array(
      fc.tuple(
        podParts,
        fc.constantFrom('n0', 'n1', 'nowhere'),
        mostly(fc.constantFrom('Running', 'Pending', 'Failed')),
      ),
      { maxLength: 6 },
    )
    .map((all) =>
      all.map(([{ metadata, spec, status }, nodeName, phase], i) => ({
        metadata: { ...metadata, name: `placed-${i}`, namespace: 'bad', uid: `placed-${i}` },
        spec: { ...spec, nodeName },
        status: { ...status, phase },
      })),
    );

  const oddNodes: fc.Arbitrary<readonly Hostile[]> = fc
    .array(
      fc.record({
        metadata: parts({ labels }),
        spec: parts({
          unschedulable: any,
          taints: mostly(
            fc.array(
              parts({
                key: mostly(fc.constantFrom(...labelKeys)),
                value: any,
                effect: mostly(fc.constantFrom('NoSchedule', 'Never')),
              }),
              { maxLength: 2 },
            ),
          ),
        }),
        status: parts({
          allocatable: amounts,
          capacity: amounts,
          conditions: mostly(fc.array(condition, { maxLength: 2 })),
        }),
      }),
      { maxLength: 4 },
    )
    .map((all) =>
      all.map(({ metadata, spec, status }, i) => ({ metadata: { ...metadata, name: `odd-${i}` }, spec, status })),
    );

  return { waitingPods, placedPods, oddNodes };
}
