import { form, formCel, withRules, type Rule } from './rule.ts';
import { boundedText } from './texts.ts';

/**
 * Durations: Go's (`1h30m`) from hours down to milliseconds, or ISO-8601 (`P3DT12H`) in whole numbers. The number of
 * digits is bounded so that none overflows what CEL can hold. The second pattern refuses an ISO duration that
 * lacks parts, or parts behind its T.
 */
const durationForm = [
  /^(([0-9]{1,5}(\.[0-9]{1,3})?(h|m|s|ms))+|P([0-9]{1,2}Y)?([0-9]{1,5}M)?([0-9]{1,5}W)?([0-9]{1,5}D)?(T([0-9]{1,5}H)?([0-9]{1,5}M)?([0-9]{1,5}S)?)?)$/,
  /[0-9](ms|[hmsYMWDHS])$/,
];
const maxLength = 32;

/** An elapsed time, 0 or more. */
export function duration() {
  return withRules(boundedText(maxLength), form('write a duration such as 15m, 1h30m or P3D', ...durationForm));
}

/** An elapsed time above 0. */
export function positiveDuration() {
  return withRules(
    boundedText(maxLength),
    form('write a duration above 0 such as 15m, 1h30m or P3D', ...durationForm, /[1-9]/),
  );
}

/** The rule that the duration in one optional field is no longer than that in another. */
export function noLongerThan<T>(shorter: string & keyof T, longer: string & keyof T): Rule<T> {
  const [a, b] = [`self.${shorter}`, `self.${longer}`];
  return {
    cel:
      `!has(${a}) || !has(${b}) || !(${formCel(a, durationForm)}) || !(${formCel(b, durationForm)})` +
      ` || ${durationCel(a)} <= ${durationCel(b)}`,
    holds: (self) => {
      const [x, y] = [microseconds(self[shorter]), microseconds(self[longer])];
      return x === undefined || y === undefined || x <= y;
    },
    message: `${shorter} must not be longer than ${longer}: shorten it, or raise ${longer}`,
    at: shorter,
  };
}

/** Microseconds of each unit of Go's form: exact, because an amount has three decimals at most. */
const goUnits: Readonly<Record<string, number>> = { h: 3_600_000_000, m: 60_000_000, s: 1_000_000, ms: 1000 };

/** Seconds of each unit of an ISO duration, before and after its T. No field is anchored to a date. */
const isoDateUnits: Readonly<Record<string, number>> = { Y: 365 * 86_400, M: 30 * 86_400, W: 7 * 86_400, D: 86_400 };
const isoTimeUnits: Readonly<Record<string, number>> = { H: 3600, M: 60, S: 1 };

function microseconds(text: unknown): number | undefined {
  if (typeof text !== 'string' || !durationForm.every((pattern) => pattern.test(text))) return undefined;
  if (!text.startsWith('P')) return total(text.match(/[0-9.]+[a-z]+/g), goUnits);
  const [date = '', time = ''] = text.split('T');
  return (
    1_000_000 * (total(date.match(/[0-9]+[A-Z]/g), isoDateUnits) + total(time.match(/[0-9]+[A-Z]/g), isoTimeUnits))
  );
}

function total(parts: readonly string[] | null, units: Readonly<Record<string, number>>): number {
  return (parts ?? []).reduce((sum, part) => {
    const unit = part.replace(/^[0-9.]+/, '');
    return sum + Math.round(Number.parseFloat(part) * (units[unit] ?? 0));
  }, 0);
}

/** CEL that reads a text expression of the form {@link durationForm} into a CEL duration. */
function durationCel(text: string): string {
  const seconds = `${isoCel(`${text}.split('T')[0]`, isoDateUnits)} + ${isoCel(`(${text} + 'T').split('T')[1]`, isoTimeUnits)}`;
  // The difference of two timestamps, because CEL multiplies no duration, and reading one from a text that it has just
  // made has no bound that the cost estimate could see.
  return `(${text}.startsWith('P') ? timestamp(${seconds}) - timestamp(0) : duration(${text}))`;
}

function isoCel(section: string, units: Readonly<Record<string, number>>): string {
  const table = Object.entries(units)
    .map(([unit, seconds]) => `'${unit}': ${seconds}`)
    .join(', ');
  const amount = 'int(part.substring(0, size(part) - 1))';
  return `${section}.findAll('[0-9]+[A-Z]').map(part, ${amount} * {${table}}[part.substring(size(part) - 1)]).sum()`;
}
