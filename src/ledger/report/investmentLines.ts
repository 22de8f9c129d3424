import { formatMicro, formatMilliGpus } from '../../core/units/index.ts';
import { milliGpuHours, type Charge } from '../../core/budget/index.ts';
import { csv, type Cell } from './csv.ts';
import type { InvestmentAccount } from './investmentAccount.ts';

/** A figure of an account: its column, what it is for people, and its text. */
interface Figure {
  readonly column: string;
  readonly label: string;
  readonly of: (account: InvestmentAccount) => Cell;
}

const figures: readonly Figure[] = [
  { column: 'contributed', label: 'contributed (C), on average', of: (a) => formatMilliGpus(a.average.contributed) },
  { column: 'delivered', label: 'delivered by the state (D)', of: (a) => formatMilliGpus(a.average.delivered) },
  { column: 'entitled', label: 'entitlement (E)', of: (a) => formatMilliGpus(a.average.entitled) },
  { column: 'public', label: 'public (P = C + D - E)', of: (a) => formatMilliGpus(a.average.public) },
  { column: 'leverage', label: 'leverage (E / C)', of: (a) => ratio(a.leverage) },
  { column: 'publicYield', label: 'public yield (P / D)', of: (a) => ratio(a.publicYield) },
  { column: 'effective', label: 'effective entitlement', of: (a) => formatMilliGpus(a.average.effective) },
  { column: 'usedHours', label: '  used, GPU-hours', of: (a) => hours(a.time.used) },
  { column: 'lentHours', label: '  lent, GPU-hours', of: (a) => hours(a.time.lent) },
  { column: 'idleHours', label: '  idle, GPU-hours', of: (a) => hours(a.time.idle) },
  { column: 'usedShare', label: '  used, share', of: (a) => ratio(a.shares?.used) },
  { column: 'lentShare', label: '  lent, share', of: (a) => ratio(a.shares?.lent) },
  { column: 'idleShare', label: '  idle, share', of: (a) => ratio(a.shares?.idle) },
  { column: 'waits', label: 'waits for what was lent', of: (a) => a.waits },
  { column: 'breaches', label: '  longer than promised', of: (a) => a.breaches },
  { column: 'accessP95Seconds', label: '  95 of 100 at most, seconds', of: (a) => a.accessP95Seconds },
];

/** Accounts of investments as CSV, one line for each. */
export function investmentsCsv(accounts: readonly InvestmentAccount[]): string {
  return csv(
    ['investment', 'pool', 'investor', 'recordedHours', ...figures.map(({ column }) => column)],
    accounts.map((account) => [
      account.investment,
      account.pool,
      account.investor,
      recorded(account),
      ...figures.map(({ of }) => of(account)),
    ]),
  );
}

/** Accounts of investments for people, one block for each. */
export function investmentsText(accounts: readonly InvestmentAccount[]): string {
  if (accounts.length === 0) return 'The ledger knows of no investment in this time.\n';
  const width = Math.max(...figures.map(({ label }) => label.length));
  const blocks = accounts.map((account) => {
    const { investment, pool, investor } = account;
    const head = `${investment} of ${investor} in pool ${pool}, followed for ${recorded(account)} hours`;
    const lines = figures.map(({ label, of }) => `  ${label.padEnd(width)}  ${of(account) ?? '-'}`);
    return [head, ...lines, ''].join('\n');
  });
  return blocks.join('\n');
}

function ratio(value: number | undefined): string | undefined {
  return value === undefined ? undefined : formatMicro(value);
}

function hours(time: Charge): string {
  return formatMilliGpus(milliGpuHours(time));
}

/** Hours with three decimals, rounded down. */
function recorded({ recordedMs }: InvestmentAccount): string {
  return formatMilliGpus(Math.floor(recordedMs / 3600));
}
