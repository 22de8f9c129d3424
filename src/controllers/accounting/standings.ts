import { entitlementUse, type Figures } from '../../core/status/index.ts';
import type { InvestmentStanding } from '../../ledger/index.ts';

/**
 * How the investments of a picture stand, for the meter: those that are in force and within their term, each charged to
 * the account of its investor's quota. O(investments).
 */
export function standingsOf(figures: Figures): readonly InvestmentStanding[] {
  const standings: InvestmentStanding[] = [];
  for (const investment of figures.policy.investments.values()) {
    if (investment.problem !== undefined || investment.term !== 'within') continue;
    const quota = figures.policy.quotas.get(investment.spec.investorName);
    const use = entitlementUse(figures, investment);
    if (quota?.pool === undefined || use === undefined) continue;
    const { name: pool, timeZone } = quota.pool.spec;
    const { contributed, delivered, entitlement } = investment.amounts;
    standings.push({
      account: { pool, timeZone, quotas: quota.chain.map(({ spec }) => spec.name) },
      investment: investment.spec.name,
      levels: {
        contributed,
        delivered,
        entitled: entitlement,
        effective: investment.effectiveEntitlement,
        used: use.used,
        lent: use.lent,
      },
    });
  }
  return standings;
}
