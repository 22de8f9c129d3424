import type { Row } from '../panel.ts';

/** Is all well? */
export const now: Row = {
  title: 'Now',
  panels: [
    {
      title: 'Leaders',
      description: 'Replicas that hold the lease and act. It should be one.',
      kind: 'now',
      unit: 'none',
      width: 4,
      queries: [{ expr: 'sum(moa_leader)', legend: 'leaders' }],
      limits: { red: 2 },
    },
    {
      title: 'Devices in use',
      description: 'Share of the devices on Ready nodes that pods hold.',
      kind: 'now',
      unit: 'percentunit',
      width: 4,
      queries: [
        {
          expr: 'sum(moa_pool_allocated_gpus{pool=~"$pool"}) / sum(moa_pool_ready_gpus{pool=~"$pool"})',
          legend: 'in use',
        },
      ],
    },
    {
      title: 'Workloads that run',
      description: 'Workloads that are bound and not finished.',
      kind: 'now',
      unit: 'short',
      width: 4,
      queries: [{ expr: 'sum(moa_running_workloads)', legend: 'running' }],
    },
    {
      title: 'Workloads that wait',
      description: 'Workloads that are not bound yet, whatever the reason.',
      kind: 'now',
      unit: 'short',
      width: 4,
      queries: [{ expr: 'sum(moa_pending_workloads) or vector(0)', legend: 'waiting' }],
    },
    {
      title: 'Unserved guarantee',
      description:
        'For how long somebody has waited within a guarantee while others borrow. It should stay below least run time plus notice of the pool.',
      kind: 'now',
      unit: 's',
      width: 4,
      queries: [{ expr: 'max(moa_unserved_guarantee_seconds{pool=~"$pool"})', legend: 'longest wait' }],
      limits: { yellow: 1020, red: 2040 },
    },
    {
      title: 'Not in force',
      description: 'Pools, quotas and investments whose condition Ready is False.',
      kind: 'now',
      unit: 'none',
      width: 4,
      queries: [{ expr: 'sum(max by (kind) (moa_unready_resources))', legend: 'not in force' }],
      limits: { yellow: 1 },
    },
  ],
};
