import type { MetricDefinition } from './metricDefinition.ts';

/** How far the ledger has come. Set by the replica that leads. */
export const ledgerMetrics = {
  ledgerEntries: {
    kind: 'counter',
    name: 'moa_ledger_entries_total',
    help: 'Entries that the store of the ledger has taken.',
    labels: {},
  },
  ledgerLag: {
    kind: 'gauge',
    name: 'moa_ledger_lag_seconds',
    help: 'Age of the oldest entry that the store of the ledger has not taken yet; 0 when it has all.',
    note: 'What it has not taken is kept in the journal, see `--ledger-journal`.',
    labels: {},
  },
  ledgerLagBytes: {
    kind: 'gauge',
    name: 'moa_ledger_lag_bytes',
    help: 'Size of what the store of the ledger has not taken yet.',
    labels: {},
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
