import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';

import { annotations, evictionMark, labels } from '../../src/api/v1alpha1/constants/index.ts';
import { ApiError, type ApiErrorDetails } from '../../src/kube/errors.ts';
import { mergePatch } from '../../src/kube/index.ts';
import {
  eventually,
  nodeManifest,
  podManifest,
  release,
  renderChart,
  uniqueName,
  type Actor,
  type KubeObject,
  type Pod,
  type TestClient,
} from '../support/index.ts';
import { elsewhere, lab, withPolicies } from './setup.ts';

/** ClusterRole `admin` in the namespace, and nothing else. */
const admin: Actor = { user: 'admin-of-kaist' };
/** The same, and every verb on pods and their subresources, and on the namespace itself: more than Kubernetes' roles give. */
const mighty: Actor = { user: 'mighty-of-kaist' };
/** May create and change namespaces, and assign them to one institution. */
const portal: Actor = { user: 'portal' };
const kubelet: Actor = { user: 'system:node:node-0', group: 'system:nodes' };
const kubeScheduler: Actor = { user: 'system:kube-scheduler' };
const moa: Actor = {
  user: `system:serviceaccount:${release.namespace}:moa`,
  group: `system:serviceaccounts:${release.namespace}`,
};

type Act = (client: TestClient) => Promise<unknown>;

interface Row {
  readonly who: Actor;
  readonly act: Act;
  /** What the refusal says; undefined: it is allowed. */
  readonly refused?: RegExp;
}

type PodOptions = Partial<Parameters<typeof podManifest>[0]>;

const create =
  (options: PodOptions): Act =>
  (client) =>
    client.create(podManifest({ name: uniqueName('pod'), namespace: lab, ...options }), { dryRun: true });
const other = { schedulerName: 'other' };
const byDefault = { schedulerName: 'default-scheduler' };
const gpus = (count: number) => ({ resources: { limits: { 'nvidia.com/gpu': String(count) } } });

/** The pods that rows try things on. */
const bound = ref('bound');
const waiting = ref('waiting');
const ordinary = ref('ordinary');

function ref(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: lab } };
}

/** A patch of a pod that is not stored when it is allowed. */
const patch =
  (pod: KubeObject, body: object, subresource?: string): Act =>
  async (client) =>
    client.transport.request({
      method: 'PATCH',
      path: await client.path(pod, subresource),
      query: { dryRun: 'All' },
      contentType: mergePatch,
      body,
    });
const labelled = (pod: KubeObject, changes: object, subresource?: string) =>
  patch(pod, { metadata: { labels: changes } }, subresource);
const annotated = (pod: KubeObject, changes: object, subresource?: string) =>
  patch(pod, { metadata: { annotations: changes } }, subresource);
const post =
  (path: string, body: object): Act =>
  (client) =>
    client.transport.request({
      method: 'POST',
      path: `/api/v1/namespaces/${lab}/${path}`,
      query: { dryRun: 'All' },
      body,
    });
const binding = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Binding',
  metadata: { name },
  target: { apiVersion: 'v1', kind: 'Node', name: 'node-0' },
});
const condition = (type: string, reason = 'Test') => ({
  type,
  status: 'True',
  reason,
  lastTransitionTime: '2026-01-01T00:00:00Z',
});
const namespace = (name: string, institution?: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels: institution === undefined ? {} : { [labels.institution.key]: institution } },
});
const newNamespace =
  (institution?: string): Act =>
  (client) =>
    client.create(namespace(uniqueName('new'), institution), { dryRun: true });
const relabel = (name: string, institution: string | null, subresource?: string) =>
  labelled(namespace(name), { [labels.institution.key]: institution }, subresource);
const node: KubeObject = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-0' } };
const own = { key: labels.pool.key, value: 'national', effect: 'NoSchedule' };

const scheduledByMoa =
  /spec\.schedulerName is 'other': a pod that asks for accelerators \(nvidia\.com\/gpu, rebellions\.ai\/ATOM, as in GpuPool national\) is scheduled by Moa in this namespace; write moa-scheduler/;
