import type { MetricDefinition } from './metricDefinition.ts';
import { acceleratorClass, pool, site } from './shared.ts';

/** What a pool has. Set by the replica that leads. */
export const poolMetrics = {
  poolNodes: {
    kind: 'gauge',
    name: 'moa_pool_nodes',
    help: 'Nodes of a pool that exist.',
    labels: { pool },
  },
  poolReadyNodes: {
    kind: 'gauge',
    name: 'moa_pool_ready_nodes',
    help: 'Nodes of a pool that are Ready, cordoned ones included.',
    labels: { pool },
  },
  poolCapacity: {
    kind: 'gauge',
    name: 'moa_pool_normalized_gpus',
    help: 'Capacity of a pool in normalized GPUs.',
    note: 'Guarantees hold as long as `guaranteed` stays within `ready`; `entitled` is the part of it that contributions and investments buy.',
    labels: { pool, kind: { meaning: 'which part', values: ['all', 'ready', 'guaranteed', 'entitled'] } },
  },
  poolCondition: {
    kind: 'gauge',
    name: 'moa_pool_condition',
    help: '1 while the condition of the pool is True, else 0.',
    labels: {
      pool,
      condition: { meaning: 'see [conditions](conditions.md)', values: ['Ready', 'Overcommitted', 'PowerLimited'] },
    },
  },
  poolGpus: {
    kind: 'gauge',
    name: 'moa_pool_gpus',
    help: 'Devices on the nodes of a pool that exist.',
    labels: { pool, class: acceleratorClass },
  },
  poolReadyGpus: {
    kind: 'gauge',
    name: 'moa_pool_ready_gpus',
    help: 'Devices on Ready nodes of a pool, cordoned ones included.',
    labels: { pool, class: acceleratorClass },
  },
  poolAllocatedGpus: {
    kind: 'gauge',
    name: 'moa_pool_allocated_gpus',
    help: 'Devices of a pool that pods hold, whoever placed them.',
    labels: { pool, class: acceleratorClass },
  },
  poolFreeGpus: {
    kind: 'gauge',
    name: 'moa_pool_free_gpus',
    help: 'Devices of a pool that could be given to a pod now.',
    note: 'Less than ready minus allocated where nodes are cordoned.',
    labels: { pool, class: acceleratorClass },
  },
  poolLargestFreeNode: {
    kind: 'gauge',
    name: 'moa_pool_largest_free_node_gpus',
    help: 'Most devices of a class that are free on one node.',
    note: 'While it is small and many are free, the pool is fragmented.',
    labels: { pool, class: acceleratorClass },
  },
  sitePower: {
    kind: 'gauge',
    name: 'moa_site_power_watts',
    help: 'Power that the allocated devices of a site draw by their `powerWatts`.',
    labels: { pool, site },
  },
  sitePowerLimit: {
    kind: 'gauge',
    name: 'moa_site_power_limit_watts',
    help: 'Power that the devices of a site may draw. Absent for a site without a limit.',
    labels: { pool, site },
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
