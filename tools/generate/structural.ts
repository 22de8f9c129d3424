import { validationsKey } from '../../src/api/v1alpha1/index.ts';

/** A node of a structural schema: what the API server takes in `openAPIV3Schema`. */
export type Structural = { readonly [key: string]: unknown } & {
  readonly description?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Structural>>;
  readonly items?: Structural;
  readonly additionalProperties?: Structural;
  readonly required?: readonly string[];
};

type Json = Readonly<Record<string, unknown>>;

/** Bounds that zod writes for `z.int()` and that mean nothing. */
const unbounded: Readonly<Record<string, number>> = {
  minimum: Number.MIN_SAFE_INTEGER,
  maximum: Number.MAX_SAFE_INTEGER,
};

/** Keywords that may stand in a schema of each type, in the order in which they are written. */
const keywords: Readonly<Record<string, readonly string[]>> = {
  object: ['required', 'maxProperties', 'x-kubernetes-map-type', 'properties', 'additionalProperties'],
  array: ['minItems', 'maxItems', 'x-kubernetes-list-type', 'x-kubernetes-list-map-keys', 'items'],
  string: ['format', 'maxLength', 'enum'],
  integer: ['format', 'minimum', 'maximum'],
  boolean: [],
};

const intOrString = 'x-kubernetes-int-or-string';

/**
 * Turns the JSON schema that zod makes of one field into a structural schema. Strict: whatever it does not know, and
 * every string, list or map without a bound (the cost budget of CEL needs them), is an Error that names the path.
 */
export function structural(schema: unknown, path: string): Structural {
  const node = { ...(schema as Json) };
  const kind = node[intOrString] === true ? intOrString : text(node.type, `${path}.type`);
  const out: Record<string, unknown> = {};
  move(node, out, 'description');
  if (kind === intOrString) {
    dropUnion(node, path);
    move(node, out, intOrString);
    move(node, out, 'maxLength');
  } else {
    move(node, out, 'type');
    if (kind === 'integer') node.format = 'int64';
  }
  move(node, out, 'default');
  for (const keyword of keywords[kind] ?? []) {
    if (unbounded[keyword] === node[keyword]) delete node[keyword];
    else if (keyword in node) out[keyword] = inner(keyword, take(node, keyword), path);
  }
  move(node, out, validationsKey);
  const [stray] = Object.keys(node);
  if (stray !== undefined) throw new Error(`${path}: ${stray} has no place in a structural schema of ${kind}`);
  demandBounds(kind, out, path);
  return out;
}

function inner(keyword: string, value: unknown, path: string): unknown {
  if (keyword === 'properties') {
    return Object.fromEntries(
      Object.entries(value as Json).map(([name, each]) => [
        name,
        described(structural(each, `${path}.${name}`), path, name),
      ]),
    );
  }
  if (keyword === 'items') return structural(value, `${path}[]`);
  if (keyword === 'additionalProperties') return structural(value, `${path}.*`);
  return value;
}

function described(schema: Structural, path: string, name: string): Structural {
  if (schema.description === undefined) throw new Error(`${path}.${name}: has no description`);
  return schema;
}

/** `oneOf` and `anyOf` may hold no types in a structural schema; the extension says the same. */
function dropUnion(node: Record<string, unknown>, path: string): void {
  const union = JSON.stringify(node.anyOf);
  const expected = JSON.stringify([{ type: 'integer', ...unbounded }, { type: 'string' }]);
  if (union !== expected) throw new Error(`${path}: ${union} is no union of an unbounded integer and a string`);
  delete node.anyOf;
}

function demandBounds(kind: string, schema: Json, path: string): void {
  const bounded: Readonly<Record<string, boolean>> = {
    string: 'maxLength' in schema || 'enum' in schema || schema.format === 'date-time',
    array: 'maxItems' in schema && 'x-kubernetes-list-type' in schema,
    object: 'properties' in schema || 'maxProperties' in schema,
    [intOrString]: 'maxLength' in schema,
  };
  if (bounded[kind] === false) throw new Error(`${path}: a ${kind} needs a bound, and an array a list type`);
}

function move(from: Record<string, unknown>, to: Record<string, unknown>, key: string): void {
  if (key in from) to[key] = take(from, key);
}

function take(from: Record<string, unknown>, key: string): unknown {
  const value = from[key];
  delete from[key];
  return value;
}

function text(value: unknown, path: string): string {
  if (typeof value !== 'string' || !(value in keywords))
    throw new Error(`${path}: ${JSON.stringify(value)} is no type`);
  return value;
}
