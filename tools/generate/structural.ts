import { validationsKey } from '../../src/api/v1alpha1/index.ts';

/** A node of a structural schema: what the API server takes in `openAPIV3Schema`. */
export type Structural = { readonly [key: string]: unknown } & {
  readonly description?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Structural>>;
  readonly items?: Structural;
  readonly additionalProperties?: Structural;
  readonly required?: readonly string[];
  readonly default?: string | number | boolean | object;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxLength?: number;
  readonly maxProperties?: number;
};

type Json = Readonly<Record<string, unknown>>;

/** Bounds that zod writes for `z.int()` and that mean nothing. */
const unbounded: Readonly<Record<string, number>> = {
  minimum: Number.MIN_SAFE_INTEGER,
  maximum: Number.MAX_SAFE_INTEGER,
};

const intOrString = 'x-kubernetes-int-or-string';

/** Keywords that may stand in a schema of each type, in the order in which they are written. */
const keywords: Readonly<Record<string, readonly string[]>> = {
  object: ['required', 'maxProperties', 'x-kubernetes-map-type'],
  array: ['minItems', 'maxItems', 'x-kubernetes-list-type', 'x-kubernetes-list-map-keys'],
  string: ['format', 'maxLength', 'enum'],
  integer: ['format', 'minimum', 'maximum'],
  boolean: [],
  [intOrString]: [intOrString, 'maxLength'],
};

/** Keywords that hold further schemas: written last, so that what a field is stands above what is in it. */
const nested = ['properties', 'additionalProperties', 'items'];

/**
 * Turns the JSON schema that zod makes of one field into a structural schema. Strict: whatever it does not know, and
 * every string, list or map without a bound (the cost budget of CEL needs them), is an Error that names the path.
 */
export function structural(schema: unknown, path: string): Structural {
  const left = new Map(Object.entries(schema as Json));
  const kind = left.get(intOrString) === true ? intOrString : typeOf(left, path);
  const out: Record<string, unknown> = {};
  if (kind === intOrString) dropUnion(left, path);
  if (kind === 'integer') left.set('format', 'int64');
  for (const keyword of ['description', 'type', ...(keywords[kind] ?? []), 'default', ...nested, validationsKey]) {
    const value = left.get(keyword);
    if (!left.delete(keyword) || value === unbounded[keyword]) continue;
    out[keyword] = inner(keyword, value, path);
  }
  const [stray] = left.keys();
  if (stray !== undefined) throw new Error(`${path}: ${stray} has no place in a structural schema of ${kind}`);
  demandBounds(kind, out, path);
  return out;
}

function typeOf(schema: ReadonlyMap<string, unknown>, path: string): string {
  const type = schema.get('type');
  if (typeof type === 'string' && type in keywords) return type;
  throw new Error(`${path}: ${JSON.stringify(type)} is no type of a structural schema`);
}

function inner(keyword: string, value: unknown, path: string): unknown {
  if (keyword === 'items') return structural(value, `${path}[]`);
  if (keyword === 'additionalProperties') return structural(value, `${path}.*`);
  if (keyword !== 'properties') return value;
  const properties = Object.entries(value as Json).map(([name, each]) => {
    const property = structural(each, `${path}.${name}`);
    if (property.description === undefined) throw new Error(`${path}.${name}: has no description`);
    return [name, property];
  });
  return Object.fromEntries(properties) as Json;
}

/** `anyOf` may hold no types in a structural schema; the extension says the same. */
function dropUnion(schema: Map<string, unknown>, path: string): void {
  const union = JSON.stringify(schema.get('anyOf'));
  const expected = JSON.stringify([{ type: 'integer', ...unbounded }, { type: 'string' }]);
  if (union !== expected) throw new Error(`${path}: ${union} is no union of an unbounded integer and a string`);
  schema.delete('anyOf');
}

function demandBounds(kind: string, schema: Json, path: string): void {
  const bounded: Readonly<Record<string, boolean>> = {
    string: 'maxLength' in schema || 'enum' in schema || schema.format === 'date-time',
    array: 'maxItems' in schema && 'x-kubernetes-list-type' in schema,
    object: 'properties' in schema || 'maxProperties' in schema,
    [intOrString]: 'maxLength' in schema,
  };
  if (bounded[kind] === false) throw new Error(`${path}: ${kind} needs a bound, and an array a list type as well`);
}
