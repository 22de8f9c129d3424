import type { BadRow } from './badRow.ts';

/** Mistakes in a ResearchQuota. */
export const badQuotas: readonly BadRow[] = [
  ['no pool', 'spec.poolName', undefined, 'spec.poolName: Required value'],
  [
    'an empty pool name',
    'spec.poolName',
    '',
    'spec.poolName: Invalid value: "": write the name of a resource: lower-case letters, digits, "-" and ".", such as "kaist"',
  ],
  [
    'a quota that is its own parent',
    'spec.parentName',
    'sample',
    'spec.parentName: Invalid value: a quota is not its own parent: name another quota, or leave parentName out',
  ],
  [
    'an unknown tier',
    'spec.tier',
    'VIP',
    'spec.tier: Unsupported value: "VIP": supported values: "Urgent", "Strategic", "Research", "Education", "Startup", "Discretionary"',
  ],
  [
    'an unknown kind of institution',
    'spec.institution.kind',
    'Club',
    'spec.institution.kind: Unsupported value: "Club": supported values: "University", "Institute", "Company", "Startup", "Government", "Consortium"',
  ],
  [
    'a selector that takes every namespace',
    'spec.namespaceSelector',
    {},
    'spec.namespaceSelector: Invalid value: an empty selector would select everything: write matchLabels or matchExpressions',
  ],
  [
    'a negative fair-share weight',
    'spec.weight',
    -1,
    'spec.weight: Invalid value: -1: write a number of 0 or more with at most three decimals, quoted when it has a point, such as "0.25"',
  ],
  [
    'a negative guarantee',
    'spec.capacity.guaranteed',
    '-64',
    'spec.capacity.guaranteed: Invalid value: "-64": write a number of 0 or more with at most three decimals, quoted when it has a point, such as "0.25"',
  ],
  [
    'a guarantee in words',
    'spec.capacity.guaranteed',
    'all',
    'spec.capacity.guaranteed: Invalid value: "all": write a number of 0 or more with at most three decimals, quoted when it has a point, such as "0.25"',
  ],
  [
    'a negative borrowing limit',
    'spec.capacity.borrowingLimit',
    '-1',
    'spec.capacity.borrowingLimit: Invalid value: "-1": write a number of 0 or more with at most three decimals, quoted when it has a point, such as "0.25"',
  ],
  [
    'a limit of nothing per user',
    'spec.capacity.perUserMax',
    '0',
    'spec.capacity.perUserMax: Invalid value: "0": write a number above 0 with at most three decimals, quoted when it has a point, such as "0.25"',
  ],
  [
    'a class limit below its guarantee',
    'spec.capacity.classes[0].max',
    4,
    'spec.capacity.classes[0].max: Invalid value: max must not be below guaranteed: raise max, or leave it out for no limit',
  ],
  [
    'a class twice',
    'spec.capacity.classes[1]',
    { name: 'b200' },
    'spec.capacity.classes[1]: Duplicate value: {"name":"b200"}',
  ],
  [
    'half a device',
    'spec.capacity.classes[0].guaranteed',
    0.5,
    'spec.capacity.classes[0].guaranteed: Invalid value: "float64": spec.capacity.classes[0].guaranteed in body must be of type int64: "float64"',
  ],
  [
    'a budget without hours',
    'spec.budget.normalizedGpuHours',
    undefined,
    'spec.budget.normalizedGpuHours: Required value',
  ],
  ['a budget without an end', 'spec.budget.period.end', undefined, 'spec.budget.period.end: Required value'],
  [
    'a period that ends before it starts',
    'spec.budget.period.end',
    '2026-02-28',
    'spec.budget.period.end: Invalid value: the end must come after the start: write a later end or an earlier start',
  ],
  [
    'a date in another order',
    'spec.budget.period.start',
    '01.03.2026',
    'spec.budget.period.start: Invalid value: "01.03.2026": write a date such as 2026-03-01, or an instant such as 2026-03-01T09:00:00+09:00',
  ],
  [
    'an instant without a zone',
    'spec.budget.period.start',
    '2026-03-01T00:00:00',
    'spec.budget.period.start: Invalid value: "2026-03-01T00:00:00": write a date such as 2026-03-01, or an instant such as 2026-03-01T09:00:00+09:00',
  ],
  [
    'a grace above the whole',
    'spec.budget.overdraft.graceFraction',
    2,
    'spec.budget.overdraft.graceFraction: Invalid value: 2: write a fraction from 0 to 1 with at most six decimals, quoted when it has a point, such as "0.5"',
  ],
  [
    'a carry-over above the whole',
    'spec.budget.carryover.maxFraction',
    '50',
    'spec.budget.carryover.maxFraction: Invalid value: "50": write a fraction from 0 to 1 with at most six decimals, quoted when it has a point, such as "0.5"',
  ],
  [
    'a supplement of no hours',
    'spec.budget.adjustments[0].normalizedGpuHours',
    undefined,
    'spec.budget.adjustments[0].normalizedGpuHours: Invalid value: a Supplement or Reduction needs normalizedGpuHours, an Extension takes none',
  ],
  [
    'a negative supplement',
    'spec.budget.adjustments[0].normalizedGpuHours',
    '-50000',
    'spec.budget.adjustments[0].normalizedGpuHours: Invalid value: "-50000": write normalized GPU-hours above 0 with at most three decimals, such as "50000"',
  ],
  [
    'a supplement that moves the end',
    'spec.budget.adjustments[0].end',
    '2027-03-31',
    'spec.budget.adjustments[0].end: Invalid value: an Extension needs the end that the period has from now on, other kinds take none',
  ],
  [
    'an extension without an end',
    'spec.budget.adjustments[1]',
    { name: 'x', date: '2026-09-01', kind: 'Extension' },
    'spec.budget.adjustments[1].end: Invalid value: an Extension needs the end that the period has from now on, other kinds take none',
  ],
  [
    'an unknown kind of adjustment',
    'spec.budget.adjustments[0].kind',
    'Gift',
    'spec.budget.adjustments[0].kind: Unsupported value: "Gift": supported values: "Supplement", "Reduction", "Extension"',
  ],
  [
    'a default walltime above the longest',
    'spec.limits.defaultWalltime',
    'P4D',
    'spec.limits.defaultWalltime: Invalid value: defaultWalltime must not be longer than maxWalltime: shorten it, or raise maxWalltime',
  ],
  [
    'a walltime of zero',
    'spec.limits.maxWalltime',
    '0h',
    'spec.limits.maxWalltime: Invalid value: "0h": write a duration above 0 such as 15m, 1h30m or P3D',
  ],
  [
    'workloads of no device',
    'spec.limits.maxWorkloadGpus',
    0,
    'spec.limits.maxWorkloadGpus: Invalid value: 0: spec.limits.maxWorkloadGpus in body should be greater than or equal to 1',
  ],
  [
    'a switch in quotes',
    'spec.suspend',
    'true',
    'spec.suspend: Invalid value: "string": spec.suspend in body must be of type boolean: "string"',
  ],
];

