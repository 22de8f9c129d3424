import type { Row } from '../panel.ts';

const each = (metric: string): string =>
  `max by (investment) (${metric}) and on (investment) moa_investment_info{pool=~"$pool"}`;
const none = 'there is an investment';

/** What investors get for what they brought. */
export const investments: Row = {
  title: 'Investments',
  panels: [
    {
      title: 'Entitlement and use',
      description:
        'Normalized GPUs that each investment entitles to now, what of it the investor uses, and what others do.',
      kind: 'trend',
      unit: 'short',
      width: 12,
      queries: [
        {
          expr: each('moa_investment_entitlement_normalized_gpus'),
          legend: '{{investment}}',
          emptyUntil: none,
        },
        { expr: each('moa_investment_used_normalized_gpus'), legend: '{{investment}} used', emptyUntil: none },
        { expr: each('moa_investment_lent_normalized_gpus'), legend: '{{investment}} lent', emptyUntil: none },
      ],
    },
    {
      title: 'Access beside the promise',
      description:
        'How long the investor waits for what is lent, at present and at the 95th percentile of 30 days, and what was promised.',
      kind: 'trend',
      unit: 's',
      width: 12,
      queries: [
        {
          expr: each('moa_investment_longest_access_wait_seconds'),
          legend: '{{investment}} waits',
          emptyUntil: none,
        },
        { expr: each('moa_investment_access_p95_seconds'), legend: '{{investment}} p95', emptyUntil: none },
        {
          expr: each('moa_investment_promised_access_seconds'),
          legend: '{{investment}} promised',
          emptyUntil: 'an investor was promised access within a time',
        },
      ],
    },
    {
      title: 'Broken promises',
      description: 'How often within 30 days an investor waited longer than was promised.',
      kind: 'bars',
      unit: 'none',
      width: 12,
      queries: [{ expr: each('moa_investment_access_breaches'), legend: '{{investment}}', emptyUntil: none }],
      limits: { red: 1 },
    },
    {
      title: 'Phases',
      description: 'Investments in each phase.',
      kind: 'bars',
      unit: 'none',
      width: 12,
      queries: [
        {
          expr: 'count by (phase) (moa_investment_info{pool=~"$pool"})',
          legend: '{{phase}}',
          emptyUntil: none,
        },
      ],
    },
  ],
};
