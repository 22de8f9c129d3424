import type {
  GpuPool,
  LabelSelector,
  MatchingInvestment,
  ObjectMeta,
  ResearchQuota,
} from '../../api/v1alpha1/index.ts';
import {
  micros,
  parseDuration,
  parseInstant,
  parseMicro,
  parseMilliGpus,
  parsePeriodEnd,
  zeroGpus,
  type Micro,
  type MilliGpus,
} from '../units/index.ts';
import { budgetSpecOf } from '../budget/index.ts';
import type { PinnedWeight, Selector } from './facts.ts';
import type { InvestmentItem, InvestmentSpec, PoolSpec, QuotaSpec, Unreadable } from './specs.ts';

/**
 * Most normalized GPUs that one device may be worth, in milli-GPUs: 10,000. Ten million devices of that weight can
 * still be added up in exact integers.
 */
const greatestWeight = 10_000_000;

/** Whether a resource could not be read. */
export function isUnreadable(spec: PoolSpec | QuotaSpec | InvestmentSpec | Unreadable): spec is Unreadable {
  return 'problem' in spec;
}

/** A pool's manifest as the core sees it. Unreadable: an unknown time zone, a weight beyond what can be counted. */
export function poolSpecOf({ metadata, spec }: GpuPool): PoolSpec | Unreadable {
  const fields = new Fields();
  const { accounting, scheduling } = spec;
  fields.timeZone('spec.accounting.timeZone', accounting.timeZone);
  const read: PoolSpec = {
    ...identityOf(metadata),
    classes: spec.acceleratorClasses.map((accelerator) => ({
      name: accelerator.name,
      resourceName: accelerator.resourceName,
      nodeSelector: selectorOf(accelerator.nodeSelector),
      weight: fields.weight(`spec.acceleratorClasses[${accelerator.name}].weight`, accelerator.weight),
      powerWatts: accelerator.powerWatts,
    })),
    contributions: (spec.contributions ?? []).map((contribution) => ({
      quotaName: contribution.quotaName,
      nodeSelector: selectorOf(contribution.nodeSelector),
      retainedFraction: fields.fraction(
        `spec.contributions[${contribution.quotaName}].retainedFraction`,
        contribution.retainedFraction,
      ),
    })),
    topologyLevels: spec.topologyLevels ?? [],
    sites: (spec.sites ?? []).map((site) => ({
      name: site.name,
      nodeSelector: selectorOf(site.nodeSelector),
      // Kilowatts have three decimals, as quantities of GPUs do: their thousandths are watts.
      powerLimitWatts: fields.optionalGpus(`spec.sites[${site.name}].powerLimitKilowatts`, site.powerLimitKilowatts),
    })),
    isolate: spec.isolate,
    publicFloor: fields.fraction('spec.publicFloor', spec.publicFloor),
    placement: scheduling.placement,
    minRuntime: fields.duration('spec.scheduling.reclaim.minRuntime', scheduling.reclaim.minRuntime),
    notice: fields.duration('spec.scheduling.reclaim.notice', scheduling.reclaim.notice),
    backfill: scheduling.backfill,
    fairShare: {
      halfLife: fields.duration('spec.scheduling.fairShare.halfLife', scheduling.fairShare.halfLife),
      historyWeight: fields.fraction('spec.scheduling.fairShare.historyWeight', scheduling.fairShare.historyWeight),
      preemption: scheduling.fairShare.preemption,
    },
    timeZone: accounting.timeZone,
    borrowedChargeFactor: fields.fraction('spec.accounting.borrowedChargeFactor', accounting.borrowedChargeFactor),
    milestones: (spec.milestones ?? []).map(({ date, gpus }) => ({ date, gpus })),
  };
  return fields.resultFor(read);
}

/**
 * A quota's manifest as the core sees it.
 *
 * @param timeZone of its pool, in which bare dates are days; of a pool that can't be found, any zone will do
 */
export function quotaSpecOf(quota: ResearchQuota, timeZone: string): QuotaSpec | Unreadable {
  const { metadata, spec } = quota;
  const fields = new Fields();
  const { capacity, limits } = spec;
  const budget = budgetSpecOf(quota, timeZone);
  for (const problem of budget?.problems ?? []) fields.add(problem);
  const read: QuotaSpec = {
    ...identityOf(metadata),
    createdAt: createdAt(metadata),
    poolName: spec.poolName,
    parentName: spec.parentName,
    namespaceSelector: spec.namespaceSelector === undefined ? undefined : selectorOf(spec.namespaceSelector),
    tier: spec.tier,
    weight: fields.gpus('spec.weight', spec.weight),
    guaranteed: fields.gpus('spec.capacity.guaranteed', capacity.guaranteed),
    borrowingLimit: fields.optionalGpus('spec.capacity.borrowingLimit', capacity.borrowingLimit),
    lendingLimit: fields.optionalGpus('spec.capacity.lendingLimit', capacity.lendingLimit),
    perUserMax: fields.optionalGpus('spec.capacity.perUserMax', capacity.perUserMax),
    classes: (capacity.classes ?? []).map(({ name, guaranteed, max }) => ({ name, guaranteed, max })),
    maxWorkloadGpus: limits.maxWorkloadGpus,
    maxWalltime: fields.optionalDuration('spec.limits.maxWalltime', limits.maxWalltime),
    defaultWalltime: fields.optionalDuration('spec.limits.defaultWalltime', limits.defaultWalltime),
    budget: budget?.budget,
    suspend: spec.suspend,
  };
  return fields.resultFor(read);
}

