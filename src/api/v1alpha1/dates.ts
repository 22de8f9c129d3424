import { formCel, withRules, type Rule } from './rule.ts';
import { boundedText } from './texts.ts';

const day = '2[01][0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])';
const clock = '([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,3})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])';
const dateForm = new RegExp(`^${day}(T${clock})?$`);

/** Length of a bare date: what is longer is an instant. */
const bareLength = '2026-03-01'.length;

/** A bare date, or an instant of RFC 3339, of the years 2000 to 2199. A bare date is a day of the pool's time zone. */
export function date() {
  return withRules(boundedText(32), {
    cel: isDateCel('self'),
    holds: isDate,
    message: 'write a date such as 2026-03-01, or an instant such as 2026-03-01T09:00:00+09:00',
  });
}

/**
 * The rule that a period ends after it starts. Two bare dates may be equal, because a bare end date is inclusive. Where
 * only one is bare, its midnight depends on the pool's time zone, which is not known here: then only what is wrong in
 * every time zone (14 hours before UTC to 12 behind) is refused.
 */
export function endsAfterStart<T extends { start?: string | undefined; end?: string | undefined }>(): Rule<T> {
  const bare = (text: string) => `size(${text}) == ${bareLength}`;
  const instant = (text: string, offset: string) =>
    `(${bare(text)} ? timestamp(${text} + 'T00:00:00Z') ${offset} : timestamp(${text}))`;
  const [start, end] = ['self.start', 'self.end'];
  return {
    cel:
      `!has(${start}) || !has(${end}) || !(${isDateCel(start)}) || !(${isDateCel(end)})` +
      ` || (${bare(start)} && ${bare(end)} ? ${start} <= ${end}` +
      ` : ${instant(start, "- duration('14h')")} < ${instant(end, "+ duration('36h')")})`,
    holds: ({ start, end }) => {
      if (start === undefined || end === undefined || !isDate(start) || !isDate(end)) return true;
      if (isBare(start) && isBare(end)) return start <= end;
      return Date.parse(start) - (isBare(start) ? 14 * hour : 0) < Date.parse(end) + (isBare(end) ? 36 * hour : 0);
    },
    message: 'the end must come after the start: write a later end or an earlier start',
    at: 'end',
  };
}

const hour = 3_600_000;

function isBare(text: string): boolean {
  return text.length === bareLength;
}

function isDate(text: string): boolean {
  if (!dateForm.test(text)) return false;
  const written = text.slice(0, bareLength);
  // Date.parse moves the 30th of February into March; the way back shows it.
  return new Date(Date.parse(written)).toISOString().startsWith(written);
}

function isDateCel(text: string): string {
  return `${formCel(text, [dateForm])} && !format.date().validate(${text}.substring(0, ${bareLength})).hasValue()`;
}
