import { foreignKeys } from '../../api/v1alpha1/constants/index.ts';
import type { NodeProfile, PodFacts } from '../snapshot/index.ts';

/** The narrowest topology level of every pool. */
export const hostLevel: string = foreignKeys.hostname.key;

/** Pods of one shape that are placed together, and the profiles that they may use. */
export interface PlacementRole {
  readonly pods: readonly PodFacts[];
  readonly profiles: readonly NodeProfile[];
}

/** What is asked of the nodes: all pods of all roles, or nothing. */
export interface PlacementRequest {
  readonly roles: readonly PlacementRole[];
  readonly strategy: 'Pack' | 'Spread';
  /** The topology level, a node label, one domain of which must hold everything; undefined = none must. */
  readonly within: string | undefined;
  /** A node that the rest of the gang runs on: the domain of `within` must be the one that it lies in. */
  readonly beside?: number | undefined;
  /** Places as if no site had a power limit: whether nothing but power stands in the way. */
  readonly ignorePower?: boolean;
  /** How many nodes of equal free amount and profile are compared, where it matters which is taken; Infinity = all. */
  readonly breadth?: number;
}
