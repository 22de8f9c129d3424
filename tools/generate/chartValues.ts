import { visibleDeclarations } from '../../src/config/index.ts';
import {
  bytes,
  choice,
  flag,
  group,
  kubernetesList,
  kubernetesObject,
  listOf,
  strictObject,
  text,
  textMap,
  type Group,
  type JsonSchema,
  type Leaf,
} from './chartValue.ts';

/** Settings of the operator that follow from other values of the chart. */
const setByChart: ReadonlySet<string> = new Set([
  'kubeconfig',
  'namespace',
  'leader-elect',
  'metrics-address',
  'health-address',
  'ledger',
  'ledger-journal',
]);

/** Where the chart's default is not the operator's. */
const chartDefaults: Readonly<Record<string, unknown>> = { 'log-format': 'json' };

/** The operator's settings that the chart leaves to people, under their own names. */
function configMembers(): Readonly<Record<string, Leaf>> {
  const open = visibleDeclarations.filter(({ name, inFile }) => inFile !== false && !setByChart.has(name));
  return Object.fromEntries(
    open.map(({ name, help, argument, default: preset }) => [
      name,
      {
        about: preset === undefined || name in chartDefaults ? help : `${help} The operator's default: \`${preset}\`.`,
        default: chartDefaults[name],
        schema: schemaOfArgument(argument),
      },
    ]),
  );
}

/** What may be written where the help of the operator shows `argument`; a test holds it against what the operator takes. */
function schemaOfArgument(argument: string): Leaf['schema'] {
  if (argument === 'true|false') return { type: 'boolean' };
  if (argument.includes('|')) return { type: 'string', enum: argument.split('|') };
  if (argument === 'N') return { type: 'integer', minimum: 1, maximum: 1000 };
  return argument === 'URL' ? { type: 'string', pattern: '^https?://[^/\\s]\\S*$' } : { type: 'string', minLength: 1 };
}

const name = { type: 'string', minLength: 1 };
const port = { type: 'integer', minimum: 1, maximum: 65_535 };
/** Some names, each written out. */
const namesBut = (...names: readonly string[]): JsonSchema => ({
  type: 'array',
  minItems: 1,
  items: { ...name, not: { enum: names } },
});
const shares = { type: 'integer', minimum: 1 };
const amounts = {
  type: 'object',
  additionalProperties: {
    type: ['string', 'number'],
    pattern: '^[0-9]+([.][0-9]+)?(m|k|[MGTPE]i?|Ki|[eE][0-9]+)?$',
    minimum: 0,
  },
};
const spread = ['DoNotSchedule', 'ScheduleAnyway', 'Off'];
const serverDefault = 'empty for the default of the cluster';

/**
 * Every value of charts/moa, once. The schema that refuses wrong values and the table in the chart's README are made
 * from it; a test holds values.yaml against it.
 */
