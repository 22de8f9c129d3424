/** A JSON Schema (draft 7), as data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** One value of the chart that somebody sets. */
export interface Leaf {
  /** What it means, in a sentence or two of Markdown. */
  readonly about: string;
  /** What values.yaml has; undefined where it has none. */
  readonly default: unknown;
  /** What it may be, without description and default. */
  readonly schema: JsonSchema;
}

/** Values below one key. A key that it does not name is refused. */
export interface Group {
  readonly about: string;
  readonly members: Readonly<Record<string, Value>>;
}

export type Value = Leaf | Group;

export function isGroup(value: Value): value is Group {
  return 'members' in value;
}

export function group(about: string, members: Group['members']): Group {
  return { about, members };
}

/** Any text, unless `pattern` (in the regular expressions of Go, anchored by itself) says more. */
export function text(about: string, preset = '', pattern?: string): Leaf {
  return { about, default: preset, schema: { type: 'string', ...(pattern === undefined ? {} : { pattern }) } };
}

export function flag(about: string, preset: boolean): Leaf {
  return { about, default: preset, schema: { type: 'boolean' } };
}

export function choice(about: string, preset: string, options: readonly string[]): Leaf {
  return { about, default: preset, schema: { type: 'string', enum: options } };
}

/** An amount of bytes as Kubernetes writes it: `20Gi`. */
export function bytes(about: string, preset: string): Leaf {
  return text(about, preset, '^[1-9][0-9]*(Ki|Mi|Gi|Ti|k|M|G|T)?$');
}

export function listOf(about: string, items: JsonSchema, preset: readonly unknown[] = []): Leaf {
  return { about, default: preset, schema: { type: 'array', items } };
}

/** A map of names to texts: labels, annotations, node selectors. */
export function textMap(about: string, preset: Readonly<Record<string, string>> = {}): Leaf {
  return { about, default: preset, schema: { type: 'object', additionalProperties: { type: 'string' } } };
}

/** A field of a Kubernetes object, handed on as it is: the API server checks it. */
export function kubernetesObject(about: string, preset: object = {}): Leaf {
  return { about, default: preset, schema: { type: 'object' } };
}

/** A list of Kubernetes fields, handed on as they are. */
export function kubernetesList(about: string, preset: readonly object[] = []): Leaf {
  return listOf(about, { type: 'object' }, preset);
}

/** An object of exactly these properties, for the items of a list. */
export function strictObject(
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[],
): JsonSchema {
  return { type: 'object', additionalProperties: false, required, properties };
}

/** What a value may be, as a JSON Schema. */
export function schemaOfValue(value: Value): JsonSchema {
  if (!isGroup(value)) {
    const { about, default: preset, schema } = value;
    return { description: about, ...schema, ...(preset === undefined ? {} : { default: preset }) };
  }
  return {
    description: value.about,
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(Object.entries(value.members).map(([key, member]) => [key, schemaOfValue(member)])),
  };
}

/** What values.yaml has to say for a value: the defaults, without those that have none. */
export function presetOf(value: Value): unknown {
  if (!isGroup(value)) return value.default;
  const members = Object.entries(value.members).map(([key, member]) => [key, presetOf(member)] as const);
  return Object.fromEntries(members.filter(([, preset]) => preset !== undefined));
}

/** A leaf and the path of keys that leads to it. */
export interface Setting extends Leaf {
  readonly path: string;
}

/** All leaves in the order of their declaration. */
export function settingsOf(value: Value, path: readonly string[] = []): readonly Setting[] {
  if (!isGroup(value)) return [{ ...value, path: path.join('.') }];
  return Object.entries(value.members).flatMap(([key, member]) => settingsOf(member, [...path, key]));
}
