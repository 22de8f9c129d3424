import { labels } from '../../api/v1alpha1/constants/index.ts';
import type { Taint } from '../snapshot/index.ts';

/**
 * The taints of a node as Moa's pods meet them: the taint that keeps strangers off a pool's nodes (`spec.isolate`) is
 * none to the pool itself. `pool` is the name of the node's pool.
 */
export function withoutTaintOf(pool: string | undefined, taints: readonly Taint[]): Taint[] {
  return taints.filter(({ key, value }) => key !== labels.pool.key || value !== pool);
}
