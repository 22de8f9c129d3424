import type { Row } from '../panel.ts';

const each = (metric: string): string => `max by (pool, class) (${metric}{pool=~"$pool"})`;

/** What there is, and what state it is in. */
export const pools: Row = {
  title: 'Pools',
  panels: [
    {
      title: 'Nodes',
      description: 'Nodes of each pool, and those that are Ready.',
      kind: 'trend',
      unit: 'short',
      width: 8,
      queries: [
        { expr: 'max by (pool) (moa_pool_nodes{pool=~"$pool"})', legend: '{{pool}}' },
        { expr: 'max by (pool) (moa_pool_ready_nodes{pool=~"$pool"})', legend: '{{pool}} ready' },
      ],
    },
    {
      title: 'Devices, by class',
      description: 'Devices of each class: all, on Ready nodes, held by pods, and those that could be given away now.',
      kind: 'trend',
      unit: 'short',
      width: 8,
      queries: [
        { expr: each('moa_pool_gpus'), legend: '{{class}}' },
        { expr: each('moa_pool_ready_gpus'), legend: '{{class}} ready' },
        { expr: each('moa_pool_allocated_gpus'), legend: '{{class}} allocated' },
        { expr: each('moa_pool_free_gpus'), legend: '{{class}} free' },
      ],
    },
    {
      title: 'Largest free node',
      description: 'Most devices of each class that are free on one node. Small while many are free: fragmented.',
      kind: 'trend',
      unit: 'short',
      width: 8,
      queries: [{ expr: each('moa_pool_largest_free_node_gpus'), legend: '{{class}}' }],
    },
    {
      title: 'Power of sites',
      description: 'What the allocated devices of each site draw, and what they may draw.',
      kind: 'trend',
      unit: 'watt',
      width: 12,
      queries: [
        {
          expr: 'max by (pool, site) (moa_site_power_watts{pool=~"$pool"})',
          legend: '{{site}}',
          emptyUntil: 'a pool names its sites',
        },
        {
          expr: 'max by (pool, site) (moa_site_power_limit_watts{pool=~"$pool"})',
          legend: '{{site}} limit',
          emptyUntil: 'a site has a limit',
        },
      ],
    },
    {
      title: 'Conditions',
      description: 'Conditions of each pool that are True. Only Ready should be.',
      kind: 'trend',
      unit: 'none',
      width: 12,
      queries: [
        {
          expr: 'max by (pool, condition) (moa_pool_condition{pool=~"$pool"})',
          legend: '{{pool}} {{condition}}',
        },
      ],
    },
  ],
};
