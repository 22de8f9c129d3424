import { closeSync, openSync, readSync } from 'node:fs';

import { z } from 'zod';

import type { ClassHolding } from './holdings.ts';

/** A line of the file of {@link EarlyHoldings}: what a pod holds or held, or a moment at which all noted pods existed. */
export type EarlyLine = { readonly uid: string; readonly held: readonly ClassHolding[] } | { readonly seenAt: number };

/** The form of the lines. Another one is another version's, and is left out. */
const version = 1;

const instant = z.number();
const shape = z.union([
  z.object({ v: z.literal(version), seenAt: instant }),
  z.object({
    v: z.literal(version),
    uid: z.string(),
    held: z.array(
      z.object({
        holding: z.object({
          podUid: z.string(),
          class: z.string(),
          start: instant,
          end: instant.optional(),
          unobserved: z.boolean().optional(),
          account: z.object({ pool: z.string(), timeZone: z.string(), quotas: z.array(z.string()) }),
          workload: z.string(),
          user: z.string().optional(),
          node: z.string(),
          milliDevices: z.int(),
          weight: z.int(),
          kind: z.enum(['Guaranteed', 'Borrowed']),
          chargeFactor: z.int(),
        }),
        hold: z.object({ classIndex: z.int(), devices: z.number(), asBorrower: z.boolean() }),
      }),
    ),
  }),
]);

export function earlyLineOf(line: EarlyLine): string {
  return JSON.stringify({ v: version, ...line });
}

/**
 * The lines of a file, in order. A piece at a time: after a long outage they are more than one string can hold.
 *
 * @param onBadLine told of a line that is none of ours, and is left out
 */
export function* readEarlyLines(path: string, onBadLine: (line: string) => void): Iterable<EarlyLine> {
  for (const text of textsOf(path)) {
    const line = parse(text);
    if (line === undefined) onBadLine(text);
    else yield line;
  }
}

function parse(text: string): EarlyLine | undefined {
  try {
    const { data } = shape.safeParse(JSON.parse(text));
    // Branded numbers are numbers in the file.
    return data as EarlyLine | undefined;
  } catch {
    return undefined;
  }
}

function* textsOf(path: string): Iterable<string> {
  const file = openSync(path, 'r');
  try {
    const piece = Buffer.alloc(1024 * 1024);
    const decoder = new TextDecoder();
    let rest = '';
    for (let length = readSync(file, piece); length > 0; length = readSync(file, piece)) {
      const texts = (rest + decoder.decode(piece.subarray(0, length), { stream: true })).split('\n');
      rest = texts.pop() ?? '';
      yield* texts;
    }
    if (rest !== '') yield rest;
  } finally {
    closeSync(file);
  }
}
