const goUnits: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const day = 86_400_000;
const isoPattern = /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/** Milliseconds of each ISO-8601 part, in the order of {@link isoPattern}. */
const isoUnits = [365 * day, 30 * day, 7 * day, day, 3_600_000, 60_000, 1000] as const;

/**
 * Reads a Go duration (`15m`, `1h30m`) or an ISO-8601 one (`PT15M`, `P7D`, `P12M`) into whole milliseconds; undefined
 * when it is neither, negative, or empty. No field that holds a duration is anchored to a date, so a year counts as
 * 365 days and a month as 30.
 */
export function parseDuration(text: string): number | undefined {
  return text.startsWith('P') ? parseIso(text) : parseGo(text);
}

/** A duration as people say it, two parts at the most: `2h 5m`, `45s`, `3d`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first < 0) return '0s';
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount}${unit}`)
    .join(' ');
}

function parseGo(text: string): number | undefined {
  if (text === '0') return 0;
  const part = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/y;
  let total = 0;
  while (part.lastIndex < text.length) {
    const match = part.exec(text);
    if (match === null) return undefined;
    total += Number(match[1]) * (goUnits[match[2] ?? ''] ?? 0);
  }
  return text === '' ? undefined : whole(total);
}

function parseIso(text: string): number | undefined {
  const match = isoPattern.exec(text);
  if (match === null || !/\d/.test(text) || text.endsWith('T')) return undefined;
  return whole(isoUnits.reduce((total, unit, i) => total + unit * Number(match[i + 1] ?? 0), 0));
}

function whole(milliseconds: number): number | undefined {
  const rounded = Math.round(milliseconds);
  return Number.isSafeInteger(rounded) ? rounded : undefined;
}
