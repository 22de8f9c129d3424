import type { z } from 'zod';

/**
 * A rule on a value that has two readers: the API server evaluates `cel`, everything in this process evaluates `holds`.
 * They stand side by side so that they are read and changed together; test/api proves on generated resources that they
 * agree.
 */
export interface Rule<T> {
  /** CEL over `self`, within the cost budget of the API server: every list and string it walks needs a bound. */
  readonly cel: string;
  /** The same rule. Values below `self` may break rules of their own: it must not throw on them. */
  readonly holds: (self: T) => boolean;
  /** What to write instead. The reader sees the path of the field in front of it. */
  readonly message: string;
  /** Field below `self` that the message is about; absent = `self`. */
  readonly at?: string;
}

/** A rule on a change of a whole resource, evaluated on updates only. */
export interface TransitionRule<T> {
  /** CEL over `self` and `oldSelf`. */
  readonly cel: string;
  readonly holds: (self: T, oldSelf: T) => boolean;
  readonly message: string;
  /** Path from the root of the resource, such as `spec.budget.adjustments`. */
  readonly at: string;
}

/** OpenAPI extension that carries CEL. */
export const validationsKey = 'x-kubernetes-validations';

/** The schema with rules added to those that it has. */
export function withRules<S extends z.ZodType>(schema: S, ...rules: readonly Rule<z.output<S>>[]): S {
  const earlier = (schema.meta()?.[validationsKey] ?? []) as readonly object[];
  return schema
    .superRefine((value, context) => {
      for (const rule of rules) {
        if (rule.holds(value)) continue;
        const path = rule.at === undefined ? [] : rule.at.split('.');
        context.addIssue({ code: 'custom', message: rule.message, path, input: value });
      }
    })
    .meta({ [validationsKey]: [...earlier, ...rules.map(celOf)] });
}

/** A rule as an entry of `x-kubernetes-validations`. */
export function celOf(rule: { cel: string; message: string; at?: string }): object {
  return {
    rule: rule.cel,
    message: rule.message,
    ...(rule.at === undefined ? {} : { fieldPath: `.${rule.at}` }),
  };
}

/**
 * The rule that a text matches every pattern. The patterns must be such that Go's RE2 reads them the same way: ASCII, no
 * look-around, no back-references.
 */
export function form(message: string, ...patterns: readonly RegExp[]): Rule<string> {
  return {
    cel: formCel('self', patterns),
    holds: (self) => patterns.every((pattern) => pattern.test(self)),
    message,
  };
}

/** CEL that tests a text expression against every pattern. */
export function formCel(expression: string, patterns: readonly RegExp[]): string {
  return patterns.map((pattern) => `${expression}.matches(r'${pattern.source.replaceAll('\\/', '/')}')`).join(' && ');
}
