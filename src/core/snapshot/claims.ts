import { ConditionReason } from '../../api/v1alpha1/constants/index.ts';
import { matches } from './match.ts';
import type { NodeProfile } from './nodeProfile.ts';
import type { Problem } from './problem.ts';
import type { InvestmentSpec, PoolSpec } from './specs.ts';

/** What a profile's nodes count for in an investment. */
export interface InvestmentClaim {
  readonly investment: string;
  readonly side: 'investor' | 'state';
}

/** Who owns the nodes of each profile. Arrays are indexed by profile id. */
export interface NodeClaims {
  /** Name of the pool that the nodes belong to. */
  readonly poolOf: readonly (string | undefined)[];
  readonly investmentOf: readonly (InvestmentClaim | undefined)[];
  /** Index of the class, in its pool, that the devices of a resource belong to. */
  classOf(profileId: number, resourceName: string): number | undefined;
  readonly remarksOfPool: ReadonlyMap<string, readonly Problem[]>;
  readonly remarksOfInvestment: ReadonlyMap<string, readonly Problem[]>;
}

/**
 * Decides, for each profile, the pool (of several the one whose name sorts first), the class of each resource (the
 * first in the pool's list) and the investment (the older, then the one whose name sorts first), and notes who lost.
 * `pools` are sorted by name. Cost: O(profiles x selectors).
 */
export function claimNodes(
  pools: readonly PoolSpec[],
  investments: readonly InvestmentSpec[],
  profiles: readonly NodeProfile[],
): NodeClaims {
  const poolOf: (string | undefined)[] = [];
  const investmentOf: (InvestmentClaim | undefined)[] = [];
  const classes: Map<string, number>[] = [];
  const notes = new Notes();
  const oldestFirst = investments.toSorted((a, b) => a.createdAt - b.createdAt || (a.name < b.name ? -1 : 1));

  for (const profile of profiles) {
    const claiming = pools.filter((pool) => selects(pool, profile.labels));
    const [owner, ...others] = claiming;
    for (const other of others) notes.lostNodes(other.name, owner?.name ?? '', profile.nodeCount);
    poolOf.push(owner?.name);
    classes.push(owner === undefined ? new Map<string, number>() : classesOf(owner, profile, notes));
    investmentOf.push(owner === undefined ? undefined : investmentClaim(owner, oldestFirst, profile, notes));
  }
  return {
    poolOf,
    investmentOf,
    classOf: (profileId, resourceName) => classes[profileId]?.get(resourceName),
    remarksOfPool: notes.ofPools(),
    remarksOfInvestment: notes.ofInvestments(),
  };
}

/** The pool that nodes with these labels belong to: of several that select them the one whose name sorts first. */
export function poolOfLabels(
  pools: readonly PoolSpec[],
  labels: Readonly<Record<string, string>>,
): PoolSpec | undefined {
  let first: PoolSpec | undefined;
  for (const pool of pools) {
    if ((first === undefined || pool.name < first.name) && selects(pool, labels)) first = pool;
  }
  return first;
}

function selects(pool: PoolSpec, labels: Readonly<Record<string, string>>): boolean {
  return pool.classes.some((c) => matches(c.nodeSelector, labels));
}

function classesOf(pool: PoolSpec, profile: NodeProfile, notes: Notes): Map<string, number> {
  const byResource = new Map<string, number>();
  pool.classes.forEach((accelerator, index) => {
    if (!matches(accelerator.nodeSelector, profile.labels)) return;
    const first = byResource.get(accelerator.resourceName);
    if (first === undefined) byResource.set(accelerator.resourceName, index);
    else notes.overlap(pool, first, index, profile.nodeCount);
  });
  return byResource;
}

function investmentClaim(
  pool: PoolSpec,
  oldestFirst: readonly InvestmentSpec[],
  profile: NodeProfile,
  notes: Notes,
): InvestmentClaim | undefined {
  let winner: InvestmentClaim | undefined;
  for (const investment of oldestFirst) {
    if (investment.poolName !== pool.name) continue;
    const side = sideOf(investment, profile);
    if (side === undefined) continue;
    if (winner === undefined) winner = { investment: investment.name, side };
    else notes.doubleClaim(winner.investment, investment.name, profile.nodeCount);
  }
  return winner;
}

/** A node that both selectors of one investment match counts once, as the investor's. */
function sideOf(investment: InvestmentSpec, profile: NodeProfile): InvestmentClaim['side'] | undefined {
  const { contributionSelector, matchSelector } = investment;
  if (contributionSelector !== undefined && matches(contributionSelector, profile.labels)) return 'investor';
  if (matchSelector !== undefined && matches(matchSelector, profile.labels)) return 'state';
  return undefined;
}

/** Counts of nodes in each kind of conflict, turned into one sentence each. */
class Notes {
  readonly #lost = new Map<string, Map<string, number>>();
  readonly #overlaps = new Map<string, Map<string, number>>();
  readonly #double = new Map<string, Map<string, number>>();

  lostNodes(loser: string, winner: string, nodes: number): void {
    count(this.#lost, loser, winner, nodes);
  }

  overlap(pool: PoolSpec, first: number, second: number, nodes: number): void {
    const pair = `${pool.classes[first]?.name ?? ''} and ${pool.classes[second]?.name ?? ''}`;
    count(this.#overlaps, pool.name, pair, nodes);
  }

  doubleClaim(winner: string, loser: string, nodes: number): void {
    count(this.#double, winner, `also claimed by ${loser}; they count here`, nodes);
    count(this.#double, loser, `claimed by the older ${winner}; they count there`, nodes);
  }

  ofPools(): ReadonlyMap<string, readonly Problem[]> {
    const remarks = new Map<string, Problem[]>();
    for (const [pool, pairs] of this.#overlaps) {
      const texts = [...pairs].map(([pair, nodes]) => `classes ${pair} both select ${plural(nodes)}`);
      const message = `${texts.join('; ')}; devices belong to the class listed first`;
      push(remarks, pool, { reason: ConditionReason.ClassOverlap, message });
    }
    for (const [pool, winners] of this.#lost) {
      const texts = [...winners].map(([winner, nodes]) => `${plural(nodes)} to pool ${winner}`);
      const message = `nodes that this pool selects belong to another whose name sorts first: ${texts.join('; ')}`;
      push(remarks, pool, { reason: ConditionReason.NodeConflict, message });
    }
    return remarks;
  }

  ofInvestments(): ReadonlyMap<string, readonly Problem[]> {
    const remarks = new Map<string, Problem[]>();
    for (const [investment, texts] of this.#double) {
      const message = [...texts].map(([text, nodes]) => `${plural(nodes)} ${text}`).join('; ');
      push(remarks, investment, { reason: ConditionReason.NodeConflict, message });
    }
    return remarks;
  }
}

function count(table: Map<string, Map<string, number>>, key: string, detail: string, nodes: number): void {
  let details = table.get(key);
  if (details === undefined) {
    details = new Map<string, number>();
    table.set(key, details);
  }
  details.set(detail, (details.get(detail) ?? 0) + nodes);
}

function push(table: Map<string, Problem[]>, key: string, problem: Problem): void {
  table.set(key, [...(table.get(key) ?? []), problem]);
}

function plural(nodes: number): string {
  return nodes === 1 ? '1 node' : `${nodes} nodes`;
}
