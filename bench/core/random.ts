/**
 * A sequence of evenly spread whole numbers of 32 bits, the same for the same seed (xorshift, Marsaglia 2003): runs can
 * be compared because all of them meet the same work.
 */
export function randomFrom(seed: number): () => number {
  let state = seed * 2_654_435_761 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
