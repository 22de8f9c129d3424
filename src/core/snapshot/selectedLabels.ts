import type { PodConstraints, PodShape, Selector } from './facts.ts';
import type { PolicyInput } from './policy.ts';

/** Keys of the labels that a shape selects nodes by. */
export function labelsOfShape(shape: PodShape): string[] {
  return [...shape.nodeSelector, ...(shape.nodeTerms ?? []).flatMap((term) => term.labels)].map((r) => r.key);
}

/** Whether where a pod may run depends on the labels of others. */
export function selectsPods({ affinity, antiAffinity, spread }: PodConstraints): boolean {
  return affinity.length + antiAffinity.length + spread.length > 0;
}

/** Keys of the labels that a pod selects other pods by. */
export function labelsSelectedBy({ affinity, antiAffinity, spread }: PodConstraints): string[] {
  return [...affinity, ...antiAffinity, ...spread].flatMap(({ selector }) => (selector ?? []).map(({ key }) => key));
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
