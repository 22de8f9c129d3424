import { wholeDevice, type PodShape, type SlottedShare, type Snapshot } from '../snapshot/index.ts';

/** Lists of shapes that stand for what may come next, and how long each is. */
const listCount = 8;
const listLength = 32;
/** Fraction of the golden ratio: its multiples, modulo 1, spread evenly however many there are. */
const golden = 0.618_033_988_749_895;

/** One shape of the mix, as amounts of the dimensions that {@link TypicalLists} counts in. */
export interface TypicalShape {
  readonly shape: PodShape;
  /** Indices of dimensions, and how much of each one pod asks for. A share's device is in neither. */
  readonly dims: Int32Array;
  readonly amounts: Float64Array;
  readonly share: { readonly dim: number; readonly milli: number } | undefined;
  /** Devices that one pod asks for, in thousandths. */
  readonly milliDevices: number;
}

/** What may come next. */
export interface TypicalLists {
  /** Resource slots that count, by dimension. */
  readonly slots: readonly number[];
  readonly shapes: readonly TypicalShape[];
  /** Each a possible future: indices of shapes, those that ask for most devices first. */
  readonly lists: readonly Int32Array[];
}

/**
 * Draws lists from the learned mix of shapes that ask for accelerators. Each list has its even share of large and small
 * ones; what is too rare to be in every list is in some. Deterministic. O(shapes log shapes).
 */
export function drawTypicalLists(snapshot: Snapshot): TypicalLists {
  const slots: number[] = [];
  const dimOf = (slot: number) => {
    const known = slots.indexOf(slot);
    return known >= 0 ? known : slots.push(slot) - 1;
  };
  const weighted: { readonly typical: TypicalShape; readonly weight: number }[] = [];
  for (const [shape, weight] of snapshot.mix.entries()) {
    if (!mayFit(snapshot, shape)) continue;
    const typical = typicalShape(snapshot, shape, dimOf);
    if (typical.milliDevices > 0) weighted.push({ typical, weight });
  }
  const cpu = slots.indexOf(snapshot.slotOf('cpu'));
  const cpuOf = ({ dims, amounts }: TypicalShape) => amounts[dims.indexOf(cpu)] ?? 0;
  // Within one size the leanest first: what a node can serve at best.
  weighted.sort(
    (a, b) =>
      b.typical.milliDevices - a.typical.milliDevices ||
      cpuOf(a.typical) - cpuOf(b.typical) ||
      (a.typical.shape.key < b.typical.shape.key ? -1 : 1),
  );
  const shapes = weighted.map(({ typical }) => typical);
  const weights = weighted.map(({ weight }) => weight);
  return { slots, shapes, lists: shapes.length === 0 ? [] : drawLists(weights) };
}

/** Each list takes one shape from each of `listLength` equal parts of the total weight. */
function drawLists(weights: readonly number[]): Int32Array[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return Array.from({ length: listCount }, (_, list) => {
    const drawn = new Int32Array(listLength);
    let shape = 0;
    let upTo = weights[0] ?? 0;
    for (let i = 0; i < listLength; i++) {
      const within = (golden * (list * listLength + i + 1)) % 1;
      const wanted = ((i + within) / listLength) * total;
      while (shape + 1 < weights.length && upTo < wanted) upTo += weights[++shape] ?? 0;
      drawn[i] = shape;
    }
    return drawn;
  });
}

/** What asks for a resource that no node has, will never be placed. */
function mayFit(snapshot: Snapshot, shape: PodShape): boolean {
  return snapshot.requestOf(shape).slots.every((slot) => snapshot.nodes.freeColumn(slot) !== undefined);
}

function typicalShape(snapshot: Snapshot, shape: PodShape, dimOf: (slot: number) => number): TypicalShape {
  const request = snapshot.requestOf(shape);
  const milliDevices = snapshot.acceleratorsOf(shape).reduce((sum, a) => sum + a.devices * wholeDevice, 0);
  const counted = request.slots.flatMap((slot, i) =>
    slot === request.share?.part ? [] : [{ dim: milliDevices > 0 ? dimOf(slot) : -1, amount: request.amounts[i] ?? 0 }],
  );
  return {
    shape,
    dims: Int32Array.from(counted, ({ dim }) => dim),
    amounts: Float64Array.from(counted, ({ amount }) => amount),
    share: shareOf(request.share, dimOf),
    milliDevices: Math.round(milliDevices),
  };
}

function shareOf(share: SlottedShare | undefined, dimOf: (slot: number) => number): TypicalShape['share'] {
  return share === undefined ? undefined : { dim: dimOf(share.slot), milli: share.milli };
}
