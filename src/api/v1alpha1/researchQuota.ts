import { z } from 'zod';
import type { Frozen } from './frozen.ts';
import { date, endsAfterStart } from './dates.ts';
import { noLongerThan, positiveDuration } from './durations.ts';
import { listMap } from './lists.ts';
import { count, fraction, gpuHours, positiveGpuHours, positiveQuantity, quantity } from './numbers.ts';
import { define, type Resource, type Rooted } from './resource.ts';
import { withRules, type Rule, type TransitionRule } from './rule.ts';
import { labelSelector } from './selector.ts';
import { amount, key, moment, statusBase, total } from './status.ts';
import { boundedText, entryName, reference } from './texts.ts';

const institution = z.object({
  displayName: boundedText(128).optional().describe('Name for people.'),
  kind: z
    .enum(['University', 'Institute', 'Company', 'Startup', 'Government', 'Consortium'])
    .optional()
    .describe('What it is, for reports.'),
});

const classCapacity = withRules(
  z.object({
    name: entryName().describe('Accelerator class of the pool.'),
    guaranteed: count()
      .prefault(0)
      .describe('Devices of the class that are guaranteed, on top of `capacity.guaranteed`.'),
    max: count().optional().describe('Most devices of the class that may be used at once. Absent: no limit.'),
  }),
  {
    cel: '!has(self.max) || self.max >= self.guaranteed',
    holds: ({ guaranteed, max }) => max === undefined || max >= guaranteed,
    message: 'max must not be below guaranteed: raise max, or leave it out for no limit',
    at: 'max',
  },
);

const capacity = z.object({
  guaranteed: quantity().prefault('0').describe('Normalized GPUs of any class that the quota can always have.'),
  borrowingLimit: quantity()
    .optional()
    .describe('Most that may be used above the effective guarantee, in normalized GPUs. Absent: no limit.'),
  lendingLimit: quantity()
    .optional()
    .describe('Most of the guarantee that others may use while it is idle, in normalized GPUs. Absent: all of it.'),
  perUserMax: positiveQuantity()
    .optional()
    .describe('Most that one user (pod label `moa.dev/user`) may hold, in normalized GPUs. Absent: no limit.'),
  classes: listMap(classCapacity, 'name', 32).optional().describe('Guarantees and limits by accelerator class.'),
});

const period = withRules(
  z.object({
    start: date().describe('First moment. A bare date is midnight in the time zone of the pool.'),
    end: date().describe('Last moment. A bare date is inclusive.'),
  }),
  endsAfterStart(),
);

const adjustment = withRules(
  z.object({
    name: entryName().describe('Name of the entry, unique in the budget.'),
    date: date().describe('When it takes force.'),
    kind: z
      .enum(['Supplement', 'Reduction', 'Extension'])
      .describe('Supplement adds GPU-hours, Reduction takes some away, Extension moves the end of the period.'),
    normalizedGpuHours: positiveGpuHours().optional().describe('GPU-hours of a Supplement or Reduction.'),
    end: date().optional().describe('End of the period from now on, for an Extension.'),
    note: boundedText(512).optional().describe('Why, for people.'),
  }),
  {
    cel: "(self.kind == 'Extension') != has(self.normalizedGpuHours)",
    holds: ({ kind, normalizedGpuHours }) => (kind === 'Extension') !== (normalizedGpuHours !== undefined),
    message: 'a Supplement or Reduction needs normalizedGpuHours, an Extension takes none',
    at: 'normalizedGpuHours',
  },
  {
    cel: "(self.kind == 'Extension') == has(self.end)",
    holds: ({ kind, end }) => (kind === 'Extension') === (end !== undefined),
    message: 'an Extension needs the end that the period has from now on, other kinds take none',
    at: 'end',
  },
);

