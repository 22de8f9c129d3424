import { at } from '../ds/index.ts';
import type { FitCounter, PlacementRole } from '../place/index.ts';
import type { Snapshot } from '../snapshot/index.ts';

/**
 * Devices that all roles of a gang together could use, kept while nodes change. `FitCounter` counts each role as if it
 * were alone: a leader and 512 workers that take a node each would seem to fit on 512 nodes, and only a placement would
 * tell. Here a node counts for as many devices as the greatest common divisor of the roles' requests leaves whole.
 *
 * A no is final. | build O(nodes) | update, mayFit O(1) |
 */
export class JointCount {
  readonly #snapshot: Snapshot;
  readonly #counter: FitCounter;
  readonly #slot: number;
  readonly #unit: number;
  readonly #asked: number;
  readonly #profiles: ReadonlySet<number>;
  readonly #usable: Float64Array;
  readonly #inDomain: Float64Array;
  /** Domains that hold what is asked. */
  #holding = 0;

  private constructor(parts: {
    snapshot: Snapshot;
    counter: FitCounter;
    roles: readonly { role: PlacementRole; slot: number; devices: number }[];
  }) {
    const { snapshot, roles } = parts;
    this.#snapshot = snapshot;
    this.#counter = parts.counter;
    this.#slot = roles[0]?.slot ?? 0;
    this.#unit = roles.reduce((unit, { devices }) => greatestCommonDivisor(unit, devices), 0);
    this.#asked = roles.reduce((sum, { role, devices }) => sum + role.pods.length * devices, 0);
    this.#profiles = new Set(roles.flatMap(({ role }) => role.profiles.map((profile) => profile.id)));
    this.#usable = new Float64Array(snapshot.nodes.count);
    this.#inDomain = new Float64Array(snapshot.nodes.topology.start.length);
    for (let node = 0; node < snapshot.nodes.count; node++) this.update(node);
  }

  /** Undefined where there is nothing to add to the counts of each role: fewer than two ask for whole devices. */
  static of(snapshot: Snapshot, counter: FitCounter, all: readonly PlacementRole[]): JointCount | undefined {
    const asking = all.flatMap((role) => {
      const [pod] = role.pods;
      const device = pod === undefined ? undefined : snapshot.acceleratorsOf(pod.shape)[0];
      return device === undefined ? [] : [{ role, ...device }];
    });
    const roles = asking.filter(({ slot }) => slot === asking[0]?.slot);
    if (roles.length < 2 || roles.some(({ devices }) => !Number.isInteger(devices))) return undefined;
    return new JointCount({ snapshot, counter, roles });
  }

  mayFit(): boolean {
    return this.#holding > 0;
  }

  update(node: number): void {
    const domain = this.#counter.domainOf(node);
    const { nodes } = this.#snapshot;
    if (domain < 0 || !this.#profiles.has(nodes.profileIdOf(node))) return;
    const usable = Math.floor(Math.max(0, nodes.free(node, this.#slot)) / this.#unit) * this.#unit;
    const before = at(this.#inDomain, domain);
    const after = before + usable - at(this.#usable, node);
    this.#usable[node] = usable;
    this.#inDomain[domain] = after;
    this.#holding += Number(after >= this.#asked) - Number(before >= this.#asked);
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
