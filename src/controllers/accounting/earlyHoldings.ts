import type { Snapshot } from '../../core/snapshot/index.ts';
import { Journal } from '../../ledger/index.ts';
import { earlyLineOf, readEarlyLines, type EarlyLine } from './earlyLines.ts';
import { Accounts, holdingsOf, type ClassHolding } from './holdings.ts';
import type { Touched } from './touched.ts';

/** How often it is noted that what is noted still exists: so much is lost of what nobody saw end. */
const seenEveryMs = 10_000;

/** How things stand when pods were heard of. */
interface Moment {
  /** Epoch milliseconds. */
  readonly now: number;
  /** Whether the pods of the fleet are known to exist still. */
  readonly isWatched: boolean;
}

/**
 * What pods began to hold, and ceased to, while the ledger had not answered in a term. It is in a file by the time that
 * it is noted, so that a pod which is bound and gone meanwhile is charged though the operator dies before the ledger
 * answers: the pods that exist say nothing of it. Some 600 bytes for each beginning and each end.
 */
export class EarlyHoldings {
  readonly #journal: Journal;
  /** By uid of the pod, what was heard of it last: one for each class. */
  readonly #noted = new Map<string, readonly ClassHolding[]>();
  /** When those without an end were last known to exist, epoch milliseconds. */
  #seenAt = -Infinity;
  #triedAt = -Infinity;

  /**
   * Reads what an earlier process has left.
   *
   * @param path a file, created when missing, of this process alone
   * @param onBadLine told of a line that is none of ours, and is left out
   */
  constructor(path: string, onBadLine: (line: string) => void) {
    this.#journal = new Journal(path);
    for (const line of readEarlyLines(path, onBadLine)) this.#take(line);
    this.beginTerm();
  }

  /** To be called when a term begins: what has no end by then was last known to exist when that was noted last. */
  beginTerm(): void {
    const lines = [...this.#noted].flatMap(([uid, held]) => {
      if (held.every(({ holding }) => holding.end !== undefined)) return [];
      return [{ uid, held: held.map((one) => this.#ended(one)) }];
    });
    this.#write(lines);
    this.#seenAt = -Infinity;
  }

  /** Takes note of pods that were heard of. It is safe from a crash of the process when this returns. */
  follow(news: readonly Touched[], snapshot: Snapshot, { now, isWatched }: Moment): void {
    const accounts = new Accounts();
    const lines = news.flatMap((one) => this.#lineOf(one, now, (pod) => holdingsOf(snapshot, accounts, pod)) ?? []);
    const isDue = isWatched && this.#noted.size > 0 && now - this.#seenAt >= seenEveryMs;
    this.#write(isDue ? [...lines, { seenAt: now }] : lines);
    if (this.#journal.problem === undefined || now - this.#triedAt < seenEveryMs) return;
    this.#triedAt = now;
    this.#journal.retry();
  }

  /**
   * Holdings of the pods of which nothing else is known. One without an end ended when it was last known to exist, and
   * nobody saw it.
   *
   * @param isKnown by uid of the pod
   */
  besides(isKnown: (podUid: string) => boolean): readonly ClassHolding[] {
    return [...this.#noted].filter(([uid]) => !isKnown(uid)).flatMap(([, held]) => held.map((one) => this.#ended(one)));
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

  /** Undefined for a pod that held nothing, as far as can be told. */
  #lineOf(
    { uid, pod, end, unobserved }: Touched,
    now: number,
    holdingsNow: (occupant: Parameters<typeof holdingsOf>[2]) => readonly ClassHolding[] | undefined,
  ): EarlyLine | undefined {
    const told = pod === undefined ? undefined : holdingsNow({ pod, end, now });
    const known = this.#noted.get(uid);
    // Its node or its quota is gone with it: it held what it held.
    const held = end !== undefined && (told === undefined || told.length === 0) ? known : told;
    if (held === undefined || (held.length === 0 && known === undefined)) return undefined;
    return { uid, held: held.map(({ holding, hold }) => ({ holding: { ...holding, end, unobserved }, hold })) };
  }

  /** One without an end ended when it was last known to exist. */
  #ended(one: ClassHolding): ClassHolding {
    const { holding, hold } = one;
    if (holding.end !== undefined) return one;
    return { holding: { ...holding, end: Math.max(holding.start, this.#seenAt), unobserved: true }, hold };
  }

  #write(lines: readonly EarlyLine[]): void {
    if (lines.length === 0) return;
    for (const line of lines) this.#take(line);
    this.#journal.append(lines.map(earlyLineOf));
  }

  #take(line: EarlyLine): void {
    if ('seenAt' in line) this.#seenAt = line.seenAt;
    else this.#noted.set(line.uid, line.held);
  }
}
