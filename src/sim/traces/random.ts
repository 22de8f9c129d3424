/**
 * A stream of pseudo-random numbers, 0 <= r < 1, that is the same for the same seed: a 32-bit Weyl sequence, each value
 * scrambled by the finalizer of MurmurHash3 (Appleby, public domain). Good enough for workloads, not for secrets.
 */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e37_79b9) | 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}
