/**
 * Element `i` of an array whose bounds the caller has established. It spares hot loops the `undefined` that
 * `noUncheckedIndexedAccess` adds, without a non-null assertion at each place.
 */
export function at<T>(array: ArrayLike<T>, i: number): T {
  return array[i] as T;
}
