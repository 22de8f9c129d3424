import { apiVersion, collectionPath, labels, type Kind } from '../../src/api/v1alpha1/index.ts';
import { gpuSecondsWithin, type TraceJob } from '../../src/sim/traces/index.ts';
import { nodeModels, type InvestmentPlan } from './fleet.ts';

/** An object to apply, and where. */
export interface Manifest {
  readonly path: string;
  readonly body: object;
}

/** Name of the pool. */
export const poolName = 'national';

const consortia = [
  { name: 'k-ai-alliance', displayName: 'K-AI Alliance' },
  { name: 'open-science-union', displayName: 'Open Science Union' },
] as const;

/** Part of the normalized capacity that is guaranteed to institutions; the rest is open to all. */
const guaranteedShare = 0.6;

/** Name of an institution's quota and namespace. The trace's own names may begin with a digit. */
export function quotaNameOf(institution: string): string {
  return /^[a-z]/.test(institution) ? institution : `vc-${institution}`;
}

/** What the policy of the demo is made from. */
export interface PolicyInput {
  /** All institutions, the one that asks for most in the window first. At least two. */
  readonly institutions: readonly string[];
  readonly jobs: readonly TraceJob[];
  /** Length of the window that the jobs are from. */
  readonly seconds: number;
  /** Normalized capacity of the fleet that the demo begins with, in thousandths. */
  readonly milliGpus: number;
  readonly investment: InvestmentPlan;
  /** Today, as YYYY-MM-DD: the investment's term contains it. */
  readonly today: string;
}

/**
 * The pool, two consortia with the institutions under them, their namespaces and the investment.
 *
 * The guarantees, three fifths of the fleet together, are given half in equal parts and half by demand: so the small
 * ones have more than they use and the busy ones less. Of the busiest institutions the second is the investor, the third
 * may borrow only as much again as it is guaranteed (or its largest job on the dearest class, if that is more), and the
 * fourth and fifth lend only half of theirs.
 */
export function policyManifests(input: PolicyInput): Manifest[] {
  return [
    pool(),
    ...consortia.map(({ name, displayName }) =>
      quota(name, { institution: { displayName, kind: 'Consortium' }, capacity: {} }),
    ),
    ...input.institutions.flatMap((institution, rank) => [
      namespace(quotaNameOf(institution)),
      institutionQuota(input, institution, rank),
    ]),
    matchingInvestment(input),
  ];
}

function pool(): Manifest {
  return own('GpuPool', poolName, {
    acceleratorClasses: nodeModels.map(({ class: name, product, weight, powerWatts }) => ({
      name,
      vendor: 'NVIDIA',
      nodeSelector: { matchLabels: { 'nvidia.com/gpu.product': product } },
      weight,
      powerWatts,
    })),
    topologyLevels: ['topology.kubernetes.io/zone', labels.block.key],
    publicFloor: '0.3',
    accounting: { timeZone: 'Asia/Seoul' },
  });
}

function institutionQuota(input: PolicyInput, institution: string, rank: number): Manifest {
  const name = quotaNameOf(institution);
  const guaranteed = guaranteeOf(input, institution);
  const lend = { lendingLimit: Math.floor(guaranteed / 2) };
  const limits = [{}, {}, { borrowingLimit: borrowingLimitOf(input, institution, guaranteed) }, lend, lend];
  return quota(name, {
    parentName: consortia[rank % consortia.length]?.name,
    institution: { displayName: institution, kind: 'Institute' },
    namespaceSelector: { matchLabels: { [labels.institution.key]: name } },
    capacity: { guaranteed, ...limits[rank] },
  });
}

/** In whole normalized GPUs, rounded down: together never more than {@link guaranteedShare} of the capacity. */
export function guaranteeOf({ institutions, jobs, seconds, milliGpus }: PolicyInput, institution: string): number {
  const own = jobs.filter((job) => job.institution === institution);
  const asked = gpuSecondsWithin(own, seconds) / gpuSecondsWithin(jobs, seconds);
  const share = 0.5 / institutions.length + 0.5 * asked;
  return Math.floor((milliGpus / 1000) * guaranteedShare * share);
}

function borrowingLimitOf({ jobs }: PolicyInput, institution: string, guaranteed: number): number {
  const dearest = Math.max(...nodeModels.map(({ weight }) => Number(weight)));
  const largest = jobs.reduce((most, job) => (job.institution === institution ? Math.max(most, job.gpus) : most), 0);
  return Math.max(guaranteed, Math.ceil(largest * dearest));
}

function matchingInvestment({ institutions, investment, today }: PolicyInput): Manifest {
  const { name, investorGpus, stateGpus } = investment;
  const selector = (payer: string) => ({
    matchLabels: { [labels.investment.key]: name, [labels.funding.key]: payer },
  });
  const inYears = (years: number) => String(Number(today.slice(0, 4)) + years);
  return own('MatchingInvestment', name, {
    poolName,
    investorName: quotaNameOf(institutions[1] ?? institutions[0] ?? ''),
    contribution: {
      kind: 'Hardware',
      items: [{ class: 'h200', gpus: investorGpus }],
      nodeSelector: selector('investor'),
    },
    match: { ratio: '1.0', items: [{ class: 'b200', gpus: stateGpus }], nodeSelector: selector('state') },
    entitlement: { ownFraction: '1.0', matchedFraction: '0.5' },
    term: { start: `${inYears(-1)}-01-01`, end: `${inYears(4)}-12-31` },
    reclaim: { guaranteedAccessWithin: '1h' },
  });
}

function quota(name: string, spec: object): Manifest {
  return own('ResearchQuota', name, { poolName, ...spec });
}

function namespace(name: string): Manifest {
  return {
    path: `/api/v1/namespaces/${name}`,
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { [labels.institution.key]: name } } },
  };
}

function own(kind: Kind, name: string, spec: object): Manifest {
  return { path: `${collectionPath(kind)}/${name}`, body: { apiVersion, kind, metadata: { name }, spec } };
}
