import { partOf, type SlottedShare } from './deviceShares.ts';
import type { PodShape } from './facts.ts';

/** A shape's requests as slots and amounts, side by side. */
export interface SlottedRequest {
  readonly slots: readonly number[];
  readonly amounts: readonly number[];
  /** For a part of a device: also among the slots, as the largest free part that it needs. */
  readonly share?: SlottedShare | undefined;
}

/** Gives every resource name a small integer for the life of the process. Slot 0 is `pods`. */
export class ResourceSlots {
  readonly #byName = new Map<string, number>();
  readonly #names: string[] = [];
  readonly #requests = new WeakMap<PodShape, SlottedRequest>();

  constructor() {
    this.slotOf('pods');
  }

  /** How many names have a slot. */
  get count(): number {
    return this.#names.length;
  }

  slotOf(resource: string): number {
    const known = this.#byName.get(resource);
    if (known !== undefined) return known;
    const slot = this.#names.length;
    this.#byName.set(resource, slot);
    this.#names.push(resource);
    return slot;
  }

  nameOf(slot: number): string {
    return this.#names[slot] ?? '';
  }

  /** The requests of a shape, worked out once for each shape. Zero requests are left out: they bind nothing. */
  requestOf(shape: PodShape): SlottedRequest {
    let request = this.#requests.get(shape);
    if (request === undefined) {
      const entries = Object.entries(shape.requests).filter(([, amount]) => amount > 0);
      const share = this.#shareOf(shape);
      if (share !== undefined) entries.push([this.nameOf(share.part), share.milli]);
      request = {
        slots: entries.map(([name]) => this.slotOf(name)),
        amounts: entries.map(([, amount]) => amount),
        share,
      };
      this.#requests.set(shape, request);
    }
    return request;
  }

  #shareOf({ share }: PodShape): SlottedShare | undefined {
    if (share === undefined) return undefined;
    const { resourceName, milli } = share;
    return { slot: this.slotOf(resourceName), part: this.slotOf(partOf(resourceName)), milli };
  }
}
