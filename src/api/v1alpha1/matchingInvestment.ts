import { z } from 'zod';
import type { Frozen } from './frozen.ts';
import { date, endsAfterStart } from './dates.ts';
import { positiveDuration } from './durations.ts';
import { atomicList, listMap } from './lists.ts';
import { count, factor, fraction, quantity } from './numbers.ts';
import { define, type Resource } from './resource.ts';
import { withRules } from './rule.ts';
import { labelSelector } from './selector.ts';
import { amount, key, moment, statusBase, total } from './status.ts';
import { entryName, reference } from './texts.ts';

const item = z.object({
  class: entryName().describe('Accelerator class of the pool.'),
  gpus: count(1).describe('Devices.'),
});

const contribution = z.object({
  kind: z
    .enum(['Hardware', 'Cash', 'HostingAndOperations'])
    .prefault('Hardware')
    .describe('What the investor brings. Cash and HostingAndOperations bring no devices of their own.'),
  items: listMap(item, 'class', 32)
    .optional()
    .describe(
      'Devices that were promised; more than that does not count, and without items nothing does. For Cash and HostingAndOperations: the value, for the ratio only.',
    ),
  nodeSelector: labelSelector()
    .optional()
    .describe('Nodes of the investor: what has arrived. Has no effect for Cash and HostingAndOperations.'),
});

const match = z.object({
  ratio: factor()
    .optional()
    .describe('State : investor, in normalized GPUs. Absent: all that the state delivers up to the cap.'),
  cap: quantity().optional().describe('Most that is matched, in normalized GPUs. Absent: no cap.'),
  items: listMap(item, 'class', 32)
    .optional()
    .describe('Devices that the state promised; more than that does not count, and without items nothing does.'),
  nodeSelector: labelSelector().optional().describe('Nodes of the state: what has arrived.'),
});

const entitlement = z.object({
  ownFraction: fraction().prefault('1').describe('Share of the contribution that the investor is entitled to.'),
  matchedFraction: fraction().prefault('0').describe('Share of the match that the investor is entitled to.'),
});

const term = withRules(
  z.object({
    start: date().optional().describe('First moment. Absent: from the start.'),
    end: date().optional().describe('Last moment. A bare date is inclusive. Absent: no end.'),
  }),
  endsAfterStart(),
);

const reclaim = z.object({
  guaranteedAccessWithin: positiveDuration()
    .prefault('1h')
    .describe(
      'Promise to the investor: lent capacity is back within this time. Must hold `minRuntime` and `notice` of the pool.',
    ),
});

const spec = z.object({
  poolName: reference().describe('GpuPool that the investment adds to.'),
  investorName: reference().describe('ResearchQuota that receives the entitlement.'),
  contribution: contribution.prefault({}).describe('What the investor brings.'),
  match: match.optional().describe('What the state adds. Absent: nothing.'),
  entitlement: entitlement.prefault({}).describe('What the investment buys.'),
  term: term.prefault({}).describe('When the entitlement is in force. Outside of it, all is public.'),
  reclaim: reclaim.prefault({}).describe('How fast the investor gets lent capacity back.'),
});

const status = z.object({
  ...statusBase,
  phase: z
    .enum(['Pending', 'Provisioning', 'Active', 'Degraded', 'Expired'])
    .optional()
    .describe(
      'Pending: before the term, or not Ready. Provisioning: less has arrived than was promised. Active. Degraded: all arrived, some not ready. Expired: after the term.',
    ),
  contributed: amount().optional().describe('C: devices of the investor that exist, in normalized GPUs.'),
  matched: amount().optional().describe('M = min(ratio x C, cap, what the state delivered).'),
  unmatched: amount().optional().describe('What the state delivered beyond M.'),
  entitlement: amount().optional().describe('E = ownFraction x C + matchedFraction x M.'),
  public: amount().optional().describe('P: what is left for everyone.'),
  effectiveEntitlement: amount()
    .optional()
    .describe('E scaled by the ready share of the nodes and by the public floor.'),
  used: amount().optional().describe('The part of it that the investor uses.'),
  lent: amount().optional().describe('The part of it that others use.'),
  pinnedWeights: listMap(
    z.object({
      class: key().describe('Name of the class.'),
      weight: amount().describe('Its weight when the term began.'),
    }),
    'class',
    32,
  )
    .optional()
    .describe('Weights at which the investment counts for its whole term.'),
  reclaim: z
    .object({
      p95Seconds: total().describe('Seconds within which 95 of 100 reclaims for the investor were done.'),
      breaches: total().describe('Reclaims that took longer than promised, those that still wait included.'),
      recent: atomicList(
        z.object({
          at: moment().describe('When the workload started, or was given up after the promise was broken.'),
          seconds: total().describe('How long it had waited for lent capacity.'),
          breach: z.boolean().optional().describe('Whether that was longer than promised at the time.'),
        }),
        100,
      )
        .optional()
        .describe('The latest reclaims that the figures are worked out from, oldest first; at most 100.'),
    })
    .optional()
    .describe('How the promise was kept in the last 30 days.'),
});

/** What an investor brought, what the state added in match, and what entitlement that buys. */
export const matchingInvestment = define({
  kind: 'MatchingInvestment',
  description:
    'What an investor brought to a pool, what the state added in match, and what entitlement that buys for how long.',
  spec,
  status,
  columns: [
    { name: 'Investor', type: 'string', jsonPath: '.spec.investorName', description: 'Quota of the investor.' },
    { name: 'Phase', type: 'string', jsonPath: '.status.phase', description: 'Where the investment stands.' },
    {
      name: 'Entitlement',
      type: 'string',
      jsonPath: '.status.effectiveEntitlement',
      description: 'Effective entitlement in normalized GPUs.',
    },
    { name: 'Used', type: 'string', jsonPath: '.status.used', description: 'The part that the investor uses.' },
    { name: 'Lent', type: 'string', jsonPath: '.status.lent', description: 'The part that others use.', priority: 1 },
    {
      name: 'Contributed',
      type: 'string',
      jsonPath: '.status.contributed',
      description: 'Verified contribution.',
      priority: 1,
    },
    { name: 'Matched', type: 'string', jsonPath: '.status.matched', description: 'Delivered match.', priority: 1 },
    {
      name: 'Term end',
      type: 'string',
      jsonPath: '.spec.term.end',
      description: 'Last moment of the term.',
      priority: 1,
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Time since creation.' },
  ],
});

export type MatchingInvestmentSpec = Frozen<z.output<typeof spec>>;
export type MatchingInvestmentStatus = Frozen<z.output<typeof status>>;
export type MatchingInvestment = Resource<'MatchingInvestment', MatchingInvestmentSpec, MatchingInvestmentStatus>;
