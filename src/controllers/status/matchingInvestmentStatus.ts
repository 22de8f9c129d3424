import { ConditionReason, EventReason } from '../../api/v1alpha1/index.ts';
import { isUnreadable } from '../../core/snapshot/index.ts';
import { investmentStatus, reclaimsOfStatus, unreadableInvestmentStatus } from '../../core/status/index.ts';
import { readInvestment, zoneIn, type StatusOf } from '../manifests/index.ts';
import type { News, StatusKind } from './statusController.ts';
import type { World } from './world.ts';

/** The status of MatchingInvestments. Events tell when one moves to another phase, and of each broken promise. */
export function matchingInvestmentStatus({ investments, record, now }: World): StatusKind<'MatchingInvestment'> {
  return {
    kind: 'MatchingInvestment',
    store: investments,
    judge: (seen, figures) => {
      const state = figures.policy.investments.get(seen.name);
      if (state?.spec.generation !== seen.generation) {
        const spec = readInvestment(seen, zoneIn(figures.policy));
        if (isUnreadable(spec)) return unreadableInvestmentStatus(spec, seen.status);
      }
      if (state === undefined) return undefined;
      const { uid, name, status } = seen;
      const access = record.access.recordOf({ uid, name, investor: state.spec.investorName }, now(), () =>
        reclaimsOfStatus(status),
      );
      return investmentStatus(figures, state, { record: access, now: now() });
    },
    newsOf: (before, after) => [...phaseNews(before, after), ...accessNews(before, after)],
  };
}

type Status = StatusOf<'MatchingInvestment'>;

function phaseNews(before: Status | undefined, { phase }: Status): News[] {
  if (phase === undefined || phase === before?.phase) return [];
  const note = before?.phase === undefined ? `the phase is ${phase}` : `the phase was ${before.phase}, it is ${phase}`;
  return [{ reason: EventReason.PhaseChanged, note }];
}

/** The first broken promise turns the condition, which is an event already; those after it have only this one. */
function accessNews(before: Status | undefined, after: Status): News[] {
  const wasBroken = before?.conditions?.some(({ reason }) => reason === ConditionReason.Breached) === true;
  const [had, has] = [before?.reclaim?.breaches ?? 0, after.reclaim?.breaches ?? 0];
  if (!wasBroken || has <= had) return [];
  const note = `${has} reclaims took longer than promised within 30 days`;
  return [{ reason: EventReason.AccessPromiseBroken, note }];
}