const budget = z.object({
  normalizedGpuHours: gpuHours().describe('Normalized GPU-hours granted for the period: the base.'),
  period: period.describe('When they may be used.'),
  carryover: z
    .object({
      maxFraction: fraction().prefault('0').describe('Share of the base that may be carried over at most.'),
    })
    .prefault({})
    .describe('What of the unused base passes into the next period of the same length, once.'),
  overdraft: z
    .object({
      graceFraction: fraction()
        .prefault('0')
        .describe('Share of the budget by which it may be exceeded by workloads that can be reclaimed at any time.'),
    })
    .prefault({})
    .describe('What happens when the budget is used up. Nothing that runs is ever killed for it.'),
  adjustments: listMap(adjustment, 'name', 256)
    .optional()
    .describe('Changes of the budget. Append only: an entry once written never changes.'),
});

const limits = withRules(
  z.object({
    maxWorkloadGpus: count(1).optional().describe('Most devices of one workload. Absent: no limit.'),
    maxWalltime: positiveDuration().optional().describe('Longest walltime of one workload. Absent: no limit.'),
    defaultWalltime: positiveDuration().optional().describe('Walltime of a workload that declares none. Absent: 24h.'),
  }),
  noLongerThan('defaultWalltime', 'maxWalltime'),
);

const spec = z.object({
  poolName: reference().describe('GpuPool that the quota is a part of.'),
  parentName: reference()
    .optional()
    .describe('ResearchQuota of the same pool that this one is a part of. Absent: directly under the pool.'),
  institution: institution.optional().describe('Whom the quota is for.'),
  namespaceSelector: labelSelector()
    .optional()
    .describe('Namespaces whose pods the quota pays for. Absent: none, for a quota that only has children.'),
  tier: z
    .enum(['Urgent', 'Strategic', 'Research', 'Education', 'Startup', 'Discretionary'])
    .prefault('Research')
    .describe('Kind of work. Urgent goes first and is never preempted; the others are for reports.'),
  weight: quantity()
    .prefault('1')
    .describe(
      'Fair-share weight: a quota of weight 2 borrows twice as much as one of weight 1. 0: never borrows while another waits.',
    ),
  capacity: capacity.prefault({}).describe('What may be used at once.'),
  budget: budget.optional().describe('What may be used over a period. Absent: no limit over time.'),
  limits: limits.prefault({}).describe('Limits of a single workload.'),
  suspend: z.boolean().prefault(false).describe('Admit nothing new, leave what runs.'),
});

const budgetPeriod = z.object({
  start: moment().describe('First moment.'),
  end: moment().describe('First moment after it, Extensions left aside.'),
  normalizedGpuHours: amount().describe('Base of the budget.'),
  carryoverFraction: amount().describe('Share of the base that may pass into the next period.'),
});

const status = z.object({
  ...statusBase,
  capacity: z
    .object({
      guaranteed: amount().describe('What the spec guarantees.'),
      entitled: amount().describe('What contributions and investments add to it.'),
      effectiveGuarantee: amount().describe('What the quota can always have.'),
      used: amount().describe('What pods of its namespaces hold, whoever placed them.'),
      borrowed: amount().describe('The part of it above the guarantee.'),
      lent: amount().describe('The part of the guarantee that others are using.'),
      classes: listMap(
        z.object({
          name: key().describe('Name of the class.'),
          used: total().describe('Devices in use.'),
        }),
        'name',
        32,
      )
        .optional()
        .describe('Devices in use, by class.'),
    })
    .optional()
    .describe('Use now, in normalized GPUs.'),
  budget: z
    .object({
      granted: amount().describe('Base and the adjustments in force.'),
      carriedOver: amount().describe('What came from the last period.'),
      used: amount().describe('What was used, children included.'),
      reserved: amount().describe('Walltime left of what runs, children included.'),
      remaining: amount().describe('granted + carriedOver - used - reserved. Negative in grace.'),
      forecastExhaustion: moment().optional().describe('When the budget is used up at the present rate.'),
      currentPeriod: budgetPeriod.optional().describe('The period that the figures are about.'),
      previousPeriod: budgetPeriod
        .optional()
        .describe('The period before, as it was written: what it left unused may carry over.'),
    })
    .optional()
    .describe('The budget, in normalized GPU-hours.'),
  fairShare: z
    .object({
      share: amount()
        .optional()
        .describe('Order of borrowers: the lower goes first. Absent for weight 0: it goes last.'),
      decayedUsage: amount().describe(
        'Exponential average of what was borrowed, with the half-life of the pool. Written when it has moved by more than 1 % and once in five minutes, so that it does not make the status change all the time.',
      ),
      asOf: moment().optional().describe('When `decayedUsage` was worked out.'),
    })
    .optional()
    .describe('Where the quota stands among its siblings.'),
  workloads: z
    .object({ pending: total().describe('Workloads that wait.'), running: total().describe('Workloads that run.') })
    .optional()
    .describe('Workloads of its namespaces.'),
});

