import { EventReason } from '../api/v1alpha1/index.ts';
import { isUnreadable } from '../core/snapshot/index.ts';
import { investmentStatus, unreadableInvestmentStatus } from '../core/status/index.ts';
import type { StatusKind } from './statusController.ts';
import { readInvestment, type World } from './world.ts';

/** The status of MatchingInvestments. An event tells when one moves to another phase. */
export function matchingInvestmentStatus({ investments }: World): StatusKind<'MatchingInvestment'> {
  return {
    kind: 'MatchingInvestment',
    store: investments,
    judge: (seen, figures) => {
      const state = figures.policy.investments.get(seen.name);
      if (state?.spec.generation === seen.generation) return investmentStatus(figures, state);
      const zoneOf = (name: string) => figures.policy.pools.find((pool) => pool.spec.name === name)?.spec.timeZone;
      const spec = readInvestment(seen, zoneOf);
      if (isUnreadable(spec)) return unreadableInvestmentStatus(spec, seen.status);
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
