/** One event of a watch, and when it arrived. */
export interface Line {
  readonly text: string;
  /** On the clock of `performance.now`. */
  readonly arrivedAt: number;
}

/**
 * The events of one watch, kept until they are asked for: what a fault holds back, the API server has long sent. One
 * reader.
 */
export class LineQueue {
  readonly #lines: Line[] = [];
  #rest = '';
  #ended = false;
  #wake: (() => void) | undefined;

  /** Takes a piece of the stream, wherever it was cut. */
  push(piece: string): void {
    const texts = (this.#rest + piece).split('\n');
    this.#rest = texts.pop() ?? '';
    const arrivedAt = performance.now();
    for (const text of texts) this.#lines.push({ text, arrivedAt });
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** The next line; `silence` when none came within so many milliseconds; undefined at the end. */
  async next(withinMs = Infinity): Promise<Line | 'silence' | undefined> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) return line;
      if (this.#ended) return undefined;
      const left = deadline - performance.now();
      if (left <= 0) return 'silence';
      await this.#change(left);
    }
  }

  async #change(withinMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = withinMs === Infinity ? undefined : setTimeout(resolve, withinMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
