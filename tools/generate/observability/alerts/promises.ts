import type { AlertGroup } from './alert.ts';

const wait = 'max by (investment) (moa_investment_longest_access_wait_seconds)';
const promise = 'max by (investment) (moa_investment_promised_access_seconds)';
const breaches = 'moa_investment_access_breaches';

/** Whether institutions and investors get what they are entitled to. */
export const promises: AlertGroup = {
  name: 'moa.promises',
  alerts: [
    {
      name: 'MoaAccessPromiseAtRisk',
      expr: `(${wait} > 0.8 * ${promise}) <= ${promise}`,
      severity: 'warning',
      summary: 'The access promised to {{ $labels.investment }} is about to come late',
      description:
        'A workload of the investor has waited {{ $value | humanizeDuration }}, four fifths of what was promised.',
    },
    {
      name: 'MoaAccessPromiseBroken',
      // While somebody waits too long, and for an hour after it has happened.
      expr: `${wait} > ${promise} or max by (investment) (${breaches}) > min by (investment) (min_over_time(${breaches}[1h]))`,
      severity: 'critical',
      summary: 'The access promised to {{ $labels.investment }} came late',
      description:
        'A workload of the investor waited longer for what is lent than `guaranteedAccessWithin` allows. `status.reclaim` of the investment has the figures.',
    },
    {
      name: 'MoaGuaranteeUnserved',
      expr: 'max by (pool) (moa_unserved_guarantee_seconds) > 2 * max by (pool) (moa_reclaim_bound_seconds)',
      for: '15m',
      severity: 'critical',
      summary: 'A guarantee in pool {{ $labels.pool }} is not served',
      description:
        'A workload within its guarantee has waited {{ $value | humanizeDuration }} while others borrow: more than twice what taking back should take.',
    },
    {
      name: 'MoaPoolOvercommitted',
      expr: 'max by (pool) (moa_pool_condition{condition="Overcommitted"}) == 1',
      for: '15m',
      severity: 'warning',
      summary: 'More is promised than pool {{ $labels.pool }} has',
      description:
        'Not everyone can have the guarantee at once. The condition Overcommitted of the pool has the figures.',
    },
    {
      name: 'MoaPoolCapacityLost',
      expr: '1 - max by (pool) (moa_pool_normalized_gpus{kind="ready"}) / max by (pool) (moa_pool_normalized_gpus{kind="all"}) > 0.1',
      for: '15m',
      severity: 'warning',
      summary: 'A part of pool {{ $labels.pool }} is not ready',
      description: '{{ $value | humanizePercentage }} of its capacity is on nodes that are not Ready.',
    },
    {
      name: 'MoaResourceNotReady',
      expr: 'max by (kind) (moa_unready_resources) > 0',
      for: '30m',
      severity: 'warning',
      summary: '{{ $value }} {{ $labels.kind }} not in force',
      description: 'A reference is missing or a value is wrong, and what depends on it is not scheduled.',
    },
  ],
};
