/**
 * The ceiling: a process that decides nothing and posts one binding after the other over 32 connections, with the
 * transport that Moa uses. Stays until it is killed, so that its processor time can be read.
 */
import process from 'node:process';
import { bindPod, createTransport, loadKubeConfig } from '../../src/kube/index.ts';
import { gpusPerNode } from './load.ts';
import { listPods } from './pods.ts';

const connections = 32;

const kubeConfig = loadKubeConfig(process.argv[2]);
const transport = createTransport({ kubeConfig, userAgent: 'moa-bench-bare', maxConnections: connections });
const { items: nodes } = await transport.request<{ items: readonly { metadata: { name: string } }[] }>({
  method: 'GET',
  path: '/api/v1/nodes',
  query: { resourceVersion: '0' },
});
const { pods } = await listPods(transport);
const queue = pods.entries();
await Promise.all(
  Array.from({ length: connections }, async () => {
    for (const [i, { metadata }] of queue) {
      const node = nodes[Math.floor(i / gpusPerNode)];
      if (node === undefined) throw new Error(`${pods.length} pods are too many for ${nodes.length} nodes`);
      const { namespace, name, uid } = metadata;
      await bindPod(transport, { namespace, name, uid, nodeName: node.metadata.name });
    }
  }),
);
setInterval(() => undefined, 60_000);
