import type { z } from 'zod';
import { apiVersion, type Kind } from './constants/index.ts';
import { gpuPool, type GpuPool } from './gpuPool.ts';
import { matchingInvestment, type MatchingInvestment } from './matchingInvestment.ts';
import { researchQuota, type ResearchQuota } from './researchQuota.ts';
import type { Definition, ObjectMeta } from './resource.ts';

/** The three resources by kind. */
export const definitions = {
  GpuPool: gpuPool,
  ResearchQuota: researchQuota,
  MatchingInvestment: matchingInvestment,
} as const;

/** The resource of a kind. */
export interface ResourceByKind {
  readonly GpuPool: GpuPool;
  readonly ResearchQuota: ResearchQuota;
  readonly MatchingInvestment: MatchingInvestment;
}

/** One thing that is wrong in a manifest. */
export interface Problem {
  /** The field as the API server names it: `spec.budget.adjustments[0].end`. */
  readonly path: string;
  /** What to write instead. */
  readonly message: string;
}

/** A manifest after reading: the resource with its defaults, or everything that is wrong in it. */
export type Parsed<T> =
  { readonly ok: true; readonly resource: T } | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Reads a manifest, or an object from the API server, as the API server reads it: nulls and unknown fields are dropped,
 * defaults are filled in, and what the CustomResourceDefinition refuses is refused. A status that does not fit its
 * schema is left out, since whoever reads it can write it again.
 */
export function parseResource<K extends Kind>(kind: K, raw: unknown): Parsed<ResourceByKind[K]> {
  const definition: Definition = definitions[kind];
  const plain = withoutNulls(raw);
  const parsed = definition.root.safeParse(plain);
  if (!parsed.success) return { ok: false, problems: parsed.error.issues.map(problemOf) };
  const status = definition.status.safeParse((plain as { readonly status?: unknown }).status);
  const resource = {
    apiVersion,
    kind,
    metadata: parsed.data.metadata as ObjectMeta,
    spec: parsed.data.spec,
    ...(status.success ? { status: status.data } : {}),
  };
  // The definition of the kind made the shape; the compiler cannot follow the look-up by kind.
  return { ok: true, resource: resource as unknown as ResourceByKind[K] };
}

/** What is wrong in changing one valid resource into another, by the rules that look at both. */
export function changeProblems<K extends Kind>(
  kind: K,
  before: ResourceByKind[K],
  after: ResourceByKind[K],
): readonly Problem[] {
  const definition: Definition = definitions[kind];
  return definition.transitions
    .filter((rule) => !rule.holds(after, before))
    .map((rule) => ({ path: rule.at, message: rule.message }));
}

function problemOf(issue: z.core.$ZodIssue): Problem {
  return { path: issue.path.reduce<string>((path, step) => path + stepText(step, path), ''), message: issue.message };
}

/** One step of a path: an index, a key of a map that is no plain name, or a field. */
function stepText(step: PropertyKey, path: string): string {
  if (typeof step === 'number' || !/^\w+$/.test(String(step))) return `[${String(step)}]`;
  return path === '' ? String(step) : `.${String(step)}`;
}

/** The API server drops nulls from objects, not from lists, before it fills in defaults. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== null)
      .map(([key, each]) => [key, withoutNulls(each)]),
  );
}
