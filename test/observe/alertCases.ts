/** A series of a metric over time, one value a minute, in promtool's notation: `0+60x10`, `1x5 stale`. */
type SeriesOverTime = Readonly<Record<string, string>>;

/** Something that an alert must notice. */
export interface Firing {
  readonly when: string;
  readonly series: SeriesOverTime;
  /** When to look: `20m`. */
  readonly at: string;
  /** Labels of the alert besides its name and severity. */
  readonly labels?: Readonly<Record<string, string>>;
  /** `$value` as the texts show it. */
  readonly value?: string;
}

/** Something that it must leave alone. */
export interface Quiet {
  readonly when: string;
  readonly series: SeriesOverTime;
  readonly at: readonly string[];
}

interface Cases {
  readonly fires: readonly Firing[];
  readonly quiet: readonly Quiet[];
}

const a = 'job="moa", instance="a"';
const b = 'job="moa", instance="b"';
const budget = (kind: string): string => `moa_quota_budget_normalized_gpu_hours{${a}, quota="kaist", kind="${kind}"}`;
const requests = (code: string): string =>
  `moa_api_requests_total{${a}, verb="PATCH", resource="pods/status", code="${code}"}`;
const planBucket = (le: string): string =>
  `moa_scheduling_cycle_duration_seconds_bucket{${a}, phase="plan", le="${le}"}`;
const reconciled = (result: string): string =>
  `moa_reconcile_total{${a}, controller="status-GpuPool", result="${result}"}`;

