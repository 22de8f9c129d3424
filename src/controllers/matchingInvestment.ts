import { EventReason } from '../api/v1alpha1/index.ts';
import { isUnreadable } from '../core/snapshot/index.ts';
import { investmentStatus, unreadableConditions } from '../core/status/index.ts';
import type { StatusKind } from './statusController.ts';
import { readInvestment, type World } from './world.ts';

/** The status of MatchingInvestments. An event tells when one moves to another phase. */
export function matchingInvestmentStatus({ investments }: World): StatusKind<'MatchingInvestment'> {
  return {
    kind: 'MatchingInvestment',
    store: investments,
    judge: (seen, figures) => {
      const zoneOf = (name: string) => figures.policy.pools.find((pool) => pool.spec.name === name)?.spec.timeZone;
      const spec = readInvestment(seen, zoneOf);
      if (isUnreadable(spec)) {
        // Pinned weights hold for the whole term: what can't be read for a while must not lose them.
        const { pinnedWeights } = seen.status ?? {};
        return {
          generation: seen.generation,
          conditions: unreadableConditions(spec),
          figures: { phase: 'Pending', ...(pinnedWeights === undefined ? {} : { pinnedWeights }) },
        };
      }
      const state = figures.policy.investments.get(seen.name);
      return state === undefined ? undefined : investmentStatus(figures, state);
    },
    newsOf: (before, { phase }) => {
      if (phase === undefined || phase === before?.phase) return [];
      const note =
        before?.phase === undefined ? `the phase is ${phase}` : `the phase was ${before.phase}, it is ${phase}`;
      return [{ reason: EventReason.PhaseChanged, note }];
    },
  };
}
