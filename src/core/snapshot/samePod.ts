import type { ClaimUse, PodFacts } from './facts.ts';

/** All that a plan, a status or an account reads of a pod as it is; `explained` is what we wrote ourselves. */
const decisive: Readonly<Record<Exclude<keyof PodFacts, 'claims' | 'explained'>, true>> = {
  uid: true,
  namespace: true,
  name: true,
  labels: true,
  ours: true,
  createdAt: true,
  nodeName: true,
  phase: true,
  boundAt: true,
  deletionAt: true,
  evictedAt: true,
  gated: true,
  priority: true,
  shape: true,
  gang: true,
  topology: true,
  classes: true,
  owner: true,
  user: true,
  walltime: true,
  borrower: true,
  problem: true,
};
const facts = Object.keys(decisive) as (keyof typeof decisive)[];

/**
 * Whether nothing has changed of a pod, as far as anyone decides by it: of the many updates of a pod most tell of its
 * containers, or of what we told its owner. Of pods that one reader read; equal facts of two readers may differ.
 */
export function samePod(a: PodFacts, b: PodFacts): boolean {
  return facts.every((fact) => a[fact] === b[fact]) && sameClaims(a.claims, b.claims);
}

function sameClaims(a: readonly ClaimUse[], b: readonly ClaimUse[]): boolean {
  return (
    a.length === b.length && a.every(({ name, ephemeral }, i) => b[i]?.name === name && b[i].ephemeral === ephemeral)
  );
}