const presetNode = /spec\.nodeName: a pod of this namespace does not choose its node by itself; leave the field out/;
const isolated =
  /spec\.tolerations: GpuPool national is isolated; a pod that Moa does not schedule may not tolerate its taint moa\.dev\/pool/;
const notForPeople = (key: string) =>
  new RegExp(`metadata: ${key.replaceAll(/[./]/g, '\\$&')} is not for people to write`);
const decided = (key: string) =>
  new RegExp(`metadata: ${key.replaceAll(/[./]/g, '\\$&')} cannot change once the pod has a node`);
const notYourStatus =
  /status: phase, startTime and the conditions PodScheduled and DisruptionTarget are written by the node and the scheduler/;
const notYourBinding = /target: mighty-of-kaist may not bind pods of this namespace/;
const byRbac = /cannot (patch|create|update) resource/;
const notYourInstitution =
  /metadata\.labels: moa\.dev\/institution says who pays for what runs here; \S+ may not change it from or to/;

const groups: Readonly<Record<string, Readonly<Record<string, Row>>>> = {
  'a pod that asks for accelerators': {
    'under another scheduler is refused': { who: admin, act: create({ ...other, gpus: 1 }), refused: scheduledByMoa },
    'in an init container, under another scheduler, is refused': {
      who: admin,
      act: create({ ...other, spec: { initContainers: [{ name: 'i', image: 'i', ...gpus(1) }] } }),
      refused: scheduledByMoa,
    },
    'in a sidecar, under another scheduler, is refused': {
      who: admin,
      act: create({
        ...other,
        spec: { initContainers: [{ name: 'i', image: 'i', restartPolicy: 'Always', ...gpus(1) }] },
      }),
      refused: scheduledByMoa,
    },
    'among a hundred containers, under another scheduler, is refused': {
      who: admin,
      act: create({
        ...other,
        spec: {
          containers: Array.from({ length: 100 }, (_, i) => ({ name: `c${i}`, image: 'i', ...gpus(i === 99 ? 1 : 0) })),
        },
      }),
      refused: scheduledByMoa,
    },
    'of a pool that is not isolated, under another scheduler, is refused': {
      who: admin,
      act: create({ ...other, gpus: 1, resourceName: 'furiosa.ai/rngd' }),
      refused: /accelerators \(furiosa\.ai\/rngd, as in GpuPool edge\)/,
    },
    'for the pod as a whole is refused, for whichever reason': {
      who: admin,
      act: create({ ...other, spec: { resources: { limits: { 'nvidia.com/gpu': '1' } } } }),
      refused: /spec\.resources|accelerators/,
    },
    'under Moa is allowed': { who: admin, act: create({ gpus: 1 }) },
    'under the default scheduler is allowed, and comes to Moa': { who: admin, act: create({ ...byDefault, gpus: 1 }) },
    'with a node of its choice is refused': {
      who: admin,
      act: create({ gpus: 1, nodeName: 'node-0' }),
      refused: presetNode,
    },
    'by a ResourceClaim is refused': {
      who: admin,
      act: create({ ...byDefault, spec: { resourceClaims: [{ name: 'gpu', resourceClaimName: 'gpu' }] } }),
      refused: /spec\.resourceClaims: no quota counts the devices of a ResourceClaim/,
    },
    'may name a node by affinity': {
      who: admin,
      act: create({ gpus: 1, spec: { nodeSelector: { 'kubernetes.io/hostname': 'node-0' } } }),
    },
    'in a namespace that belongs to nobody is no business of the policies': {
      who: { user: 'cluster-admin', group: 'system:masters' },
      act: create({ ...other, gpus: 1, namespace: elsewhere, nodeName: 'node-0' }),
    },
  },
  'a pod without accelerators': {
    'may have any scheduler': { who: admin, act: create(other) },
    'may not choose its node': { who: admin, act: create({ ...byDefault, nodeName: 'node-0' }), refused: presetNode },
    'may not tolerate the taint of an isolated pool': {
      who: admin,
      act: create({ ...byDefault, spec: { tolerations: [{ key: labels.pool.key, operator: 'Exists' }] } }),
      refused: isolated,
    },
    'may not tolerate it by value': {
      who: admin,
      act: create({ ...byDefault, spec: { tolerations: [own] } }),
      refused: isolated,
    },
    'may not tolerate everything': {
      who: admin,
      act: create({ ...other, spec: { tolerations: [{ operator: 'Exists' }] } }),
      refused: isolated,
    },
    'may tolerate every NoExecute': {
      who: admin,
      act: create({ ...byDefault, spec: { tolerations: [{ operator: 'Exists', effect: 'NoExecute' }] } }),
    },
    'may tolerate the taint of a pool that is not isolated': {
      who: admin,
      act: create({
        ...byDefault,
        spec: { tolerations: [{ key: labels.pool.key, operator: 'Equal', value: 'edge', effect: 'NoSchedule' }] },
      }),
    },
    'may tolerate it under Moa': { who: admin, act: create({ spec: { tolerations: [own] } }) },
    'cannot get the toleration later': {
      who: admin,
      act: (client) => patch(ordinary, { spec: { tolerations: [own] } })(client),
      refused: isolated,
    },
    'can be a mirror of a static pod': {
      who: kubelet,
      act: create({
        ...byDefault,
        nodeName: 'node-0',
        annotations: { 'kubernetes.io/config.mirror': 'x', 'kubernetes.io/config.source': 'file' },
      }),
    },
  },
  'labels and annotations of Moa': {
    'that mark a budget borrower are not written at creation': {
      who: admin,
      act: create({ gpus: 1, annotations: { [annotations.admittedAs.key]: 'Borrower' } }),
      refused: notForPeople(annotations.admittedAs.key),
    },
    'that mark a budget borrower are not changed': {
      who: admin,
      act: annotated(bound, { [annotations.admittedAs.key]: 'Owner' }),
      refused: notForPeople(annotations.admittedAs.key),
    },
    'that mark a budget borrower are not removed': {
      who: admin,
      act: annotated(bound, { [annotations.admittedAs.key]: null }),
      refused: notForPeople(annotations.admittedAs.key),
    },
    'that mark a budget borrower are not removed by the back door of the status': {
      who: mighty,
      act: annotated(bound, { [annotations.admittedAs.key]: null }, 'status'),
      refused: notForPeople(annotations.admittedAs.key),
    },
    'that do not exist are refused by name': {
      who: admin,
      act: create({ gpus: 1, annotations: { 'moa.dev/gangsize': '4' } }),
      refused: notForPeople('moa.dev/gangsize'),
    },
    'that belong to nodes are refused on pods': {
      who: admin,
      act: labelled(waiting, { [labels.contributor.key]: 'kaist' }),
      refused: notForPeople(labels.contributor.key),
    },
    'of another prefix are no business of Moa': {
      who: admin,
      act: labelled(bound, { 'kwok.moa.dev/x': 'y', 'example.test/moa.dev': 'y' }),
    },
    'that decided on a waiting pod may change': {
      who: admin,
      act: labelled(waiting, { [labels.gang.key]: 'other', [labels.user.key]: 'other' }),
    },
    'are left alone by a change of something else': { who: admin, act: labelled(bound, { app: 'x' }) },
    ...Object.fromEntries(
      (
        [
          [labels.gang.key, labelled],
          [labels.user.key, labelled],
          ['scheduling.x-k8s.io/pod-group', labelled],
          ...[
            annotations.gangOfJob,
            annotations.gangSize,
            annotations.topology,
            annotations.topologyMode,
            annotations.acceleratorClass,
            annotations.walltime,
          ].map(({ key }) => [key, annotated] as const),
        ] as const
      ).map(([key, change]) => [
        `that decided on a bound pod do not change: ${change === labelled ? 'label' : 'annotation'} ${key}`,
        { who: admin, act: change(bound, { [key]: 'other' }), refused: decided(key) },
      ]),
    ),
    'of a bound pod do not go': {
      who: admin,
      act: labelled(bound, { [labels.gang.key]: null }),
      refused: decided(labels.gang.key),
    },
    'of a bound pod do not change through its status': {
      who: mighty,
      act: labelled(bound, { [labels.gang.key]: 'other' }, 'status'),
      refused: decided(labels.gang.key),
    },
    'of a bound pod do not change with the deadline': {
      who: admin,
      act: patch(bound, {
        metadata: { annotations: { [annotations.walltime.key]: '99h' } },
        spec: { activeDeadlineSeconds: 60 },
      }),
      refused: decided(annotations.walltime.key),
    },
  },
  'other ways to change a pod': {
    'its scheduler cannot change': {
      who: mighty,
      act: patch(waiting, { spec: { schedulerName: 'other' } }),
      refused: /pod updates may not change fields/,
    },
    'its node cannot be set': {
      who: mighty,
      act: patch(waiting, { spec: { nodeName: 'node-0' } }),
      refused: /pod updates may not change fields/,
    },
    'devices cannot be added': {
      who: mighty,
      act: patch(ordinary, { spec: { containers: [{ name: 'main', image: 'example.test/main', ...gpus(8) }] } }),
      refused: /pod updates may not change fields|Forbidden/,
    },
    'a resize cannot add devices': {
      who: mighty,
      act: patch(ordinary, { spec: { containers: [{ name: 'main', ...gpus(8) }] } }, 'resize'),
      refused: /resources|resize/,
    },
    'an ephemeral container cannot ask for devices': {
      who: mighty,
      act: patch(
        ordinary,
        { spec: { ephemeralContainers: [{ name: 'e', image: 'e', ...gpus(8) }] } },
        'ephemeralcontainers',
      ),
      refused: /ephemeralContainers\[0\]\.resources: Forbidden/,
    },
    'an ephemeral container changes no label on the way': {
      who: mighty,
      act: async (client) => {
        const change = {
          metadata: { labels: { [labels.gang.key]: 'other' } },
          spec: { ephemeralContainers: [{ name: 'e', image: 'e' }] },
        };
        const pod = (await patch(bound, change, 'ephemeralcontainers')(client)) as Pod;
        assert.equal(pod.metadata.labels?.[labels.gang.key], 'g');
      },
    },
    'a longer deadline is refused by Kubernetes': {
      who: admin,
      act: patch(bound, { spec: { activeDeadlineSeconds: 99_999 } }),
      refused: /activeDeadlineSeconds/,
    },
  },
  'the node of a pod': {
    'is not for a namespace administrator to bind': {
      who: admin,
      act: post('pods/waiting/binding', binding('waiting')),
      refused: byRbac,
    },
    'is not for anybody else to bind either': {
      who: mighty,
      act: post('pods/waiting/binding', binding('waiting')),
      refused: notYourBinding,
    },
    'is not to be had by the old way of binding': {
      who: mighty,
      act: post('bindings', binding('waiting')),
      refused: notYourBinding,
    },
    'is for kube-scheduler to choose where it schedules': {
      who: kubeScheduler,
      act: post('pods/ordinary/binding', binding('ordinary')),
    },
    'is for Moa to choose': { who: moa, act: post('pods/waiting/binding', binding('waiting')) },
  },
  'the status of a pod': {
    'is not for a namespace administrator': {
      who: admin,
      act: patch(bound, { status: { phase: 'Succeeded' } }, 'status'),
      refused: byRbac,
    },
    'does not say that it has ended while it runs': {
      who: mighty,
      act: patch(bound, { status: { phase: 'Succeeded' } }, 'status'),
      refused: notYourStatus,
    },
    'does not say that it began later': {
      who: mighty,
      act: patch(bound, { status: { startTime: '2030-01-01T00:00:00Z' } }, 'status'),
      refused: notYourStatus,
    },
    'does not say that Moa evicted it': {
      who: mighty,
      act: patch(bound, { status: { conditions: [condition(evictionMark.type, evictionMark.reason)] } }, 'status'),
      refused: notYourStatus,
    },
    'does not say that it has no place': {
      who: mighty,
      act: patch(waiting, { status: { conditions: [condition('PodScheduled')] } }, 'status'),
      refused: notYourStatus,
    },
    'does not speak for Moa': {
      who: mighty,
      act: patch(waiting, { status: { conditions: [condition('moa.dev/Anything')] } }, 'status'),
      refused: notYourStatus,
    },
    'may have conditions of others, for readiness gates': {
      who: mighty,
      act: async (client) => {
        const { status } = await client.get<Pod>(bound);
        return patch(
          bound,
          { status: { conditions: [...(status.conditions ?? []), condition('example.test/ready')] } },
          'status',
        )(client);
      },
    },
    'is for its kubelet to write': { who: kubelet, act: patch(bound, { status: { phase: 'Running' } }, 'status') },
    'is for Moa to explain': {
      who: moa,
      act: patch(waiting, { status: { conditions: [condition('PodScheduled')] } }, 'status'),
    },
    'is empty at creation, whatever is written': {
      who: admin,
      act: async (client) => {
        const manifest = {
          ...podManifest({ name: uniqueName('pod'), namespace: lab, gpus: 1 }),
          status: { phase: 'Succeeded' },
        };
        assert.equal((await client.create<Pod>(manifest, { dryRun: true })).status.phase, 'Pending');
      },
    },
  },
  'the institution of a namespace': {
    'is not for its administrator to change': { who: admin, act: relabel(lab, 'snu'), refused: byRbac },
    'is not for those to change who may change the namespace': {
      who: mighty,
      act: relabel(lab, 'snu'),
      refused: notYourInstitution,
    },
    'cannot be taken off, which would end the rule of these policies': {
      who: mighty,
      act: relabel(lab, null),
      refused: notYourInstitution,
    },
    'cannot be changed through the status': {
      who: mighty,
      act: relabel(lab, 'snu', 'status'),
      refused: notYourInstitution,
    },
    'leaves other labels alone': { who: mighty, act: labelled(namespace(lab), { team: 'x' }) },
    'is given by who may assign it': { who: portal, act: newNamespace('kaist') },
    'is not given by who may assign another': { who: portal, act: newNamespace('snu'), refused: notYourInstitution },
    'is not exchanged by who may assign one of the two': {
      who: portal,
      act: relabel(lab, 'snu'),
      refused: notYourInstitution,
    },
    'is taken off by who may assign it': { who: portal, act: relabel(lab, null) },
    'is not asked of namespaces without one': { who: portal, act: newNamespace() },
  },
  'labels of a node': {
    'that say who brought it are not for its kubelet': {
      who: kubelet,
      act: labelled(node, { [labels.contributor.key]: 'kaist' }),
      refused: /metadata\.labels: moa\.dev\/contributor is not for the kubelet to write/,
    },
    'that say who paid for it do not go by its kubelet': {
      who: kubelet,
      act: labelled(node, { [labels.investment.key]: null }, 'status'),
      refused: /metadata\.labels: moa\.dev\/investment is not for the kubelet to write/,
    },
    'that are none of Moa stay open to its kubelet': {
      who: kubelet,
      act: labelled(node, { 'example.test/rack': '7' }),
    },
    'are not for the operator': {
      who: moa,
      act: labelled(node, { [labels.contributor.key]: 'kaist' }),
      refused: /Moa changes nothing of a node but its taint/,
    },
    'stay when the operator taints it': { who: moa, act: patch(node, { spec: { taints: [own] } }) },
    'are not the only thing: the operator cannot cordon': {
      who: moa,
      act: patch(node, { spec: { unschedulable: true } }),
      refused: /Moa changes nothing of a node but its taint/,
    },
    'are not the only thing: the operator cannot taint otherwise': {
      who: moa,
      act: patch(node, { spec: { taints: [own, { key: 'x', effect: 'NoExecute' }] } }),
      refused: /Moa changes nothing of a node but its taint/,
    },
  },
};

