import { z } from 'zod';
import {
  category,
  celOf,
  group,
  resources,
  validationsKey,
  version,
  type Definition,
  type PrinterColumn,
} from '../../src/api/v1alpha1/index.ts';
import { structural, type Structural } from './structural.ts';

/** The whole schema of a resource as the API server gets it. */
export function schemaOf(definition: Definition): Structural {
  const root = jsonSchema(definition.root) as {
    readonly properties: Readonly<Record<'metadata' | 'spec', object>>;
    readonly [validationsKey]?: readonly object[];
  };
  const metadata = structural(withoutLooseness(root.properties.metadata), 'metadata');
  const rules = [...(root[validationsKey] ?? []), ...definition.transitions.map(celOf)];
  return {
    description: definition.description,
    type: 'object',
    required: ['spec'],
    properties: {
      apiVersion: { description: 'Version of the schema that the manifest is written in.', type: 'string' },
      kind: { description: 'Kind of the resource.', type: 'string' },
      // The API server knows the rest of the metadata and takes restrictions on the name only.
      metadata: { type: 'object', properties: metadata.properties ?? {} },
      spec: { description: 'What should be.', ...structural(root.properties.spec, 'spec') },
      status: { description: 'What is, written by Moa.', ...structural(jsonSchema(definition.status), 'status') },
    },
    ...(rules.length === 0 ? {} : { [validationsKey]: rules }),
  };
}

/** A manifest that the API server learns a resource from. */
export interface CustomResourceDefinition {
  readonly apiVersion: 'apiextensions.k8s.io/v1';
  readonly kind: 'CustomResourceDefinition';
  readonly metadata: { readonly name: string };
  readonly spec: object;
}

/** The CustomResourceDefinition of a resource. */
export function crdOf(definition: Definition): CustomResourceDefinition {
  const { kind, plural, singular, shortName } = resources[definition.kind];
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Cluster',
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames: [shortName], categories: [category] },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: definition.columns.map(columnOf),
          schema: { openAPIV3Schema: schemaOf(definition) },
        },
      ],
    },
  };
}

function columnOf({ name, type, description, priority, jsonPath }: PrinterColumn): object {
  return { name, type, description, ...(priority === undefined ? {} : { priority }), jsonPath };
}

function jsonSchema(schema: z.ZodType): object {
  return z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    cycles: 'throw',
    reused: 'inline',
    unrepresentable: 'throw',
  });
}

/** Metadata is a loose object in zod, because the API server adds much to it. */
function withoutLooseness(schema: object): object {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== 'additionalProperties'));
}
