/** API group of Moa's resources. */
export const group = 'moa.dev';

/** The one version that is served and stored. */
export const version = 'v1alpha1';

/** `apiVersion` of every manifest of Moa. */
export const apiVersion = `${group}/${version}` as const;

/** What a pod writes in `spec.schedulerName` to be scheduled by Moa. Pods of other schedulers are only counted. */
export const schedulerName = 'moa-scheduler';

/** Field manager of everything that Moa writes with server-side apply. */
export const fieldManager = 'moa';

/** Category of the three resources: `kubectl get moa` lists them together. */
export const category = 'moa';

/** Names of the three kinds as the API server needs them. All are cluster-scoped. */
export const resources = {
  GpuPool: { kind: 'GpuPool', plural: 'gpupools', singular: 'gpupool', shortName: 'gp' },
  ResearchQuota: { kind: 'ResearchQuota', plural: 'researchquotas', singular: 'researchquota', shortName: 'rq' },
  MatchingInvestment: {
    kind: 'MatchingInvestment',
    plural: 'matchinginvestments',
    singular: 'matchinginvestment',
    shortName: 'mi',
  },
} as const;

/** Kind of a resource of Moa. */
export type Kind = keyof typeof resources;

/** Path of a kind's collection on the API server, for lists and watches. */
export function collectionPath(kind: Kind): string {
  return `/apis/${apiVersion}/${resources[kind].plural}`;
}

/** The Lease, in the operator's namespace, that the acting replica holds. */
export const leaseName = 'moa-leader';