/** For every alert what makes it fire and what does not. */
export const alertCases: Readonly<Record<string, Cases>> = {
  MoaNoLeader: {
    fires: [
      {
        when: 'two replicas run and neither holds the lease',
        series: { [`moa_leader{${a}}`]: '0x10', [`moa_leader{${b}}`]: '0x10' },
        at: '5m',
      },
      { when: 'no replica is found at all', series: { 'up{job="other"}': '1x10' }, at: '5m' },
    ],
    quiet: [
      {
        when: 'a follower takes over within a minute',
        series: { [`moa_leader{${a}}`]: '1x3 stale', [`moa_leader{${b}}`]: '0x5 1x10' },
        at: ['4m', '5m', '6m', '10m'],
      },
    ],
  },
  MoaTwoLeaders: {
    fires: [
      {
        when: 'two replicas act for minutes',
        series: { [`moa_leader{${a}}`]: '1x10', [`moa_leader{${b}}`]: '1x10' },
        at: '5m',
        value: '2',
      },
    ],
    quiet: [
      {
        when: 'a dead leader is counted until its next scrape fails',
        series: { [`moa_leader{${a}}`]: '1x5 stale', [`moa_leader{${b}}`]: '0x4 1x10' },
        at: ['5m', '6m', '7m', '10m'],
      },
    ],
  },
  MoaWatchStale: {
    fires: [
      {
        when: 'a watch has fallen silent though objects are known',
        series: {
          [`moa_store_objects{${a}, resource="pods"}`]: '5x40',
          [`moa_watch_events_total{${a}, resource="pods", type="present"}`]: '0+10x10 100x30',
          [`moa_store_objects{${a}, resource="nodes"}`]: '5x40',
          [`moa_watch_events_total{${a}, resource="nodes", type="bookmark"}`]: '0+1x40',
        },
        at: '30m',
        labels: { job: 'moa', instance: 'a', resource: 'pods' },
      },
      {
        when: 'nothing was ever heard on a watch',
        series: { [`moa_store_objects{${a}, resource="pods"}`]: '0x40' },
        at: '6m',
        labels: { job: 'moa', instance: 'a', resource: 'pods' },
      },
    ],
    quiet: [
      {
        when: 'nothing changes and a bookmark comes every other minute',
        series: {
          [`moa_store_objects{${a}, resource="gpupools"}`]: '1x40',
          [`moa_watch_events_total{${a}, resource="gpupools", type="present"}`]: '1x40',
          [`moa_watch_events_total{${a}, resource="gpupools", type="bookmark"}`]:
            '0 0 1 1 2 2 3 3 4 4 5 5 6 6 7 7 8 8 9 9 10 10',
        },
        at: ['10m', '15m', '20m'],
      },
      {
        when: 'a replica has just started',
        series: { [`moa_store_objects{${a}, resource="pods"}`]: '_x28 5x10' },
        at: ['30m'],
      },
    ],
  },
  MoaApiErrors: {
    fires: [
      {
        when: 'half of the requests get no good answer',
        series: { [requests('200')]: '0+60x30', [requests('503')]: '0+30x30', [requests('Timeout')]: '0+30x30' },
        at: '20m',
        value: '50%',
      },
    ],
    quiet: [
      {
        when: 'objects change and go away meanwhile',
        series: { [requests('200')]: '0+60x30', [requests('409')]: '0+60x30', [requests('404')]: '0+60x30' },
        at: ['20m'],
      },
      {
        when: 'one request in twenty fails',
        series: { [requests('200')]: '0+57x30', [requests('500')]: '0+3x30' },
        at: ['20m'],
      },
    ],
  },
  MoaApiForbidden: {
    fires: [
      {
        when: 'a verb is refused again and again',
        series: { [requests('403')]: '0+1x40' },
        at: '25m',
        labels: { verb: 'PATCH', resource: 'pods/status' },
      },
    ],
    quiet: [{ when: 'objects are not found', series: { [requests('404')]: '0+1x40' }, at: ['25m'] }],
  },
  MoaObjectsUnreadable: {
    fires: [
      {
        when: 'an object could not be read',
        series: { [`moa_store_rejected_objects_total{${a}, resource="nodes"}`]: '0x5 1x20' },
        at: '10m',
        labels: { resource: 'nodes' },
      },
    ],
    quiet: [
      {
        when: 'that was long ago',
        series: { [`moa_store_rejected_objects_total{${a}, resource="nodes"}`]: '0x5 1x60' },
        at: ['45m'],
      },
    ],
  },
  MoaSchedulingStalled: {
    fires: [
      {
        when: 'the leader finishes no cycle any more',
        series: {
          [`moa_leader{${a}}`]: '1x30',
          [`moa_scheduling_cycles_total{${a}, result="whole"}`]: '0+60x5 300x25',
        },
        at: '18m',
        labels: { job: 'moa', instance: 'a' },
      },
      {
        when: 'every cycle waits for bindings that do not end',
        series: {
          [`moa_leader{${a}}`]: '1x30',
          [`moa_scheduling_cycles_total{${a}, result="skipped"}`]: '0+60x30',
        },
        at: '18m',
        labels: { job: 'moa', instance: 'a' },
      },
    ],
    quiet: [
      {
        when: 'a long backlog is planned in parts',
        series: {
          [`moa_leader{${a}}`]: '1x30',
          [`moa_scheduling_cycles_total{${a}, result="whole"}`]: '5x30',
          [`moa_scheduling_cycles_total{${a}, result="partial"}`]: '0+60x30',
        },
        at: ['18m'],
      },
      {
        when: 'a follower waits for its turn',
        series: { [`moa_leader{${a}}`]: '0x30', [`moa_scheduling_cycles_total{${a}, result="whole"}`]: '0x30' },
        at: ['18m'],
      },
    ],
  },
  MoaSchedulingFails: {
    fires: [
      {
        when: 'a cycle a minute fails',
        series: { [`moa_scheduling_cycles_total{${a}, result="failed"}`]: '0+1x30' },
        at: '20m',
        value: '10',
      },
    ],
    quiet: [
      {
        when: 'one failed long ago',
        series: { [`moa_scheduling_cycles_total{${a}, result="failed"}`]: '0x5 1x40' },
        at: ['30m'],
      },
    ],
  },
  MoaSchedulingSlow: {
    fires: [
      {
        when: 'most plans take between five and ten seconds',
        series: {
          [planBucket('5')]: '0+10x30',
          [planBucket('10')]: '0+100x30',
          [planBucket('+Inf')]: '0+100x30',
        },
        at: '25m',
        value: '9.944s',
      },
    ],
    quiet: [
      {
        when: 'plans take up to five seconds',
        series: { [planBucket('5')]: '0+100x30', [planBucket('10')]: '0+100x30', [planBucket('+Inf')]: '0+100x30' },
        at: ['25m'],
      },
    ],
  },
  MoaBindFailures: {
    fires: [
      {
        when: 'half of the bindings fail',
        series: {
          [`moa_bind_failures_total{${a}, code="ServiceUnavailable"}`]: '0+60x30',
          [`moa_pods_bound_total{${a}, pool="national"}`]: '0+60x30',
        },
        at: '20m',
        value: '1',
      },
      {
        when: 'all bindings fail and none ever succeeded',
        series: { [`moa_bind_failures_total{${a}, code="Timeout"}`]: '0+60x30' },
        at: '20m',
        value: '1',
      },
    ],
    quiet: [
      {
        when: 'pods change before they are bound',
        series: { [`moa_bind_failures_total{${a}, code="Conflict"}`]: '0+60x30' },
        at: ['20m'],
      },
      {
        when: 'one pod is refused every ten seconds',
        series: { [`moa_bind_failures_total{${a}, code="Forbidden"}`]: '0+6x30' },
        at: ['20m'],
      },
      {
        when: 'one binding in a hundred fails',
        series: {
          [`moa_bind_failures_total{${a}, code="Timeout"}`]: '0+60x30',
          [`moa_pods_bound_total{${a}, pool="national"}`]: '0+6000x30',
        },
        at: ['20m'],
      },
    ],
  },
  MoaEvictionFailures: {
    fires: [
      {
        when: 'evictions are refused',
        series: { [`moa_eviction_failures_total{${a}, code="Forbidden"}`]: '0+30x30' },
        at: '20m',
        labels: { code: 'Forbidden' },
        value: '500m',
      },
    ],
    quiet: [
      {
        when: 'a write has to be repeated now and then',
        series: { [`moa_eviction_failures_total{${a}, code="Timeout"}`]: '0+3x30' },
        at: ['20m'],
      },
    ],
  },
  MoaStatusNotWritten: {
    fires: [
      {
        when: 'two of three reconciliations fail',
        series: { [reconciled('failed')]: '0+10x40', [reconciled('succeeded')]: '0+5x40' },
        at: '30m',
        labels: { controller: 'status-GpuPool' },
      },
    ],
    quiet: [
      {
        when: 'a few fail',
        series: { [reconciled('failed')]: '0+1x40', [reconciled('succeeded')]: '0+5x40' },
        at: ['30m'],
      },
    ],
  },
  MoaAccessPromiseAtRisk: {
    fires: [
      {
        when: 'a wait has reached four fifths of the promise',
        series: {
          [`moa_investment_longest_access_wait_seconds{${a}, investment="company-a"}`]: '0+60x90',
          [`moa_investment_promised_access_seconds{${a}, investment="company-a"}`]: '3600x90',
        },
        at: '50m',
        labels: { investment: 'company-a' },
        value: '50m 0s',
      },
    ],
    quiet: [
      {
        when: 'there is time, or it is too late',
        series: {
          [`moa_investment_longest_access_wait_seconds{${a}, investment="company-a"}`]: '0+60x90',
          [`moa_investment_promised_access_seconds{${a}, investment="company-a"}`]: '3600x90',
        },
        at: ['40m', '61m'],
      },
      {
        when: 'nothing was promised',
        series: { [`moa_investment_longest_access_wait_seconds{${a}, investment="company-a"}`]: '0+60x90' },
        at: ['50m', '80m'],
      },
    ],
  },
  MoaAccessPromiseBroken: {
    fires: [
      {
        when: 'somebody waits longer than was promised',
        series: {
          [`moa_investment_longest_access_wait_seconds{${a}, investment="company-a"}`]: '0+60x300',
          [`moa_investment_promised_access_seconds{${a}, investment="company-a"}`]: '3600x300',
          [`moa_investment_access_breaches{${a}, investment="company-a"}`]: '0x60 1x200',
        },
        at: '200m',
        labels: { investment: 'company-a' },
      },
      {
        when: 'somebody did within the last hour',
        series: { [`moa_investment_access_breaches{${a}, investment="company-a"}`]: '1x30 2x200' },
        at: '60m',
        labels: { investment: 'company-a' },
      },
    ],
    quiet: [
      {
        when: 'the last breach was hours ago',
        series: { [`moa_investment_access_breaches{${a}, investment="company-a"}`]: '1x30 2x200' },
        at: ['20m', '120m'],
      },
      {
        when: 'another replica takes over and tells of the same breaches',
        series: {
          [`moa_investment_access_breaches{${a}, investment="company-a"}`]: '2x30 stale',
          [`moa_investment_access_breaches{${b}, investment="company-a"}`]: '_x31 2x100',
        },
        at: ['32m', '60m'],
      },
      {
        when: 'an old breach does not count any more',
        series: { [`moa_investment_access_breaches{${a}, investment="company-a"}`]: '2x30 1x100' },
        at: ['32m', '60m'],
      },
    ],
  },
  MoaGuaranteeUnserved: {
    fires: [
      {
        when: 'somebody within a guarantee waits three times as long as taking back should take',
        series: {
          [`moa_unserved_guarantee_seconds{${a}, pool="national"}`]: '0+60x90',
          [`moa_reclaim_bound_seconds{${a}, pool="national"}`]: '1020x90',
        },
        at: '51m',
        labels: { pool: 'national' },
        value: '51m 0s',
      },
    ],
    quiet: [
      {
        when: 'taking back takes its time',
        series: {
          [`moa_unserved_guarantee_seconds{${a}, pool="national"}`]: '0+60x40 0x20',
          [`moa_reclaim_bound_seconds{${a}, pool="national"}`]: '1020x90',
        },
        at: ['30m', '40m', '50m'],
      },
    ],
  },
  MoaPoolOvercommitted: {
    fires: [
      {
        when: 'the condition has been True for a while',
        series: { [`moa_pool_condition{${a}, pool="national", condition="Overcommitted"}`]: '1x30' },
        at: '16m',
        labels: { pool: 'national' },
      },
    ],
    quiet: [
      {
        when: 'nodes come back within minutes',
        series: { [`moa_pool_condition{${a}, pool="national", condition="Overcommitted"}`]: '1x10 0x20' },
        at: ['9m', '16m'],
      },
      {
        when: 'only power is short',
        series: { [`moa_pool_condition{${a}, pool="national", condition="PowerLimited"}`]: '1x30' },
        at: ['20m'],
      },
    ],
  },
  MoaPoolCapacityLost: {
    fires: [
      {
        when: 'a fifth of the capacity is not ready',
        series: {
          [`moa_pool_normalized_gpus{${a}, pool="national", kind="all"}`]: '100x30',
          [`moa_pool_normalized_gpus{${a}, pool="national", kind="ready"}`]: '80x30',
        },
        at: '20m',
        labels: { pool: 'national' },
        value: '20%',
      },
    ],
    quiet: [
      {
        when: 'a twentieth is not, or the pool has no nodes yet',
        series: {
          [`moa_pool_normalized_gpus{${a}, pool="national", kind="all"}`]: '100x30',
          [`moa_pool_normalized_gpus{${a}, pool="national", kind="ready"}`]: '95x30',
          [`moa_pool_normalized_gpus{${a}, pool="new", kind="all"}`]: '0x30',
          [`moa_pool_normalized_gpus{${a}, pool="new", kind="ready"}`]: '0x30',
        },
        at: ['20m'],
      },
    ],
  },
  MoaResourceNotReady: {
    fires: [
      {
        when: 'two quotas have been out of force for half an hour',
        series: {
          [`moa_unready_resources{${a}, kind="ResearchQuota"}`]: '2x60',
          [`moa_unready_resources{${a}, kind="GpuPool"}`]: '0x60',
        },
        at: '31m',
        labels: { kind: 'ResearchQuota' },
        value: '2',
      },
    ],
    quiet: [
      {
        when: 'a pool is applied after its quotas',
        series: { [`moa_unready_resources{${a}, kind="ResearchQuota"}`]: '2x5 0x60' },
        at: ['5m', '31m'],
      },
    ],
  },
  MoaLedgerBehind: {
    fires: [
      {
        when: 'the store has taken nothing for half an hour',
        series: { [`moa_ledger_lag_seconds{${a}}`]: '0+60x60' },
        at: '30m',
        value: '30m 0s',
      },
    ],
    quiet: [
      {
        when: 'the database is restarted',
        series: { [`moa_ledger_lag_seconds{${a}}`]: '0+60x10 0x30' },
        at: ['10m', '20m', '30m'],
      },
    ],
  },
  MoaBudgetNearlyUsed: {
    fires: [
      {
        when: 'nineteen twentieths are used',
        series: { [budget('granted')]: '80x30', [budget('carried_over')]: '20x30', [budget('used')]: '95x30' },
        at: '20m',
        labels: { quota: 'kaist' },
        value: '95%',
      },
    ],
    quiet: [
      {
        when: 'a part is only reserved',
        series: {
          [budget('granted')]: '80x30',
          [budget('carried_over')]: '20x30',
          [budget('used')]: '80x30',
          [budget('reserved')]: '20x30',
        },
        at: ['20m'],
      },
      {
        when: 'all of it is used, which is another alert',
        series: { [budget('granted')]: '80x30', [budget('carried_over')]: '0x30', [budget('used')]: '80x30' },
        at: ['20m'],
      },
    ],
  },
  MoaBudgetUsedUp: {
    fires: [
      {
        when: 'the grace is being used',
        series: { [budget('granted')]: '80x30', [budget('carried_over')]: '20x30', [budget('used')]: '110x30' },
        at: '20m',
        labels: { quota: 'kaist' },
        value: '110%',
      },
    ],
    quiet: [
      {
        when: 'something is left',
        series: { [budget('granted')]: '80x30', [budget('carried_over')]: '20x30', [budget('used')]: '99x30' },
        at: ['20m'],
      },
    ],
  },
  MoaHeapNearLimit: {
    fires: [
      {
        when: 'garbage collection frees hardly anything',
        series: {
          [`nodejs_heap_size_used_bytes{${a}}`]: '95 99 95 99 95 99 95 99 95 99 95 99 95 99 95 99 95 99 95 99',
          [`moa_heap_limit_bytes{${a}}`]: '100x20',
        },
        at: '16m',
        labels: { job: 'moa', instance: 'a' },
        value: '95%',
      },
    ],
    quiet: [
      {
        when: 'it frees half of the heap now and then',
        series: {
          [`nodejs_heap_size_used_bytes{${a}}`]: '95 99 95 99 45 99 95 99 95 99 45 99 95 99 95 99 95 45 95 99',
          [`moa_heap_limit_bytes{${a}}`]: '100x20',
        },
        at: ['16m', '19m'],
      },
      {
        when: 'it is the heap of another program',
        series: {
          'nodejs_heap_size_used_bytes{job="web", instance="c"}': '99x20',
          [`moa_heap_limit_bytes{${a}}`]: '100x20',
        },
        at: ['19m'],
      },
    ],
  },
  MoaEventLoopBlocked: {
    fires: [
      {
        when: 'everything stands still for three seconds, again and again',
        series: { [`nodejs_eventloop_lag_max_seconds{${a}}`]: '3x20', [`moa_leader{${a}}`]: '1x20' },
        at: '15m',
        labels: { job: 'moa', instance: 'a' },
        value: '3s',
      },
    ],
    quiet: [
      {
        when: 'it did once, at the start',
        series: { [`nodejs_eventloop_lag_max_seconds{${a}}`]: '3 0.1x20', [`moa_leader{${a}}`]: '1x20' },
        at: ['5m', '15m'],
      },
      {
        when: 'another program does',
        series: {
          'nodejs_eventloop_lag_max_seconds{job="web", instance="c"}': '3x20',
          [`moa_leader{${a}}`]: '1x20',
        },
        at: ['15m'],
      },
    ],
  },
};
