/** A file of the repository that is made from the source. */
export interface Generated {
  /** From the top of the repository. */
  readonly path: string;
  /** The whole text of the file. Same source, same text: no time, no versions of the machine. */
  render(): string;
}
