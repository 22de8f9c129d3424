const newline = 0x0a;

/**
 * Cuts a stream of bytes into lines. What is joined is at most one line that spans chunks, so the longest string made
 * is the longest line, whatever the size of the stream.
 */
export class LineSplitter {
  #partial: Buffer[] = [];

  /** The lines that this chunk completes, without their newline. Empty lines are left out. */
  *push(chunk: Buffer): Generator<string, void, undefined> {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      const line =
        this.#partial.length === 0 ? chunk.toString('utf8', start, end) : this.#join(chunk.subarray(start, end));
      start = end + 1;
      if (line !== '') yield line;
    }
    if (start < chunk.length) this.#partial.push(chunk.subarray(start));
  }

  /** What came after the last newline; undefined when nothing did. */
  rest(): string | undefined {
    return this.#partial.length === 0 ? undefined : this.#join();
  }

  #join(last?: Buffer): string {
    const parts = last === undefined ? this.#partial : [...this.#partial, last];
    this.#partial = [];
    return Buffer.concat(parts).toString('utf8');
  }
}
