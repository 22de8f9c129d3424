import { readFileSync } from 'node:fs';

import type { Hold } from '../../core/quota/index.ts';
import type { Snapshot } from '../../core/snapshot/index.ts';
import { holderKey, Journal, type Holding } from '../../ledger/index.ts';
import { Accounts, holdingsOf, type ClassHolding } from './holdings.ts';
import type { Touched } from './touched.ts';

/** How often it is noted that what is noted still exists: so much is lost of what nobody saw end. */
const seenEveryMs = 10_000;

/** A line of the file. */
type Line = { readonly holding: Holding; readonly hold: Hold } | { readonly seenAt: number };

/**
 * What pods began to hold, and ceased to, while the ledger had not answered in a term. It is in a file by the time that
 * it is noted, so that a pod which is bound and gone meanwhile is charged though the operator dies before the ledger
 * answers: the pods that exist say nothing of it.
 */
export class EarlyHoldings {
  readonly #journal: Journal;
  /** By holder, what was heard of it last. */
  readonly #noted = new Map<string, ClassHolding>();
  /** When those without an end were last known to exist, epoch milliseconds. */
  #seenAt = -Infinity;

  /** Reads what an earlier process has left. @param path a file, created when missing, of this process alone */
  constructor(path: string) {
    this.#journal = new Journal(path);
    for (const text of readFileSync(path, 'utf8').split('\n')) {
      const line = parse(text);
      if (line !== undefined) this.#take(line);
    }
  }

  /**
   * Takes note of pods that were heard of. It is safe from a crash of the process when this returns.
   *
   * @param isWatched whether the pods of the fleet are known to exist still
   */
  follow(
    news: readonly Touched[],
    snapshot: Snapshot,
    { now, isWatched }: { readonly now: number; readonly isWatched: boolean },
  ): void {
    const accounts = new Accounts();
    const lines: Line[] = news.flatMap(({ pod, end, unobserved }) => {
      const holdings = pod === undefined ? undefined : holdingsOf(snapshot, accounts, { pod, end, now });
      return (holdings ?? []).map(({ holding, hold }) => ({ holding: { ...holding, unobserved }, hold }));
    });
    if (isWatched && this.#noted.size > 0 && now - this.#seenAt >= seenEveryMs) lines.push({ seenAt: now });
    for (const line of lines) this.#take(line);
    if (lines.length > 0) this.#journal.append(lines.map((line) => JSON.stringify(line)));
  }

  /**
   * Holdings of the pods of which nothing else is known. One without an end ended when it was last known to exist, and
   * nobody saw it.
   *
   * @param isKnown by uid of the pod
   */
  besides(isKnown: (podUid: string) => boolean): readonly ClassHolding[] {
    return [...this.#noted.values()]
      .filter(({ holding }) => !isKnown(holding.podUid))
      .map(({ holding, hold }) => {
        if (holding.end !== undefined) return { holding, hold };
        return { holding: { ...holding, end: Math.max(holding.start, this.#seenAt), unobserved: true }, hold };
      });
  }

  /** Forgets all: the ledger has it. */
  clear(): void {
    this.#noted.clear();
    this.#seenAt = -Infinity;
    this.#journal.clear();
  }

  close(): void {
    this.#journal.close();
  }

  #take(line: Line): void {
    if ('seenAt' in line) this.#seenAt = line.seenAt;
    else this.#noted.set(holderKey(line.holding), line);
  }
}

/** Undefined for a line that is none of ours, or not whole. */
function parse(text: string): Line | undefined {
  try {
    const line = JSON.parse(text) as Partial<{ holding: Holding; hold: Hold; seenAt: number }>;
    if (typeof line.seenAt === 'number') return { seenAt: line.seenAt };
    const { holding, hold } = line;
    return holding === undefined || hold === undefined ? undefined : { holding, hold };
  } catch {
    return undefined;
  }
}
