import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PodConstraints } from './facts.ts';
import { readClaimUses, readConstraints } from './podConstraints.ts';

type Json = Record<string, unknown>;

const hard = 'requiredDuringSchedulingIgnoredDuringExecution';
const nothing: PodConstraints = { hostPorts: [], disks: [], affinity: [], antiAffinity: [], spread: [], claims: false };

describe('constraints of a pod', () => {
  const term = { topologyKey: 'zone', labelSelector: { matchLabels: { app: 'x' } } };
  const wantTerm = {
    topologyKey: 'zone',
    selector: [{ key: 'app', operator: 'In' as const, values: ['x'] }],
    namespaces: [],
    namespaceSelector: undefined,
  };
  const spread = { topologyKey: 'zone', maxSkew: 2, whenUnsatisfiable: 'DoNotSchedule' };
  const wantSpread = {
    topologyKey: 'zone',
    maxSkew: 2,
    minDomains: 1,
    selector: undefined,
    honorsAffinity: true,
    honorsTaints: false,
  };
  const port = (more: Json) => [{ name: 'main', ports: [{ containerPort: 80, ...more }] }];
  const table: { rule: string; spec: Json; want: Partial<PodConstraints> | undefined }[] = [
    { rule: 'most pods have none', spec: { containers: port({}), volumes: [{ emptyDir: {} }] }, want: undefined },
    {
      rule: 'a host port is taken on every address, for TCP, unless it says otherwise',
      spec: { containers: port({ hostPort: 80 }) },
      want: { hostPorts: [{ ip: '0.0.0.0', protocol: 'TCP', port: 80 }] },
    },
    {
      rule: 'a sidecar keeps its port',
      spec: {
        initContainers: [
          { ...port({ hostPort: 53, protocol: 'UDP', hostIP: '10.0.0.1' })[0], restartPolicy: 'Always' },
        ],
      },
      want: { hostPorts: [{ ip: '10.0.0.1', protocol: 'UDP', port: 53 }] },
    },
    {
      rule: 'an init container gives its port back',
      spec: { initContainers: port({ hostPort: 80 }) },
      want: undefined,
    },
    {
      rule: 'required affinity',
      spec: { affinity: { podAffinity: { [hard]: [term] } } },
      want: { affinity: [wantTerm] },
    },
    {
      rule: 'required anti-affinity, with the namespaces that it names',
      spec: { affinity: { podAntiAffinity: { [hard]: [{ ...term, namespaces: ['a'], namespaceSelector: {} }] } } },
      want: { antiAffinity: [{ ...wantTerm, namespaces: ['a'], namespaceSelector: [] }] },
    },
    {
      rule: 'a preference is no constraint',
      spec: { affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1 }] } } },
      want: undefined,
    },
    {
      rule: 'hard topology spread, whose selector selects nothing where there is none',
      spec: { topologySpreadConstraints: [spread] },
      want: { spread: [wantSpread] },
    },
    {
      rule: 'matchLabelKeys are merged into the selector with the values of the pod',
      spec: {
        topologySpreadConstraints: [
          { ...spread, labelSelector: {}, matchLabelKeys: ['version', 'absent'], nodeAffinityPolicy: 'Ignore' },
        ],
      },
      want: {
        spread: [
          { ...wantSpread, selector: [{ key: 'version', operator: 'In', values: ['7'] }], honorsAffinity: false },
        ],
      },
    },
    {
      rule: 'soft topology spread is no constraint',
      spec: { topologySpreadConstraints: [{ ...spread, whenUnsatisfiable: 'ScheduleAnyway' }] },
      want: undefined,
    },
    {
      rule: 'an RBD disk is known by each of its monitors',
      spec: { volumes: [{ rbd: { monitors: ['m1', 'm2'], pool: 'p', image: 'i', readOnly: true } }] },
      want: { disks: [{ names: ['rbd m1 p/i', 'rbd m2 p/i'], readOnly: true }] },
    },
    { rule: 'claims', spec: { volumes: [{ persistentVolumeClaim: { claimName: 'c' } }] }, want: { claims: true } },
  ];
  for (const { rule, spec, want } of table)
    it(rule, () => {
      const read = readConstraints({ metadata: { labels: { version: '7' } }, spec });
      assert.deepEqual(read, want === undefined ? undefined : { ...nothing, ...want });
    });

  it('a claim that is made for the pod is called after the pod and the volume', () => {
    const volumes = [
      { name: 'a', persistentVolumeClaim: { claimName: 'data' } },
      { name: 'b', ephemeral: {} },
    ];
    assert.deepEqual(readClaimUses({ metadata: { name: 'train' }, spec: { volumes } }), [
      { name: 'data', ephemeral: false },
      { name: 'train-b', ephemeral: true },
    ]);
  });

  it('pods without claims share one empty list', () => {
    assert.equal(readClaimUses({ spec: {} }), readClaimUses({ spec: { volumes: [{ emptyDir: {} }] } }));
  });
});
