/** One whole device, in the unit of shares. */
export const wholeDevice = 1000;

/** Part of one device that a request takes, as slots. */
export interface SlottedShare {
  /** Slot of the resource: whole devices. */
  readonly slot: number;
  /** Slot of {@link partOf} the resource: the largest part of one device that is free. */
  readonly part: number;
  /** Thousandths of one device, 1 to 999. */
  readonly milli: number;
}

/** Name under which the largest free part of one device is a resource of its own. No Kubernetes resource is named so. */
export function partOf(resourceName: string): string {
  return `${resourceName}#milli`;
}

/** The columns of a node table that shares keep up to date. */
interface Columns {
  free(node: number, slot: number): number;
  set(node: number, slot: number, amount: number): void;
}

/**
 * Which opened device each pod that holds a part of one sits on. A part goes to the opened device with the least left
 * that holds it, else it opens a device, which then no longer counts as free; the last part given back closes it again.
 *
 * Giving back what was just taken restores the state exactly, whatever else is held. Cost of each operation: O(opened
 * devices of the node).
 */
export class DeviceShares {
  readonly #columns: Columns;
  /** By pod uid, the index of its device among the node's opened ones. It outlives the table: pods do not move. */
  readonly #seats: Map<string, number>;
  /** By node, then slot: what is left of each opened device, in thousandths; a gap that can be opened again is whole. */
  readonly #opened = new Map<number, Map<number, number[]>>();
  readonly #parts = new Map<number, number>();

  constructor(columns: Columns, seats: Map<string, number>) {
    this.#columns = columns;
    this.#seats = seats;
  }

  /** What is left of each opened device; {@link wholeDevice} where a device has been closed. */
  opened(node: number, slot: number): readonly number[] {
    return this.#opened.get(node)?.get(slot) ?? [];
  }

  /** Seats a pod. Where no device has room, the node is over-committed and its free devices go below 0. */
  take(node: number, share: SlottedShare, uid: string): void {
    const { slot, milli } = share;
    const devices = this.#devicesOf(node, share);
    let seat = this.#seats.get(uid) ?? seatFor(devices, milli);
    if (seat < 0) seat = devices.indexOf(wholeDevice);
    if (seat < 0) seat = devices.length;
    while (devices.length <= seat) devices.push(wholeDevice);
    const left = devices[seat] as number;
    if (left === wholeDevice) this.#columns.set(node, slot, this.#columns.free(node, slot) - 1);
    devices[seat] = left - milli;
    this.#seats.set(uid, seat);
    this.refresh(node);
  }

  giveBack(node: number, share: SlottedShare, uid: string): void {
    const { slot, milli } = share;
    const devices = this.#devicesOf(node, share);
    const seat = this.#seats.get(uid);
    if (seat === undefined) return;
    this.#seats.delete(uid);
    const left = (devices[seat] as number) + milli;
    devices[seat] = left;
    if (left === wholeDevice) this.#columns.set(node, slot, this.#columns.free(node, slot) + 1);
    while (devices.at(-1) === wholeDevice) devices.pop();
    this.refresh(node);
  }

  /** Says again what the largest free part of a node is, once its whole devices have changed. */
  refresh(node: number): void {
    for (const [slot, part] of this.#parts) {
      let largest = this.#columns.free(node, slot) >= 1 ? wholeDevice : 0;
      if (largest === 0)
        for (const left of this.opened(node, slot)) if (left < wholeDevice && left > largest) largest = left;
      this.#columns.set(node, part, largest);
    }
  }

  /** Begins to keep the column of a resource's parts. O(nodes). */
  watch(slot: number, part: number, nodes: number): void {
    if (this.#parts.has(slot)) return;
    this.#parts.set(slot, part);
    for (let node = 0; node < nodes; node++) this.refresh(node);
  }

  #devicesOf(node: number, { slot }: SlottedShare): number[] {
    let bySlot = this.#opened.get(node);
    if (bySlot === undefined) this.#opened.set(node, (bySlot = new Map<number, number[]>()));
    let devices = bySlot.get(slot);
    if (devices === undefined) bySlot.set(slot, (devices = []));
    return devices;
  }
}

/** The opened device with the least left that holds `milli`, of several the first; -1 = none does. */
function seatFor(devices: readonly number[], milli: number): number {
  let best = -1;
  for (let i = 0; i < devices.length; i++) {
    const left = devices[i] as number;
    if (left >= milli && left < wholeDevice && (best < 0 || left < (devices[best] as number))) best = i;
  }
  return best;
}
