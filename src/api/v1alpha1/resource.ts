import { z } from 'zod';
import { apiVersion, type Kind } from './constants/index.ts';
import { withRules, type Rule, type TransitionRule } from './rule.ts';
import { boundedText, maxNameLength } from './texts.ts';

/** Metadata of a resource of Moa, as far as Moa reads it. */
export interface ObjectMeta {
  readonly name: string;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly generation?: number | undefined;
  readonly creationTimestamp?: string | undefined;
  readonly deletionTimestamp?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** A resource as the API server gives it: defaults filled in, unknown fields gone. */
export interface Resource<K extends Kind, Spec, Status> {
  readonly apiVersion: typeof apiVersion;
  readonly kind: K;
  readonly metadata: ObjectMeta;
  readonly spec: Spec;
  /** Absent until the operator has seen the resource. */
  readonly status?: Status | undefined;
}

/** A column of `kubectl get`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  /** 1 = shown with `-o wide` only. */
  readonly priority?: 1;
}

/** What the rules of a whole resource see. */
export interface Rooted<Spec> {
  readonly metadata: { readonly name: string };
  readonly spec: Spec;
}

/** A custom resource: the one source of its CustomResourceDefinition, its types and its reference page. */
export interface Definition<
  K extends Kind = Kind,
  Spec extends z.ZodObject = z.ZodObject,
  Status extends z.ZodObject = z.ZodObject,
> {
  readonly kind: K;
  /** What the resource is for; the first sentence is shown by `kubectl explain`. */
  readonly description: string;
  readonly spec: Spec;
  readonly status: Status;
  /** Metadata, spec and the rules across them. Does not look at the status. */
  readonly root: z.ZodType<Rooted<z.output<Spec>>>;
  readonly transitions: readonly TransitionRule<Rooted<z.output<Spec>>>[];
  readonly columns: readonly PrinterColumn[];
}

/** Completes a definition with what all three resources share. */
export function define<K extends Kind, Spec extends z.ZodObject, Status extends z.ZodObject>(
  parts: Omit<Definition<K, Spec, Status>, 'root' | 'transitions'> & {
    readonly rules?: readonly Rule<Rooted<z.output<Spec>>>[];
    readonly transitions?: readonly TransitionRule<Rooted<z.output<Spec>>>[];
  },
): Definition<K, Spec, Status> {
  const { rules = [], transitions = [], ...rest } = parts;
  const root = z.object({
    apiVersion: z.literal(apiVersion),
    kind: z.literal(parts.kind),
    metadata: z.looseObject({
      name: boundedText(maxNameLength).describe('The name is the value of node labels as well, hence the bound.'),
    }),
    spec: parts.spec,
  }) as unknown as z.ZodType<Rooted<z.output<Spec>>>;
  return { ...rest, transitions, root: withRules(root, ...rules) };
}
