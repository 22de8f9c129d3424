import { parseInstant, parseMicro, parsePeriodEnd, type Micro } from '../units/index.ts';
import { parseGpuHours, type MilliGpuHours } from './hours.ts';
import type { Adjustment, BudgetSpec } from './spec.ts';

const zone = 'Asia/Seoul';

/** A moment as people of Seoul write it: a bare date is its midnight. */
export function moment(text: string): number {
  return known(parseInstant(text, zone));
}

/** Normalized GPU-hours as a manifest writes them. */
export function hours(text: string | number): MilliGpuHours {
  return known(parseGpuHours(text));
}

interface Written {
  readonly base?: number;
  /** First and last day. */
  readonly period?: readonly [string, string];
  readonly carry?: string;
  readonly grace?: string;
  readonly adjustments?: readonly Adjustment[];
}

/** A budget of 1000 normalized GPU-hours from March to February, without carry-over and grace, but for what is given. */
export function budget({ base = 1000, period, carry = '0', grace = '0', adjustments = [] }: Written = {}): BudgetSpec {
  const [start, end] = period ?? ['2026-03-01', '2027-02-28'];
  return {
    base: hours(base),
    period: { start: moment(start), end: known(parsePeriodEnd(end, zone)) },
    carryoverFraction: fraction(carry),
    graceFraction: fraction(grace),
    adjustments,
  };
}

export function supplement(date: string, amount: number): Adjustment {
  return { kind: 'Supplement', at: moment(date), hours: hours(amount) };
}

export function reduction(date: string, amount: number): Adjustment {
  return { kind: 'Reduction', at: moment(date), hours: hours(amount) };
}

/** @param last last day of the period from now on */
export function extension(date: string, last: string): Adjustment {
  return { kind: 'Extension', at: moment(date), end: known(parsePeriodEnd(last, zone)) };
}

function fraction(text: string): Micro {
  return known(parseMicro(text));
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the test writes what cannot be read');
  return value;
}
