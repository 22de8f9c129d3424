import { at } from '../ds/index.ts';
import type { CopyCounts } from './copyCounts.ts';

/** A necessary condition for a domain to hold a request: room for so many copies. */
export interface Need {
  readonly counts: CopyCounts;
  readonly copies: number;
  /** What a copy to spare counts when domains are compared. */
  readonly weight: number;
}

/** A domain and its place in the order in which domains are tried. */
export interface Ranked {
  readonly domain: number;
  readonly rank: number;
}

/**
 * Of the domains that meet all needs the first in order: with the least left over (`Spread`: the most), then by number.
 * `last`: the one tried before, to get the next. O(domains x needs).
 */
export function nextDomain(
  domains: Int32Array,
  needs: readonly Need[],
  { strategy, last }: { readonly strategy: 'Pack' | 'Spread'; readonly last: Ranked | undefined },
): Ranked | undefined {
  const sign = strategy === 'Spread' ? -1 : 1;
  let best = -1;
  let bestRank = Infinity;
  for (let i = 0; i < domains.length; i++) {
    const domain = at(domains, i);
    const spare = spareIn(domain, needs);
    const rank = spare * sign;
    if (spare < 0 || rank >= bestRank) continue;
    if (last !== undefined && (rank < last.rank || (rank === last.rank && domain <= last.domain))) continue;
    best = domain;
    bestRank = rank;
  }
  return best < 0 ? undefined : { domain: best, rank: bestRank };
}

/**
 * Of the domains just inside `domain` the one with the least room for all `copies`, else the one with the most room; -1
 * when none has any. `passed`: domains that are out of question. O(domains inside).
 */
export function bestChild(
  { next, domain }: { readonly next: Int32Array; readonly domain: number },
  counts: CopyCounts,
  { copies, passed }: { readonly copies: number; readonly passed: ReadonlySet<number> },
): number {
  const end = at(next, domain);
  let best = -1;
  let room = 0;
  for (let child = domain + 1; child < end; child = at(next, child)) {
    const holds = at(counts.inDomain, child);
    const better = room >= copies ? holds >= copies && holds < room : holds > room;
    if (!better || passed.has(child)) continue;
    best = child;
    room = holds;
  }
  return best;
}

/** Weighted copies beyond what is needed; negative = some need is not met. */
function spareIn(domain: number, needs: readonly Need[]): number {
  let spare = 0;
  for (let i = 0; i < needs.length; i++) {
    const { counts, copies, weight } = at(needs, i);
    const left = at(counts.inDomain, domain) - copies;
    if (left < 0) return -1;
    spare += left * weight;
  }
  return spare;
}
