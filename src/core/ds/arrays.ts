/**
 * Element `i` of an array whose bounds the caller has established. It spares the caller the `undefined` that
 * `noUncheckedIndexedAccess` adds, without a non-null assertion at each place.
 *
 * Inner loops over typed arrays read `array[i] as number` instead: all callers share this one load, and V8 makes a load
 * that has seen many kinds of arrays several times slower.
 */
export function at<T>(array: ArrayLike<T>, i: number): T {
  return array[i] as T;
}
