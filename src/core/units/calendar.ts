import { Temporal } from 'temporal-polyfill';

/** A day or a month as people of one time zone live it: 23 to 25 hours for a day where clocks change. */
export interface CalendarSlot {
  /** First moment, epoch milliseconds. */
  readonly start: number;
  /** First moment after it. */
  readonly end: number;
}

/** The calendar day in `timeZone` that holds the moment. Throws a RangeError for an unknown zone. */
export function dayAt(at: number, timeZone: string): CalendarSlot {
  const start = zoned(at, timeZone).startOfDay();
  return slot(start, start.add({ days: 1 }).startOfDay());
}

/** The calendar month in `timeZone` that holds the moment. Throws a RangeError for an unknown zone. */
export function monthAt(at: number, timeZone: string): CalendarSlot {
  const start = zoned(at, timeZone).with({ day: 1 }).startOfDay();
  return slot(start, start.add({ months: 1 }).startOfDay());
}

/** The date in `timeZone` at that moment, `2026-03-01`. */
export function dateAt(at: number, timeZone: string): string {
  return zoned(at, timeZone).toPlainDate().toString();
}

function zoned(at: number, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone);
}

function slot(start: Temporal.ZonedDateTime, end: Temporal.ZonedDateTime): CalendarSlot {
  return { start: start.epochMilliseconds, end: end.epochMilliseconds };
}
