import { dayAt, formatMilliGpus, monthAt, oneMicro } from '../../core/units/index.ts';
import { chargeFor, milliGpuHours, type Charge } from '../../core/budget/index.ts';
import type { UsageQuery, UsageRow } from '../usage.ts';
import { csv, type Cell } from './csv.ts';
import type { InvestmentAccount } from './investmentAccount.ts';

const unit = 'GPU-Hours';

/*
 * Columns of the FinOps Open Cost and Usage Specification that have a meaning without prices, in its order; those that
 * it does not know begin with x_, as it asks.
 */
const columns = [
  'BillingAccountId',
  'BillingPeriodStart',
  'BillingPeriodEnd',
  'ChargeCategory',
  'ChargeDescription',
  'ChargeFrequency',
  'ChargePeriodStart',
  'ChargePeriodEnd',
  'CommitmentDiscountCategory',
  'CommitmentDiscountId',
  'CommitmentDiscountStatus',
  'ConsumedQuantity',
  'ConsumedUnit',
  'PricingCategory',
  'PricingQuantity',
  'PricingUnit',
  'ServiceCategory',
  'ServiceName',
  'SkuId',
  'SubAccountId',
  'x_DeviceHours',
  'x_ParentSubAccountIds',
  'x_User',
] as const;

type Line = Partial<Record<(typeof columns)[number], Cell>>;

/**
 * Use as CSV with the column names of FOCUS, one line for each row, in the order of quotas, classes, users and times. Consumed: normalized GPU-hours; priced: what the
 * budget is charged. Guaranteed use draws on the commitment of the pod's own quota, borrowed use on none. What of an
 * investment's entitlement nobody used is a commitment unused. Quantities have three decimals, rounded down line by line.
 */
export function focusCsv(
  asked: UsageQuery,
  rows: readonly UsageRow[],
  investments: readonly InvestmentAccount[] = [],
): string {
  const period = { BillingPeriodStart: instant(asked.from), BillingPeriodEnd: instant(asked.to) };
  const lines = [
    ...rows.toSorted(inOrder).map((row) => usageLine(asked, row)),
    ...investments.map((account) => unusedLine(asked, account)),
  ];
  return csv(
    columns,
    lines.map((line) => columns.map((column) => ({ ...period, ...line })[column])),
  );
}

function inOrder(a: UsageRow, b: UsageRow): number {
  const [first = '', second = ''] = [a, b].map(
    ({ account, class: accelerator, weight, kind, chargeFactor, user, slot }) =>
      JSON.stringify([...account.quotas, accelerator, weight, kind === 'Borrowed', chargeFactor, user, String(slot)]),
  );
  return first < second ? -1 : 1;
}

function usageLine(asked: UsageQuery, row: UsageRow): Line {
  const { account, class: accelerator, weight, deviceMs, user } = row;
  const [quota = '', ...parents] = account.quotas;
  const isGuaranteed = row.kind === 'Guaranteed';
  const { start, end } = chargePeriod(asked, row);
  return {
    BillingAccountId: account.pool,
    ChargeCategory: 'Usage',
    ChargeDescription: `${isGuaranteed ? 'Guaranteed' : 'Borrowed'} use of ${accelerator}`,
    ChargeFrequency: 'Usage-Based',
    ChargePeriodStart: instant(start),
    ChargePeriodEnd: instant(end),
    ...(isGuaranteed ? commitment(quota, 'Used') : {}),
    ConsumedQuantity: hours(chargeFor(deviceMs, { weight, chargeFactor: oneMicro })),
    ConsumedUnit: unit,
    PricingCategory: isGuaranteed ? 'Committed' : 'Dynamic',
    PricingQuantity: hours(chargeFor(deviceMs, row)),
    PricingUnit: unit,
    ServiceCategory: 'Compute',
    ServiceName: 'GPU',
    SkuId: accelerator,
    SubAccountId: quota,
    x_DeviceHours: formatMilliGpus(Number(deviceMs / 3_600_000n)),
    x_ParentSubAccountIds: parents.join('/'),
    x_User: user,
  };
}

function unusedLine(asked: UsageQuery, { pool, investor, investment, time }: InvestmentAccount): Line {
  return {
    BillingAccountId: pool,
    ChargeCategory: 'Usage',
    ChargeDescription: 'Entitlement that nobody used',
    ChargeFrequency: 'Recurring',
    ChargePeriodStart: instant(asked.from),
    ChargePeriodEnd: instant(asked.to),
    ...commitment(investment, 'Unused'),
    PricingCategory: 'Committed',
    PricingQuantity: hours(time.idle),
    PricingUnit: unit,
    ServiceCategory: 'Compute',
    ServiceName: 'GPU',
    SubAccountId: investor,
  };
}

function commitment(quota: string, status: 'Used' | 'Unused'): Line {
  return {
    CommitmentDiscountCategory: 'Usage',
    CommitmentDiscountId: quota,
    CommitmentDiscountStatus: status,
  };
}

/** The row's day or month, as far as it was asked for. */
function chargePeriod({ from, to, per }: UsageQuery, { slot, account }: UsageRow) {
  if (slot === undefined) return { start: from, end: to };
  const { end } = (per === 'month' ? monthAt : dayAt)(slot, account.timeZone);
  return { start: Math.max(slot, from), end: Math.min(end, to) };
}

function hours(amount: Charge): string {
  return formatMilliGpus(milliGpuHours(amount));
}

function instant(at: number): string {
  return new Date(at).toISOString();
}