export const chartValues: Group = group('Values of the chart moa.', {
  nameOverride: text('Stands in names and labels instead of `moa`.'),
  fullnameOverride: text('Stands at the beginning of all names instead of the name of the release.'),
  global: {
    about: 'Set by Helm when Moa is part of another chart. Not read.',
    default: {},
    schema: { type: 'object' },
  },

  image: group("The operator's image.", {
    repository: text('Where the image is, without tag.', 'moa', '^[^\\s@]+$'),
    tag: text('Empty for the version of the chart (`appVersion`).'),
    digest: text('`sha256:...`; wins over the tag.', '', '^(sha256:[0-9a-f]{64})?$'),
    pullPolicy: choice('When the image is fetched.', 'IfNotPresent', ['Always', 'IfNotPresent', 'Never']),
    pullSecrets: kubernetesList('Secrets of the release namespace that give access to the image: `[{name: ...}]`.'),
  }),

  replicas: {
    about:
      'How many operators run; one leads, the others follow with warm caches. Unset: 2 with PostgreSQL, 1 with SQLite, which has one writer.',
    default: null,
    schema: { type: ['integer', 'null'], minimum: 0 },
  },

  ledger: group('Where GPU-hours are booked.', {
    engine: choice(
      '`SQLite`: a file on a volume, one replica. `PostgreSQL`: a server of yours, any number of replicas.',
      'SQLite',
      ['SQLite', 'PostgreSQL'],
    ),
    sqlite: group('The volume of the embedded ledger.', {
      existingClaim: text('A PersistentVolumeClaim that exists already, instead of one that the chart makes.'),
      storageClassName: text(`Its storage class; ${serverDefault}.`),
      size: bytes('Its size. Ten million intervals take 1.4 GB.', '20Gi'),
      keep: flag('Leave the claim, and with it the books, when the release is uninstalled.', true),
    }),
    postgresql: group('The server of the ledger.', {
      existingSecret: text(
        'A Secret of the release namespace that holds the URL, `postgres://user:password@host:5432/moa?sslmode=verify-full`.',
      ),
      secretKey: text('The key of the URL in that Secret.', 'url', '^[-._a-zA-Z0-9]+$'),
      caSecret: text(
        "A Secret with the certificate of the authority that signed the server's; empty for the public ones.",
      ),
      caKey: text('The key of the certificate in that Secret.', 'ca.crt', '^[-._a-zA-Z0-9]+$'),
    }),
    journal: group('What the ledger has not taken yet is kept in a local file.', {
      size: bytes(
        'Most that the file may take with PostgreSQL, on an `emptyDir`; an interval takes some 400 bytes. It outlives a crash of the operator, not its pod.',
        '2Gi',
      ),
    }),
  }),

  config: group(
    'Settings of the operator, by their names in docs/reference/configuration.md. A change restarts it.',
    configMembers(),
  ),

  crds: group('GpuPool, ResearchQuota and MatchingInvestment.', {
    enabled: flag('Install and upgrade the CustomResourceDefinitions with the release.', true),
    keep: flag(
      'Leave them when the release is uninstalled. With `false`, uninstalling deletes every pool, quota and investment.',
      true,
    ),
  }),

  serviceAccount: group('Whom the operator acts as.', {
    create: flag('Create it. The roles are bound to it either way.', true),
    name: text('Its name; empty for the full name of the release.'),
    annotations: textMap('Its annotations.'),
  }),

  access: group('What people may do with the three resources. They are cluster-scoped.', {
    aggregateView: flag(
      'Whoever has the ClusterRole `view`, `edit` or `admin` in the whole cluster may read them.',
      true,
    ),
    aggregateEdit: flag(
      'Whoever has `edit` or `admin` in the whole cluster may write them, all of it. A namespace administrator gains nothing by it.',
      true,
    ),
    managers: listOf(
      'Managers of institutions. Each may read all three resources, and change in the named ResearchQuotas what concerns the institution alone: `suspend`, `capacity.perUserMax`, `limits.defaultWalltime`. On Kubernetes before 1.30 they may only read.',
      strictObject(
        {
          name: { type: 'string', pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', maxLength: 40 },
          quotas: { type: 'array', items: name },
          subjects: {
            type: 'array',
            minItems: 1,
            items: strictObject(
              { kind: { enum: ['User', 'Group', 'ServiceAccount'] }, name, namespace: { type: 'string' } },
              ['kind', 'name'],
            ),
          },
        },
        ['name', 'subjects'],
      ),
    ),
  }),

  admission: group('Policies of the API server for namespaces that carry the label `moa.dev/institution`.', {
    enabled: flag(
      'Install them, as far as the cluster serves the kinds: ValidatingAdmissionPolicy since 1.30, MutatingAdmissionPolicy since 1.36.',
      true,
    ),
    actions: {
      about:
        'What happens to a request that goes round a quota: `Deny`, or `Warn` and `Audit` to see first whom it would concern.',
      default: ['Deny'],
      schema: { type: 'array', minItems: 1, uniqueItems: true, items: { enum: ['Deny', 'Warn', 'Audit'] } },
    },
    resourceNames: listOf(
      'Extended resources that count as accelerators though no GpuPool has a class for them. A `*` at the end matches by prefix: `nvidia.com/mig-*`.',
      { type: 'string', pattern: '^[^\\s*\'"]+[*]?$' },
    ),
    schedulers: listOf(
      'Users that may bind pods which ask for no accelerator, and write their statuses, besides the operator and the system.',
      name,
      ['system:kube-scheduler'],
    ),
    resourceClaims: flag(
      'Let pods use ResourceClaims (DRA). No quota counts their devices: only where none of them is an accelerator.',
      false,
    ),
    protectNodes: flag(
      'Refuse labels with the prefix `moa.dev/` from kubelets: who brought a node is not for the node to say.',
      true,
    ),
  }),
  isolation: group('Keeping others off the nodes of a GpuPool with `isolate: true`.', {
    enabled: flag(
      'Let the operator patch nodes. A policy allows it the taint `moa.dev/pool` and nothing else there. With false, `isolate` has no effect.',
      true,
    ),
  }),

  flowControl: group('Turns at the API server (API Priority and Fairness).', {
    enabled: flag('Make FlowSchemas and their priority levels.', true),
    operatorShares: {
      about:
        'Shares of the API server for the operator, of which others may use what it does not. Those of Kubernetes itself add up to 245.',
      default: 30,
      schema: shares,
    },
    institutions: group('What people write in namespaces.', {
      enabled: flag(
        'Let namespaces take turns in what their people and programs write. It concerns every namespace of the cluster, and nobody of the system.',
        true,
      ),
      extraResources: listOf(
        'What counts beside pods, claims, and the workloads of Kubernetes itself: `[{apiGroups: [kubeflow.org], resources: [pytorchjobs]}]`.',
        strictObject({ apiGroups: namesBut('*', 'coordination.k8s.io'), resources: namesBut('*') }, [
          'apiGroups',
          'resources',
        ]),
      ),
      exempt: group("Who takes no turns, because they work in everybody's namespaces.", {
        groups: listOf('Groups of users: administrators that are not in `system:masters`.', name, [
          'kubeadm:cluster-admins',
        ]),
        serviceAccountNamespaces: listOf(
          'Namespaces whose service accounts are meant: of GitOps, job operators, admission webhooks.',
          name,
        ),
      }),
      shares: {
        about:
          'Shares for all these writes together: 20 are some 40 writes at a time of the 600 requests that an API server takes at once unless told otherwise.',
        default: 20,
        schema: shares,
      },
      borrowingLimitPercent: {
        about:
          'How much more they may have while others do not need theirs. The more, the slower a flood makes the API server for everyone.',
        default: 0,
        schema: { type: 'integer', minimum: 0 },
      },
    }),
  }),

  resources: {
    about:
      'Requests and limits of the operator. The heap follows the memory limit. No limit on cpu: a throttled leader loses its lease.',
    default: { requests: { cpu: '500m', memory: '1Gi' }, limits: { memory: '2Gi' } },
    schema: strictObject({ requests: amounts, limits: amounts, claims: { type: 'array' } }, []),
  },
  priorityClassName: text(
    'Priority of the operator itself. Some clusters allow the `system-` classes only in namespaces with a ResourceQuota for them.',
    'system-cluster-critical',
  ),
  topologySpread: group('How replicas are kept apart, when there are several.', {
    hosts: choice('No two on one node: always, if possible, or not asked for.', 'DoNotSchedule', spread),
    zones: choice('The same for zones.', 'ScheduleAnyway', spread),
  }),
  podDisruptionBudget: group('Drains of nodes.', {
    enabled: flag('Let a drain take one replica at a time. Only made when there are several.', true),
  }),
  nodeSelector: textMap('Nodes that the operator may run on.', { 'kubernetes.io/os': 'linux' }),
  affinity: kubernetesObject("The pods' `affinity`."),
  tolerations: kubernetesList("The pods' `tolerations`."),
  podLabels: textMap('Further labels of the pods.'),
  podAnnotations: textMap('Further annotations of the pods.'),
  fsGroup: {
    about: 'Group that owns the volumes. Unset where the platform chooses it (OpenShift).',
    default: 65_532,
    schema: { type: ['integer', 'null'], minimum: 1 },
  },
  extraEnv: kubernetesList('Further environment variables: `[{name: HTTPS_PROXY, value: ...}]`.'),
  terminationGracePeriodSeconds: {
    about: 'How long an operator that was told to stop may take to write its books and give up the lease.',
    default: 30,
    schema: { type: 'integer', minimum: 1 },
  },

  metrics: group('What Prometheus and Grafana get.', {
    serviceMonitor: group('For the Prometheus operator.', {
      enabled: flag('Make a ServiceMonitor.', false),
      interval: text('How often the metrics are read.', '30s', '^([0-9]+(ms|s|m))+$'),
      labels: textMap('Labels by which your Prometheus selects ServiceMonitors.'),
    }),
    rules: group('Alerts, each with a page in docs/runbooks.', {
      enabled: flag('Make a PrometheusRule.', false),
      labels: textMap('Labels by which your Prometheus selects rules.'),
      runbooks: text(
        'Where your people read docs/runbooks, as a URL; empty leaves the paths in the repository in the alerts.',
        '',
        '^(https?://\\S+)?$',
      ),
    }),
    dashboard: group('The dashboard of Moa.', {
      enabled: flag('Make a ConfigMap that the sidecar of Grafana loads.', false),
      labels: textMap('Labels by which the sidecar selects ConfigMaps.', { grafana_dashboard: '1' }),
      annotations: textMap('Annotations of the ConfigMap: the folder, for instance.'),
    }),
  }),

  networkPolicy: group('Whom the operator talks to.', {
    enabled: flag('Allow nothing but: metrics in; the API server, names, PostgreSQL and `extraEgress` out.', false),
    metricsFrom: kubernetesList('Who may read the metrics, as NetworkPolicyPeers; empty for everyone in the cluster.'),
    apiServerPorts: listOf('Ports of the API server.', port, [443, 6443]),
    ledgerPorts: listOf('Ports of the PostgreSQL server.', port, [5432]),
    extraEgress: kubernetesList('Further rules, as NetworkPolicyEgressRules: a collector of traces, for instance.'),
  }),
});
