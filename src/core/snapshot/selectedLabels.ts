import type { PodShape, Selector } from './facts.ts';
import type { PolicyInput } from './policy.ts';

/** Keys of the labels that a shape selects nodes by. */
export function labelsOfShape(shape: PodShape): string[] {
  return [...shape.nodeSelector, ...(shape.nodeTerms ?? []).flatMap((term) => term.labels)].map((r) => r.key);
}

/** Keys of the labels that the manifests select nodes by. */
export function labelsOf(input: PolicyInput): string[] {
  const keys = (selector: Selector | undefined) => (selector ?? []).map((requirement) => requirement.key);
  return [
    ...input.pools.flatMap((pool) => [
      ...pool.classes.flatMap((c) => keys(c.nodeSelector)),
      ...pool.contributions.flatMap((c) => keys(c.nodeSelector)),
      ...pool.sites.flatMap((site) => keys(site.nodeSelector)),
    ]),
    ...input.investments.flatMap((i) => [...keys(i.contributionSelector), ...keys(i.matchSelector)]),
  ];
}