/**
 * An investment's manifest as the core sees it, with the weights that its status keeps. An absent start or end of the
 * term is infinitely far away.
 *
 * @param timeZone of its pool, in which bare dates are days; of a pool that can't be found, any zone will do
 */
export function investmentSpecOf(
  { metadata, spec, status }: MatchingInvestment,
  timeZone: string,
): InvestmentSpec | Unreadable {
  const fields = new Fields();
  const { contribution, match, entitlement, term } = spec;
  const termStart = fields.instant('spec.term.start', term.start, timeZone);
  const termEnd = fields.periodEnd('spec.term.end', term.end, timeZone);
  if (termStart >= termEnd) {
    fields.add(`spec.term.end: must come after spec.term.start in the pool's time zone, ${timeZone}`);
  }
  const read: InvestmentSpec = {
    ...identityOf(metadata),
    createdAt: createdAt(metadata),
    poolName: spec.poolName,
    investorName: spec.investorName,
    kind: contribution.kind,
    promised: itemsOf(contribution.items),
    contributionSelector: contribution.nodeSelector === undefined ? undefined : selectorOf(contribution.nodeSelector),
    ratio: match?.ratio === undefined ? undefined : fields.fraction('spec.match.ratio', match.ratio),
    cap: fields.optionalGpus('spec.match.cap', match?.cap),
    matchPromised: itemsOf(match?.items),
    matchSelector: match?.nodeSelector === undefined ? undefined : selectorOf(match.nodeSelector),
    ownFraction: fields.fraction('spec.entitlement.ownFraction', entitlement.ownFraction),
    matchedFraction: fields.fraction('spec.entitlement.matchedFraction', entitlement.matchedFraction),
    termStart,
    termEnd,
    guaranteedAccessWithin: fields.duration('spec.reclaim.guaranteedAccessWithin', spec.reclaim.guaranteedAccessWithin),
    pinnedWeights: pinnedWeightsOf(status?.pinnedWeights),
  };
  return fields.resultFor(read);
}

/** A label selector of a manifest as the core's requirements. */
function selectorOf({ matchLabels = {}, matchExpressions = [] }: LabelSelector): Selector {
  return [
    ...Object.entries(matchLabels).map(([key, value]) => ({ key, operator: 'In' as const, values: [value] })),
    ...matchExpressions.map(({ key, operator, values = [] }) => ({ key, operator, values })),
  ];
}

function identityOf({ name, generation = 0 }: ObjectMeta) {
  return { name, generation };
}

function createdAt({ creationTimestamp }: ObjectMeta): number {
  return creationTimestamp === undefined ? 0 : Date.parse(creationTimestamp);
}

function itemsOf(
  items: readonly { readonly class: string; readonly gpus: number }[] | undefined,
): readonly InvestmentItem[] {
  return (items ?? []).map((item) => ({ className: item.class, gpus: item.gpus }));
}

/** An entry that Moa can't have written is dropped: the present weight counts for that class. */
function pinnedWeightsOf(
  pins: readonly { readonly class: string; readonly weight: string }[] | undefined,
): readonly PinnedWeight[] | undefined {
  return pins?.flatMap((pin) => {
    const weight = parseMilliGpus(pin.weight);
    return weight === undefined ? [] : [{ className: pin.class, weight }];
  });
}

/** Reads fields one after the other and notes what is wrong with which. */
class Fields {
  readonly #problems: string[] = [];

  add(problem: string): void {
    this.#problems.push(problem);
  }

  /** The spec, or what was wrong in it. */
  resultFor<T extends PoolSpec | QuotaSpec | InvestmentSpec>(spec: T): T | Unreadable {
    if (this.#problems.length === 0) return spec;
    return { name: spec.name, generation: spec.generation, problem: this.#problems.join('; ') };
  }

  gpus(field: string, value: string | number): MilliGpus {
    return this.#read(
      field,
      parseMilliGpus(value),
      zeroGpus,
      'write a number of 0 or more with at most three decimals',
    );
  }

  optionalGpus(field: string, value: string | number | undefined): MilliGpus | undefined {
    return value === undefined ? undefined : this.gpus(field, value);
  }

  weight(field: string, value: string | number): MilliGpus {
    const weight = this.gpus(field, value);
    if (weight > greatestWeight) this.add(`${field}: ${value} is too much, write at most ${greatestWeight / 1000}`);
    return weight;
  }

  fraction(field: string, value: string | number): Micro {
    return this.#read(field, parseMicro(value), micros(0), 'write a number of 0 or more with at most six decimals');
  }

  duration(field: string, value: string): number {
    return this.#read(field, parseDuration(value), 0, 'write a duration such as 15m or P3D');
  }

  optionalDuration(field: string, value: string | undefined): number | undefined {
    return value === undefined ? undefined : this.duration(field, value);
  }

  instant(field: string, value: string | undefined, timeZone: string): number {
    if (value === undefined) return -Infinity;
    return this.#read(field, parseInstant(value, timeZone), -Infinity, `no such moment: ${value}`);
  }

  periodEnd(field: string, value: string | undefined, timeZone: string): number {
    if (value === undefined) return Infinity;
    return this.#read(field, parsePeriodEnd(value, timeZone), Infinity, `no such moment: ${value}`);
  }

  timeZone(field: string, value: string): void {
    if (parseInstant('2000-01-01', value) !== undefined) return;
    this.add(`${field}: there is no time zone ${value}, write an IANA name such as Asia/Seoul`);
  }

  #read<T>(field: string, parsed: T | undefined, fallback: T, advice: string): T {
    if (parsed !== undefined) return parsed;
    this.add(`${field}: ${advice}`);
    return fallback;
  }
}
