import type { Kind } from '../../src/api/v1alpha1/index.ts';
import { badInvestments } from './badInvestments.ts';
import { badPools } from './badPools.ts';
import type { BadRow } from './badRow.ts';
import { badChangeRows, badQuotas } from './badQuotas.ts';

/** One mistake in an otherwise good manifest, and what the API server answers to it. */
export interface BadInput {
  /** The mistake, in a few words. */
  readonly mistake: string;
  readonly kind: Kind;
  /** The field that is wrong, and what is written there; undefined = the field is left out. */
  readonly field: string;
  readonly value: unknown;
  /** The answer, whole: the field and what is wrong with it. The test gets it from a real API server. */
  readonly answer: string;
}

function of(kind: Kind, rows: readonly BadRow[]): readonly BadInput[] {
  return rows.map(([mistake, field, value, answer]) => ({ mistake, kind, field, value, answer }));
}

/** Mistakes that people make, each alone in a manifest that is otherwise good. */
export const badInput: readonly BadInput[] = [
  ...of('GpuPool', badPools),
  ...of('ResearchQuota', badQuotas),
  ...of('MatchingInvestment', badInvestments),
];

/** Mistakes in changing a stored ResearchQuota that has one adjustment. */
export const badChanges: readonly BadInput[] = of('ResearchQuota', badChangeRows);
