import { at } from '../ds/index.ts';
import type { Topology } from '../snapshot/index.ts';
import type { CopyCounts } from './copyCounts.ts';

/** A necessary condition for a domain to hold a request: room for so many copies. */
export interface Need {
  readonly counts: CopyCounts;
  readonly copies: number;
}

/** A domain and its place in the order in which domains are tried. */
export interface Ranked {
  readonly domain: number;
  readonly rank: number;
}

/** What narrows and orders the choice. */
interface Choice {
  readonly strategy: 'Pack' | 'Spread';
  /** By domain: bits of the levels on its path (`path` of the Topology). */
  readonly path: Int32Array;
  /** Bits that the path must have: a domain may lie in none of the level required. */
  readonly levels: number;
  /** The domain tried before, to get the next. */
  readonly last: Ranked | undefined;
}

/**
 * Of the domains that meet all needs the first in order: with the least left over of the first need (`Spread`: the most), then by number.
 * O(domains x needs).
 */
export function nextDomain(
  domains: Int32Array,
  needs: readonly Need[],
  { strategy, path, levels, last }: Choice,
): Ranked | undefined {
  const sign = strategy === 'Spread' ? -1 : 1;
  const [first] = needs;
  if (first === undefined) return undefined;
  const { inDomain } = first.counts;
  let best = -1;
  let bestRank = Infinity;
  for (let i = 0; i < domains.length; i++) {
    const domain = domains[i] as number;
    const spare = (inDomain[domain] as number) - first.copies;
    const rank = spare * sign;
    if (spare < 0 || rank >= bestRank) continue;
    if (last !== undefined && (rank < last.rank || (rank === last.rank && domain <= last.domain))) continue;
    if (((path[domain] as number) & levels) !== levels) continue;
    if (needs.length > 1 && !meets(domain, needs)) continue;
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
  const end = next[domain] as number;
  let best = -1;
  let room = 0;
  for (let child = domain + 1; child < end; child = next[child] as number) {
    const holds = counts.inDomain[child] as number;
    const better = room >= copies ? holds >= copies && holds < room : holds > room;
    if (!better || passed.has(child)) continue;
    best = child;
    room = holds;
  }
  return best;
}

function meets(domain: number, needs: readonly Need[]): boolean {
  return needs.every(({ counts, copies }) => (counts.inDomain[domain] as number) >= copies);
}

/** The one of these domains that a node lies in; undefined = it lies in none of them. O(domains + depth). */
export function domainAround(topology: Topology, node: number, domains: Int32Array | undefined): number | undefined {
  for (let domain = at(topology.leafOf, node); domain > 0; domain = at(topology.parent, domain)) {
    if (domains?.includes(domain) === true) return domain;
  }
  return undefined;
}
