import { Temporal } from 'temporal-polyfill';

const dateOnly = /^\d{4}-\d{2}-\d{2}$/;

/**
 * Reads an RFC 3339 instant, or a bare date as midnight of that day in `timeZone`, into epoch milliseconds; undefined
 * when malformed. The zone is an IANA name; an unknown one makes bare dates unreadable.
 */
export function parseInstant(text: string, timeZone: string): number | undefined {
  return read(text, timeZone, 0);
}

/**
 * Reads the end of a period as the first moment outside it: a bare date is inclusive, so its period ends at the next
 * midnight in `timeZone` (DESIGN.md section 2.2); an instant is taken as it is.
 */
export function parsePeriodEnd(text: string, timeZone: string): number | undefined {
  return read(text, timeZone, 1);
}

/** An instant for people, in UTC and whole seconds: `2026-03-01T09:00:00Z`. */
export function formatInstant(epochMilliseconds: number): string {
  return new Date(epochMilliseconds).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

function read(text: string, timeZone: string, daysAfterBareDate: number): number | undefined {
  try {
    if (!dateOnly.test(text)) return Temporal.Instant.from(text).epochMilliseconds;
    const date = Temporal.PlainDate.from(text, { overflow: 'reject' }).add({ days: daysAfterBareDate });
    return date.toZonedDateTime(timeZone).epochMilliseconds;
  } catch {
    return undefined;
  }
}
