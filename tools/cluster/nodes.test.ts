import assert from 'node:assert/strict';
import { test } from 'node:test';

import { sampleNodes } from './nodes.ts';

test('the sample fleet is the same every time, and a larger one begins with a smaller one', () => {
  assert.deepEqual(sampleNodes(100), sampleNodes(100));
  assert.deepEqual(sampleNodes(100).slice(0, 10), sampleNodes(10));
});

test('the sample fleet has distinct names, both products from 16 nodes on, and one product to an NVLink domain', () => {
  const nodes = sampleNodes(1000);
  assert.equal(new Set(nodes.map(({ name }) => name)).size, 1000);
  assert.equal(new Set(sampleNodes(16).map(({ labels }) => labels?.['nvidia.com/gpu.product'])).size, 2);
  const domains = Map.groupBy(nodes, ({ labels }) => labels?.['nvidia.com/gpu.clique']);
  for (const [domain, members] of domains) {
    assert.equal(new Set(members.map(({ labels }) => labels?.['nvidia.com/gpu.product'])).size, 1, domain);
  }
});
