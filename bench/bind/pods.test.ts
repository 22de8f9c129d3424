import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findFaults, type PodView } from './pods.ts';

function pods(count: number, nodeName: string | undefined, gang?: string): PodView[] {
  return Array.from({ length: count }, (_, i) => ({
    metadata: {
      namespace: 'a',
      name: `p${i}`,
      resourceVersion: '1',
      uid: `${String(gang)}-${i}`,
      ...(gang === undefined ? {} : { labels: { 'moa.dev/gang': gang } }),
    },
    spec: nodeName === undefined ? {} : { nodeName },
  }));
}

describe('findFaults', () => {
  const table: [string, PodView[], string[]][] = [
    ['full nodes and whole gangs are fine', [...pods(8, 'n1', 'g1'), ...pods(8, 'n2')], []],
    ['a pod that waits is a fault', pods(1, undefined), ['1 pods are not bound']],
    ['a node with more pods than GPUs is a fault', pods(9, 'n1'), ['n1 holds 9 one-GPU pods and has 8 GPUs']],
    [
      'a gang that is partly bound is a fault',
      [...pods(7, 'n1', 'g1'), ...pods(1, undefined, 'g1')],
      ['1 pods are not bound', '7 of 8 pods of g1 are bound'],
    ],
  ];
  for (const [rule, standing, want] of table) it(rule, () => assert.deepEqual(findFaults(standing, 8), want));
});
