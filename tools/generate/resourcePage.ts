import { apiVersion, resources, validationsKey, type Definition } from '../../src/api/v1alpha1/index.ts';
import { schemaOf } from './crd.ts';
import { code, table } from './markdown.ts';
import type { Structural } from './structural.ts';
import { markdownPage } from './yaml.ts';

/** One field of a resource. */
interface Field {
  readonly path: string;
  readonly schema: Structural;
  readonly required: boolean;
}

/** The reference page of a resource: every field with its type, default, bounds and meaning. */
export function resourcePage(definition: Definition): string {
  const { kind, plural, shortName } = resources[definition.kind];
  const { spec, status, metadata } = schemaOf(definition).properties ?? {};
  if (spec === undefined || status === undefined || metadata === undefined) throw new Error(`${kind} is incomplete`);
  const fields = fieldsOf(spec, '');
  const selector = fields.find(({ schema }) => isSelector(schema));
  return markdownPage([
    `# ${kind}`,
    '',
    definition.description,
    '',
    `\`${apiVersion}\`, cluster-scoped, \`kubectl get ${shortName}\` (or \`${plural}\`). ${metadata.properties?.name?.description ?? ''}`,
    'Numbers with decimals are written in quotes: a bare YAML float is refused.',
    '',
    '## spec',
    '',
    fieldTable(fields),
    ...(selector === undefined ? [] : ['', '### LabelSelector', '', fieldTable(fieldsOf(selector.schema, '', true))]),
    ...changeRules(definition),
    '',
    '## status',
    '',
    'Written by Moa. Fields are absent until the resource has been evaluated.',
    '',
    table(
      ['field', 'type', 'meaning'],
      fieldsOf(status, '').map(({ path, schema }) => [code(path), typeOf(schema), schema.description ?? '']),
    ),
    '',
    '## kubectl get',
    '',
    table(
      ['column', 'shown', 'meaning'],
      definition.columns.map(({ name, priority, description }) => [
        name.toUpperCase(),
        priority === undefined ? 'always' : 'with `-o wide`',
        description,
      ]),
    ),
  ]);
}

function changeRules(definition: Definition): readonly string[] {
  if (definition.transitions.length === 0) return [];
  return ['', '### Changes', '', ...definition.transitions.map(({ at, message }) => `- \`${at}\`: ${message}.`)];
}

function fieldTable(fields: readonly Field[]): string {
  return table(
    ['field', 'type', 'default', 'bounds', 'meaning'],
    fields.map(({ path, schema, required }) => [
      code(path),
      typeOf(schema),
      required ? '**required**' : defaultOf(schema),
      boundsOf(schema),
      schema.description ?? '',
    ]),
  );
}

/** All fields below a schema, parents before children. Label selectors are not opened unless asked for. */
function fieldsOf(schema: Structural, prefix: string, open = false): readonly Field[] {
  if (isSelector(schema) && !open) return [];
  return Object.entries(schema.properties ?? {}).flatMap(([name, each]) => {
    const path = `${prefix}${name}${each.type === 'array' ? '[]' : ''}`;
    const required = schema.required?.includes(name) === true;
    return [{ path, schema: each, required }, ...fieldsOf(each.items ?? each, `${path}.`)];
  });
}

function isSelector(schema: Structural): boolean {
  return schema.properties?.matchLabels !== undefined;
}

function typeOf(schema: Structural): string {
  if (isSelector(schema)) return '[LabelSelector](#labelselector)';
  if (schema['x-kubernetes-int-or-string'] === true) return 'decimal';
  if (schema.items !== undefined) return `list of ${schema.items.type ?? ''}`;
  if (schema.additionalProperties !== undefined) return `map of ${schema.additionalProperties.type ?? ''}`;
  return schema.format === 'date-time' ? 'instant' : (schema.type ?? '');
}

function defaultOf(schema: Structural): string {
  // An object that is filled in only so that the defaults in it apply says nothing of its own.
  return schema.default === undefined || typeof schema.default === 'object' ? '' : code(String(schema.default));
}

function boundsOf(schema: Structural): string {
  const { minimum, maximum, minItems = 0, maxItems, maxLength, maxProperties, items } = schema;
  const keys = schema['x-kubernetes-list-map-keys'] as readonly string[] | undefined;
  return [
    schema.enum?.map(code).join(', '),
    minimum === undefined || maximum === undefined ? undefined : `${minimum} to ${maximum}`,
    maxItems === undefined ? undefined : `${minItems} to ${maxItems} entries`,
    maxProperties === undefined ? undefined : `at most ${maxProperties} entries`,
    maxLength === undefined || rulesOf(schema).length > 0 ? undefined : `at most ${maxLength} characters`,
    keys === undefined ? undefined : `one entry for each ${keys.map(code).join(', ')}`,
    ...rulesOf(schema),
    ...(items === undefined ? [] : rulesOf(items)),
  ]
    .filter((each) => each !== undefined)
    .join('; ');
}

/** What the rules of a field say to someone who broke them, for someone who has not. */
function rulesOf(schema: Structural): readonly string[] {
  const rules = (schema[validationsKey] ?? []) as readonly { readonly message: string }[];
  return rules.map(({ message }) => message.replace(/^write /, ''));
}
