import { dayAt, monthAt, type CalendarSlot } from '../core/units/index.ts';

/** How finely time is cut for totals. */
export type Grain = 'day' | 'month';

const slotAt: Readonly<Record<Grain, (at: number, timeZone: string) => CalendarSlot>> = { day: dayAt, month: monthAt };

/**
 * The days or months of a time zone. It remembers the slot of each call: those that follow mostly ask for the same.
 *
 * | operation | cost |
 * |---|---|
 * | at | O(1) within the slot of the last call, else one calendar calculation |
 * | pieces | one `at` for each slot that is touched |
 */
export class Slots {
  readonly #grain: Grain;
  readonly #timeZone: string;
  #last: CalendarSlot = { start: 0, end: 0 };

  /** @param timeZone IANA name; an unknown one throws a RangeError at the first question */
  constructor(grain: Grain, timeZone: string) {
    this.#grain = grain;
    this.#timeZone = timeZone;
  }

  /** The slot that holds the moment. */
  at(moment: number): CalendarSlot {
    if (moment < this.#last.start || moment >= this.#last.end) this.#last = slotAt[this.#grain](moment, this.#timeZone);
    return this.#last;
  }

  /** The slots that lie wholly within [from, to), as one range; undefined when there is none. */
  whole(from: number, to: number): CalendarSlot | undefined {
    const first = this.at(from);
    const start = first.start === from ? from : first.end;
    const { start: end } = this.at(to);
    return start < end ? { start, end } : undefined;
  }

  /** Cuts [from, to) at the borders of slots and calls `take` with the start of each slot and the time within it. */
  pieces(from: number, to: number, take: (slot: number, milliseconds: number) => void): void {
    for (let moment = from; moment < to;) {
      const { start, end } = this.at(moment);
      const until = Math.min(end, to);
      take(start, until - moment);
      moment = until;
    }
  }
}

/** Hands out the slots of each grain and zone, one object each. */
export class SlotBook {
  readonly #slots = new Map<string, Slots>();

  of(grain: Grain, timeZone: string): Slots {
    const key = `${grain} ${timeZone}`;
    let slots = this.#slots.get(key);
    if (slots === undefined) this.#slots.set(key, (slots = new Slots(grain, timeZone)));
    return slots;
  }
}