type Root = Rooted<z.output<typeof spec>>;

const notItsOwnParent: Rule<Root> = {
  cel: '!has(self.spec.parentName) || self.spec.parentName != self.metadata.name',
  holds: ({ metadata, spec }) => spec.parentName !== metadata.name,
  message: 'a quota is not its own parent: name another quota, or leave parentName out',
  at: 'spec.parentName',
};

const adjustmentsAreAppendOnly: TransitionRule<Root> = {
  cel:
    '!has(oldSelf.spec.budget) || !has(oldSelf.spec.budget.adjustments) || size(oldSelf.spec.budget.adjustments) == 0' +
    ' || (has(self.spec.budget) && has(self.spec.budget.adjustments) &&' +
    ' oldSelf.spec.budget.adjustments.all(old, self.spec.budget.adjustments.exists(each, each == old)))',
  holds: (self, oldSelf) => {
    const kept = new Set((self.spec.budget?.adjustments ?? []).map((each) => canonical(each)));
    return (oldSelf.spec.budget?.adjustments ?? []).every((old) => kept.has(canonical(old)));
  },
  message: 'an adjustment once written never changes or goes: undo it with a further entry',
  at: 'spec.budget.adjustments',
};

/** Text that is the same for equal adjustments. */
function canonical(entry: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What one institution, consortium or project may use. */
export const researchQuota = define({
  kind: 'ResearchQuota',
  description:
    'What one institution, consortium or project may use of a pool: guaranteed capacity, limits on borrowing and lending, and a GPU-hour budget with a period.',
  spec,
  status,
  rules: [notItsOwnParent],
  transitions: [adjustmentsAreAppendOnly],
  columns: [
    { name: 'Pool', type: 'string', jsonPath: '.spec.poolName', description: 'Pool of the quota.' },
    { name: 'Parent', type: 'string', jsonPath: '.spec.parentName', description: 'Quota above.', priority: 1 },
    { name: 'Tier', type: 'string', jsonPath: '.spec.tier', description: 'Kind of work.', priority: 1 },
    {
      name: 'Guaranteed',
      type: 'string',
      jsonPath: '.status.capacity.effectiveGuarantee',
      description: 'Effective guarantee in normalized GPUs.',
    },
    { name: 'Used', type: 'string', jsonPath: '.status.capacity.used', description: 'Normalized GPUs in use.' },
    {
      name: 'Borrowed',
      type: 'string',
      jsonPath: '.status.capacity.borrowed',
      description: 'The part above the guarantee.',
    },
    {
      name: 'Lent',
      type: 'string',
      jsonPath: '.status.capacity.lent',
      description: 'Guarantee that others use.',
      priority: 1,
    },
    {
      name: 'Hours left',
      type: 'string',
      jsonPath: '.status.budget.remaining',
      description: 'GPU-hours left.',
      priority: 1,
    },
    {
      name: 'Running',
      type: 'integer',
      jsonPath: '.status.workloads.running',
      description: 'Workloads that run.',
      priority: 1,
    },
    { name: 'Pending', type: 'integer', jsonPath: '.status.workloads.pending', description: 'Workloads that wait.' },
    {
      name: 'Ready',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Ready")].status',
      description: 'Whether the quota admits workloads.',
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Time since creation.' },
  ],
});

export type ResearchQuotaSpec = Frozen<z.output<typeof spec>>;
export type ResearchQuotaStatus = Frozen<z.output<typeof status>>;
export type ResearchQuota = Resource<'ResearchQuota', ResearchQuotaSpec, ResearchQuotaStatus>;
