import { at } from '../ds/index.ts';
import { matches } from './match.ts';
import type { NodeProfile } from './nodeProfile.ts';
import type { Policy } from './policy.ts';

/** A site that may not draw as much as is asked for. */
interface PowerShortage {
  readonly site: string;
  readonly limitWatts: number;
  readonly inUseWatts: number;
}

interface LimitedSite {
  readonly name: string;
  readonly limitWatts: number;
}

/** Accelerators of one pod: the part of its request that draws power. */
type Devices = readonly { readonly resourceName: string; readonly devices: number }[];

/**
 * Watts that held devices draw at each site with a limit (DESIGN.md sections 2.1 and 7): devices x `powerWatts` of
 * their class, idle draw not counted. A node may lie in several sites; the limits of all of them apply.
 *
 * | operation | cost |
 * |---|---|
 * | hold, copiesAt | O(sites of the profile); O(1) where no limit applies |
 * | memory | O(profiles x sites of each) |
 */
export class SitePower {
  readonly #sites: LimitedSite[] = [];
  readonly #inUse: Float64Array;
  /** By profile id: its limited sites; undefined = none. */
  readonly #sitesOf: readonly (readonly number[] | undefined)[];
  /** By profile id and resource name: watts of a device. Only for profiles in limited sites. */
  readonly #wattsOf: readonly ReadonlyMap<string, number>[];

  constructor(policy: Policy, profiles: readonly NodeProfile[]) {
    const sitesOf = profiles.map((): number[] => []);
    const wattsOf = profiles.map(() => new Map<string, number>());
    for (const { spec, classes } of policy.pools) {
      for (const { name, nodeSelector, powerLimitWatts } of spec.sites) {
        if (powerLimitWatts === undefined) continue;
        for (const { id, labels } of profiles) {
          if (policy.claims.poolOf[id] === spec.name && matches(nodeSelector, labels))
            at(sitesOf, id).push(this.#sites.length);
        }
        this.#sites.push({ name, limitWatts: powerLimitWatts });
      }
      for (const { spec: accelerator, profiles: carrying } of classes) {
        for (const id of carrying) at(wattsOf, id).set(accelerator.resourceName, accelerator.powerWatts ?? 0);
      }
    }
    this.#sitesOf = sitesOf.map((sites) => (sites.length === 0 ? undefined : sites));
    this.#wattsOf = wattsOf;
    this.#inUse = new Float64Array(this.#sites.length);
  }

  /** Lets the devices of `count` pods on a node of the profile draw power; negative: takes it back. */
  hold(profileId: number, pod: Devices, count: number): void {
    const sites = this.#sitesOf[profileId];
    if (sites === undefined) return;
    const watts = this.#draw(profileId, pod) * count;
    for (const site of sites) this.#inUse[site] = at(this.#inUse, site) + watts;
  }

  /** Whether a limit applies to such a pod on nodes of the profile. */
  limits(profileId: number, pod: Devices): boolean {
    return this.#sitesOf[profileId] !== undefined && this.#draw(profileId, pod) > 0;
  }

  /** How many such pods the sites of the profile can still power; Infinity where no limit applies. */
  copiesAt(profileId: number, pod: Devices): number {
    const sites = this.#sitesOf[profileId];
    if (sites === undefined) return Infinity;
    const watts = this.#draw(profileId, pod);
    if (watts === 0) return Infinity;
    let copies = Infinity;
    for (const site of sites) copies = Math.min(copies, Math.floor(this.#headroom(site) / watts));
    return Math.max(0, copies);
  }

  /**
   * How many such pods nodes of all these profiles can still power, Infinity where no limit applies to some: exact where
   * sites are disjoint, else an upper bound. O(profiles x sites of each).
   */
  copiesWithin(profiles: readonly NodeProfile[], pod: Devices): number {
    const counted = new Map<string, number>();
    for (const { id } of profiles) {
      const copies = this.copiesAt(id, pod);
      if (copies === Infinity) return Infinity;
      const sites = this.#sitesOf[id]?.join() ?? '';
      counted.set(sites, Math.max(counted.get(sites) ?? 0, copies));
    }
    let total = 0;
    for (const copies of counted.values()) total += copies;
    return total;
  }

  /** The sites of these profiles, each once, that cannot power one more such pod. */
  shortages(profileIds: Iterable<number>, pod: Devices): readonly PowerShortage[] {
    const short = new Set<number>();
    for (const id of profileIds) {
      const watts = this.#draw(id, pod);
      for (const site of this.#sitesOf[id] ?? []) if (this.#headroom(site) < watts) short.add(site);
    }
    return [...short].map((site) => {
      const { name, limitWatts } = at(this.#sites, site);
      return { site: name, limitWatts, inUseWatts: at(this.#inUse, site) };
    });
  }

  #headroom(site: number): number {
    return at(this.#sites, site).limitWatts - at(this.#inUse, site);
  }

  #draw(profileId: number, pod: Devices): number {
    const watts = at(this.#wattsOf, profileId);
    let draw = 0;
    for (const { resourceName, devices } of pod) draw += Math.round(devices * (watts.get(resourceName) ?? 0));
    return draw;
  }
}
