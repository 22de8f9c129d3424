import { nodeLabels, policyOf, sharesOf, type Sharing } from './pooling.ts';
import { plainNodes } from './jobPods.ts';
import { replay, type Replayed, type ReplayInput } from './replay.ts';
import { summaryOf, type Summary } from './summary.ts';
import type { TraceJob } from './traces/index.ts';
import { parseWalltimes } from './walltimes.ts';

export interface ComparisonInput extends Partial<Pick<ReplayInput, 'walltimes' | 'checkpoint'>> {
  readonly jobs: readonly TraceJob[];
  readonly nodes: number;
}

/** One way to share the pool, and in what it differs from the one before it. */
export interface Variant {
  readonly name: string;
  readonly differs: string;
  readonly sharing: Sharing;
}

const fenced: Sharing = { lending: false, reclaim: false, history: false, backfill: false, fairness: false };
const lent: Sharing = { ...fenced, lending: true };

/** One thing is added at a time. */
export const variants = [
  { name: 'fenced', differs: 'every institution has its own cluster, of its share of the nodes', sharing: fenced },
  {
    name: 'fenced + backfill',
    differs: 'in each of them the first jobs that cannot start are promised a time that nothing delays',
    sharing: { ...fenced, backfill: true },
  },
  {
    name: 'pooled',
    differs: 'one pool without backfill: what is idle is lent, and comes back when the borrower ends',
    sharing: lent,
  },
  {
    name: '+ reclaim',
    differs: 'its owner takes it back: borrowers safe for 15m are evicted with 2m of notice',
    sharing: { ...lent, reclaim: true },
  },
  {
    name: '+ history',
    differs: 'who borrowed much in the past borrows later',
    sharing: { ...lent, reclaim: true, history: true },
  },
  {
    name: '+ backfill',
    differs: 'the first jobs that cannot start are promised a time that nothing delays: the defaults of Moa',
    sharing: { ...lent, reclaim: true, history: true, backfill: true },
  },
  {
    name: '+ fairness',
    differs: 'borrowers are evicted for borrowers that have less',
    sharing: { lending: true, reclaim: true, history: true, backfill: true, fairness: true },
  },
] as const satisfies readonly Variant[];

/** The jobs on the nodes, shared so. Each institution's share follows the GPU-hours that it asks for. */
export function replayShared(input: ComparisonInput, sharing: Sharing): Replayed {
  const shares = sharesOf(input.jobs, input.nodes);
  return replay({
    policy: policyOf(shares, sharing),
    nodes: plainNodes(input.nodes, nodeLabels),
    jobs: input.jobs,
    shares,
    walltimes: input.walltimes ?? parseWalltimes('x2'),
    checkpoint: input.checkpoint,
  });
}

/** The same jobs twice: every institution fenced in, and pooled with the defaults of Moa; backfill in both. */
export function comparePooling(input: ComparisonInput): { readonly fenced: Summary; readonly pooled: Summary } {
  const [, alone, , , , together] = variants;
  return {
    fenced: summaryOf(replayShared(input, alone.sharing)),
    pooled: summaryOf(replayShared(input, together.sharing)),
  };
}
