/**
 * Whether one `resourceVersion` is as late as the other of the same resource, or later. They are decimal numbers that
 * grow, without zeros in front: Kubernetes has promised that from 1.35 on, and has kept it before.
 */
export function isAsLate(one: string, other: string): boolean {
  return one.length === other.length ? one >= other : one.length > other.length;
}
