import { EventReason } from '../../api/v1alpha1/index.ts';
import { isUnreadable } from '../../core/snapshot/index.ts';
import { poolStatus, unreadableStatus } from '../../core/status/index.ts';
import { readPool } from '../manifests/index.ts';
import type { StatusKind } from './statusController.ts';
import type { World } from './world.ts';

/** The status of GpuPools. An event tells when a milestone is reached. */
export function gpuPoolStatus({ pools, record, ledgerState }: World): StatusKind<'GpuPool'> {
  return {
    kind: 'GpuPool',
    store: pools,
    judge: (seen, figures) => {
      const state = figures.policy.pools.find((pool) => pool.spec.name === seen.name);
      if (state?.spec.generation !== seen.generation) {
        const spec = readPool(seen);
        if (isUnreadable(spec)) return unreadableStatus(spec);
      }
      if (state === undefined) return undefined;
      return poolStatus(figures, state, {
        waitForPower: record.powerWaitOf(seen.name, figures.policy),
        ledger: ledgerState(),
      });
    },
    newsOf: (before, after) =>
      (after.milestones ?? [])
        .filter(({ date, gpus, reached }) => {
          const earlier = before?.milestones?.find((milestone) => milestone.date === date);
          return reached && earlier?.gpus === gpus && !earlier.reached;
        })
        .map(({ date, gpus }) => ({
          reason: EventReason.MilestoneReached,
          note: `the ${gpus} ready devices of the milestone of ${date} are there`,
        })),
  };
}
