import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PodReader } from './readPod.ts';
import { samePod } from './samePod.ts';

const manifest = {
  metadata: {
    ...{ name: 'p', namespace: 'lab', uid: 'u', creationTimestamp: '2026-05-01T00:00:00Z', labels: { app: 'a' } },
    annotations: {
      'moa.dev/gang-size': '2',
      'moa.dev/topology': 'rack',
      'moa.dev/class': 'h200,b200',
      'moa.dev/walltime': '1h',
    },
  },
  spec: {
    schedulerName: 'moa-scheduler',
    containers: [{ name: 'c', resources: { limits: { 'nvidia.com/gpu': '1' } } }],
    volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }],
  },
  status: { phase: 'Pending' },
};
const scheduled = (message: string) => [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }];

describe('whether a pod has changed', () => {
  const reader = new PodReader();
  const before = reader.read(manifest);
  const rows: readonly [rule: string, changed: object, same: boolean][] = [
    ['nothing has', manifest, true],
    [
      'being told why it waits is no change',
      { ...manifest, status: { phase: 'Pending', conditions: scheduled('NoCapacity: x') } },
      true,
    ],
    [
      'an unknown annotation is no change',
      { ...manifest, metadata: { ...manifest.metadata, annotations: { ...manifest.metadata.annotations, note: 'x' } } },
      true,
    ],
    ['a node is a change', { ...manifest, spec: { ...manifest.spec, nodeName: 'n' } }, false],
    ['a label is a change', { ...manifest, metadata: { ...manifest.metadata, labels: { app: 'b' } } }, false],
    [
      'another claim is a change',
      {
        ...manifest,
        spec: { ...manifest.spec, volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'other' } }] },
      },
      false,
    ],
    [
      'a deletion is a change',
      { ...manifest, metadata: { ...manifest.metadata, deletionTimestamp: '2026-05-01T00:01:00Z' } },
      false,
    ],
    [
      'the walltime is a change',
      { ...manifest, metadata: { ...manifest.metadata, annotations: { 'moa.dev/walltime': '2h' } } },
      false,
    ],
  ];
  for (const [rule, changed, same] of rows)
    it(rule, () => assert.equal(samePod(before, reader.read(changed as Readonly<Record<string, unknown>>)), same));
});