describe('ways round Moa, tried by people with the rights of a namespace administrator and more:', () => {
  const { cluster, as } = withPolicies();

  before(
    async () => {
      const { client } = cluster;
      const rbac = 'rbac.authorization.k8s.io';
      const role = (name: string, rules: readonly object[]) =>
        ({ apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name }, rules }) as KubeObject;
      const bind = (roleName: string, { user }: Actor, inNamespace?: string) =>
        ({
          apiVersion: `${rbac}/v1`,
          kind: inNamespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
          metadata: {
            name: `${roleName}-${user.replaceAll(':', '-')}`,
            ...(inNamespace === undefined ? {} : { namespace: inNamespace }),
          },
          roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: roleName },
          subjects: [{ apiGroup: rbac, kind: 'User', name: user }],
        }) as KubeObject;
      const podResources = [
        'pods',
        ...['status', 'binding', 'resize', 'ephemeralcontainers'].map((one) => `pods/${one}`),
      ];
      const verbs = ['get', 'list', 'create', 'update', 'patch'];
      const objects = [
        role('all-of-pods', [{ apiGroups: [''], resources: ['bindings', ...podResources], verbs: ['*'] }]),
        role('of-namespace', [{ apiGroups: [''], resources: ['namespaces', 'namespaces/status'], verbs }]),
        role('assign-kaist', [
          { apiGroups: ['moa.dev'], resources: ['institutions'], resourceNames: ['kaist'], verbs: ['assign'] },
        ]),
        bind('admin', admin, lab),
        bind('admin', mighty, lab),
        bind('all-of-pods', mighty, lab),
        bind('of-namespace', mighty, lab),
        bind('of-namespace', portal),
        bind('assign-kaist', portal),
        // The API server makes the role, and in a namespace the controller of service accounts gives it to nobody.
        bind('system:kube-scheduler', kubeScheduler),
      ];
      for (const object of objects) await client.create(object);
      await client.create(nodeManifest({ name: 'node-0', labels: { [labels.investment.key]: 'company-a' } }));
      const all = { [labels.gang.key]: 'g', [labels.user.key]: 'kim' };
      const podNotes = { [annotations.gangSize.key]: '1', [annotations.walltime.key]: '2h' };
      await client.create(
        podManifest({ name: 'waiting', namespace: lab, gpus: 1, labels: all, annotations: podNotes }),
      );
      await client.create(podManifest({ name: 'ordinary', namespace: lab, schedulerName: 'default-scheduler' }));
      await client.create(podManifest({ name: 'bound', namespace: lab, gpus: 1, labels: all, annotations: podNotes }));
      const asMoa = as(moa);
      const marked = {
        ...binding('bound'),
        metadata: { name: 'bound', annotations: { [annotations.admittedAs.key]: 'Borrower' } },
      };
      await asMoa.transport.request({
        method: 'POST',
        path: `/api/v1/namespaces/${lab}/pods/bound/binding`,
        body: marked,
      });
      await eventually(async () => assert.equal((await client.get<Pod>(bound)).status.phase, 'Running'));
      await eventually(() => as(admin).list({ apiVersion: 'v1', kind: 'Pod' }, { namespace: lab }));
    },
    { timeout: 60_000 },
  );

  for (const [group, rows] of Object.entries(groups)) {
    describe(group, () => {
      for (const [rule, { who, act, refused }] of Object.entries(rows)) {
        it(rule, async () => {
          const tried = act(as(who));
          if (refused === undefined) await tried;
          else
            await assert.rejects(
              tried,
              (error) => error instanceof ApiError && refused.test(wholeOf(error)) && error.status < 500,
            );
        });
      }
    });
  }
});

describe('the keys that the policy leaves to people', () => {
  it('are those that Moa reads on pods and does not write', async () => {
    const objects = await renderChart(['admission']);
    const policy = JSON.stringify(
      objects.find(({ kind, metadata }) => kind === 'ValidatingAdmissionPolicy' && metadata.name === 'moa-pods'),
    );
    const lists = [...policy.matchAll(/k in \[([^\]]*)\]/g)].map(
      ([, list = '']) => list.match(/moa\.dev\/[a-z-]+/g) ?? [],
    );
    const onPods = (table: Readonly<Record<string, { readonly key: string; readonly on: string }>>) =>
      Object.values(table)
        .filter(({ on, key }) => on === 'Pod' && key !== annotations.admittedAs.key)
        .map(({ key }) => key);
    assert.deepEqual(
      lists.map((list) => list.toSorted()),
      [onPods(labels).toSorted(), onPods(annotations).toSorted()],
    );
  });
});

function wholeOf({ message, details }: { message: string; details: ApiErrorDetails | undefined }): string {
  return `${message} ${JSON.stringify(details)}`;
}
