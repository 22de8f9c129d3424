import type { ControlPlane } from '../../tools/cluster/index.ts';

/** What a series of runs came to. */
export interface Report {
  /** In Markdown. */
  readonly table: string;
  /** Whether any run came to something else than it should have. */
  readonly failed: boolean;
}

/** At least one control plane. */
export type Planes = readonly [ControlPlane, ...ControlPlane[]];

/** A table in Markdown. */
export function tableOf(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return lines.join('\n');
}

/** Median and worst of times in milliseconds; of none, what is given. */
export function spreadOf(times: readonly number[], ofNone: string): string {
  const sorted = times.toSorted((a, b) => a - b);
  const seconds = (ms: number | undefined) => `${((ms ?? 0) / 1000).toFixed(1)} s`;
  if (sorted.length === 0) return ofNone;
  return `${seconds(sorted[Math.floor(sorted.length / 2)])}, ${seconds(sorted.at(-1))}`;
}

/** What of so many runs came to something else. */
export function lostOf(failures: number, tried: number): string {
  return failures === 0 ? 'nothing' : `${failures} of ${tried} came to something else`;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
