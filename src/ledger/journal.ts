import { closeSync, fdatasync, fstatSync, ftruncateSync, openSync, read, readSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';

const readAsync = promisify(read);
const newline = 0x0a;

/** Lines that are handed over together are at most this long. */
const chunkBytes = 512 * 1024;

/** Some lines of a journal, to be taken off it once they are safe elsewhere. */
export interface Chunk {
  readonly lines: readonly string[];
  /** What to give to `drop`. */
  readonly bytes: number;
}

/**
 * A queue of lines in a local file: what is added is read back in the same order, by this process or, after a kill -9,
 * by the next one. `append` is a write into the page cache of the kernel: it takes microseconds, waits for no disk, and
 * survives the process; what a crash of the whole machine takes is what `sync` was not called for.
 *
 * A line that cannot be written, because the disk is full for instance, stays in memory until it can be.
 */
export class Journal {
  readonly #file: number;
  /** Bytes before this have been dropped. */
  #head = 0;
  #size: number;
  #unwritten = '';

  /** @param path a file, created when missing, in a folder that exists; one process at a time may have it open */
  constructor(path: string) {
    this.#file = openSync(path, 'a+');
    this.#size = fstatSync(this.#file).size;
    this.#cutTornLine();
  }

  /** How much has been appended and not dropped. */
  get bytes(): number {
    return this.#size - this.#head + this.#unwritten.length;
  }

  /** What keeps lines from being written to the file; undefined when all is well. */
  problem: unknown;

  /** Adds lines; none may hold a newline. */
  append(lines: readonly string[]): void {
    this.#unwritten += lines.map((line) => `${line}\n`).join('');
    // While the disk takes nothing, it is tried again with each reading only: what waits may be long.
    if (this.problem === undefined) this.#write();
  }

  /** The first lines; undefined when there are none. They stay until they are dropped. */
  async first(): Promise<Chunk | undefined> {
    this.#write();
    const length = Math.min(this.#size - this.#head, chunkBytes);
    if (length === 0) return this.#unwritten === '' ? undefined : this.#firstUnwritten();
    const { buffer, bytesRead } = await readAsync(this.#file, Buffer.alloc(length), 0, length, this.#head);
    const end = buffer.lastIndexOf(newline, bytesRead - 1) + 1;
    return { lines: buffer.toString('utf8', 0, end).split('\n').slice(0, -1), bytes: end };
  }

  /** Takes off the lines of the last `first`. The file is emptied when nothing is left. */
  drop({ bytes, lines }: Chunk): void {
    if (this.#head === this.#size) {
      this.#unwritten = this.#unwritten.slice(lines.join('\n').length + 1);
      return;
    }
    this.#head += bytes;
    if (this.#head < this.#size) return;
    ftruncateSync(this.#file);
    this.#head = this.#size = 0;
  }

  /** Takes everything off. */
  clear(): void {
    ftruncateSync(this.#file);
    this.#head = this.#size = 0;
    this.#unwritten = '';
    this.problem = undefined;
  }

  /** Tries again to write what could not be written. */
  retry(): void {
    this.#write();
  }

  /** Resolves when everything written so far is on the disk. */
  sync(): Promise<void> {
    return promisify(fdatasync)(this.#file);
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(): void {
    if (this.#unwritten === '') return;
    const bytes = Buffer.from(this.#unwritten);
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(this.#file, bytes, written);
      this.#size += bytes.length;
      this.#unwritten = '';
      this.problem = undefined;
    } catch (error) {
      this.problem = error;
      if (written > 0) ftruncateSync(this.#file, this.#size);
    }
  }

  #firstUnwritten(): Chunk {
    const end = this.#unwritten.indexOf('\n', chunkBytes) + 1;
    const text = end === 0 ? this.#unwritten : this.#unwritten.slice(0, end);
    return { lines: text.split('\n').slice(0, -1), bytes: 0 };
  }

  /** A process that died while it wrote leaves half a line at the end. */
  #cutTornLine(): void {
    if (this.#size === 0) return;
    const block = Buffer.alloc(64 * 1024);
    for (let end = this.#size; end > 0;) {
      const start = Math.max(0, end - block.length);
      const length = readSync(this.#file, block, 0, end - start, start);
      const last = block.lastIndexOf(newline, length - 1);
      if (last >= 0 && length > 0) {
        this.#size = start + last + 1;
        ftruncateSync(this.#file, this.#size);
        return;
      }
      end = start;
    }
    this.#size = 0;
    ftruncateSync(this.#file);
  }
}
