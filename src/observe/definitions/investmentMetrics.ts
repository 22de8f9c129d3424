import type { MetricDefinition } from './metricDefinition.ts';
import { investment, pool } from './shared.ts';

/** What investments bring and get. Set by the replica that leads. */
export const investmentMetrics = {
  investmentInfo: {
    kind: 'gauge',
    name: 'moa_investment_info',
    help: 'Always 1; the labels tell about the investment.',
    labels: {
      investment,
      pool,
      quota: { meaning: "the investor's ResearchQuota" },
      phase: { meaning: '`status.phase`, empty before it is known' },
    },
  },
  investmentEntitlement: {
    kind: 'gauge',
    name: 'moa_investment_entitlement_normalized_gpus',
    help: 'Effective entitlement of an investment, after readiness and the public floor.',
    note: 'As in `status.effectiveEntitlement`.',
    labels: { investment },
  },
  investmentUsed: {
    kind: 'gauge',
    name: 'moa_investment_used_normalized_gpus',
    help: 'Part of the effective entitlement that the investor is using.',
    note: 'As in `status.used`.',
    labels: { investment },
  },
  investmentLent: {
    kind: 'gauge',
    name: 'moa_investment_lent_normalized_gpus',
    help: 'Part of the effective entitlement that others are using.',
    note: 'As in `status.lent`.',
    labels: { investment },
  },
  investmentPromise: {
    kind: 'gauge',
    name: 'moa_investment_promised_access_seconds',
    help: 'Time within which the investor was promised what is lent, `guaranteedAccessWithin`. Absent without a promise.',
    labels: { investment },
  },
  investmentLongestWait: {
    kind: 'gauge',
    name: 'moa_investment_longest_access_wait_seconds',
    help: "For how long the investor's workload waits by now that waits longest for what is lent; 0 when none does.",
    labels: { investment },
  },
  investmentAccess: {
    kind: 'gauge',
    name: 'moa_investment_access_p95_seconds',
    help: '95th percentile of the time for which the investor waited for what was lent, over 30 days.',
    note: 'As in `status.reclaim.p95Seconds`.',
    labels: { investment },
  },
  investmentBreaches: {
    kind: 'gauge',
    name: 'moa_investment_access_breaches',
    help: 'How often within 30 days the investor waited longer than was promised, waits that go on included.',
    note: 'As in `status.reclaim.breaches`.',
    labels: { investment },
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
