/** Names that are kept without asking who still uses them. */
const few = 4096;

/**
 * Pods come with names of their own making, of resources and of labels. How many are kept, where so many are in use,
 * before those that nobody uses any more are forgotten. Rare enough that looking at all pods for it costs nothing.
 */
export function namesKept(inUse: number): number {
  return Math.max(few, 2 * inUse);
}