const adjustments = 'spec.budget.adjustments';
const supplement = { name: 's1', date: '2026-07-01', kind: 'Supplement', normalizedGpuHours: '50000' };

/** Mistakes in changing a stored ResearchQuota that has one adjustment. */
export const badChangeRows: readonly BadRow[] = [
  [
    'an adjustment whose hours change',
    `${adjustments}[0].normalizedGpuHours`,
    '60000',
    'spec.budget.adjustments: Invalid value: an adjustment once written never changes or goes: undo it with a further entry',
  ],
  [
    'an adjustment that gets a note later',
    `${adjustments}[0].note`,
    'award 2026-17',
    'spec.budget.adjustments: Invalid value: an adjustment once written never changes or goes: undo it with a further entry',
  ],
  [
    'an adjustment that goes',
    adjustments,
    [],
    'spec.budget.adjustments: Invalid value: an adjustment once written never changes or goes: undo it with a further entry',
  ],
  [
    'an adjustment that another one replaces',
    adjustments,
    [{ ...supplement, name: 's2' }],
    'spec.budget.adjustments: Invalid value: an adjustment once written never changes or goes: undo it with a further entry',
  ],
  [
    'a budget that goes with its adjustments',
    'spec.budget',
    undefined,
    'spec.budget.adjustments: Invalid value: an adjustment once written never changes or goes: undo it with a further entry',
  ],
];
