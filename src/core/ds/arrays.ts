/**
 * Element `i` of an array whose bounds the caller has established. It spares hot loops the `undefined` that
 * `noUncheckedIndexedAccess` adds, without a non-null assertion at each place.
 */
export function at<T>(array: ArrayLike<T>, i: number): T {
  return array[i] as T;
}

/** A typed array of at least `size` elements: the given one where it is large enough, else a copy twice as large. */
export function grown(array: Float64Array<ArrayBuffer>, size: number): Float64Array<ArrayBuffer> {
  if (array.length >= size) return array;
  const larger = new Float64Array(Math.max(size, array.length * 2));
  larger.set(array);
  return larger;
}
