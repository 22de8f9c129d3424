import fc from 'fast-check';
import { definitions, validationsKey, type Kind } from '../../src/api/v1alpha1/index.ts';
import { schemaOf } from '../../tools/generate/crd.ts';
import type { Structural } from '../../tools/generate/structural.ts';
import { goodManifest, withField, type Manifest } from './manifests.ts';

/**
 * Good and plausible values of each form of text and number, by the beginning of the message that their rule gives.
 * A form that is missing here is an Error, so that no field goes untried.
 */
const forms: readonly (readonly [message: string, values: readonly (string | number)[]])[] = [
  ['write a duration above 0', ['15m', '1h30m', 'P3D', 'PT15M', '0.5h', '72h', 'P1M', 'P2W', '90s', '3000ms', 'P30D']],
  ['write a duration', ['15m', '2m', '0s', 'PT0S', '1h', 'P1DT12H']],
  ['write a date', ['2026-03-01', '2026-03-01T00:00:00Z', '2027-02-28', '2026-03-02T09:00:00.5+09:00', '2028-02-29']],
  ['write a fraction', ['0', '1', '0.5', '0.333333', 0, 1, '1.0']],
  ['write a factor', ['1', '0', '1.25', '0.000001', 2]],
  ['write a number above 0', ['1', '0.25', 2, '0.001', '999999999.999']],
  ['write a number of 0 or more', ['0', 0, '64', '0.25', 192, '1.50']],
  ['write normalized GPU-hours', ['2242560', 50000, '0.5', '999999999999.999']],
  ['write the name of a resource', ['national', 'kaist', 'a.b', 'k-ai-alliance', 'sample']],
  ['write a name of', ['h200', 'b200', 's1', 'a', 'x'.repeat(63)]],
  ['write the key of a label', ['topology.kubernetes.io/zone', 'moa.dev/block', 'rack', 'nvidia.com/gpu.clique']],
  ['write a label value', ['kaist', '', 'NVIDIA-H200', 'a.b_c', 'x'.repeat(63)]],
  ['write an extended resource', ['nvidia.com/gpu', 'rebellions.ai/ATOM', 'nvidia.com/mig-1g.10gb']],
  ['write the IANA name', ['Asia/Seoul', 'UTC', 'Etc/GMT+9', 'America/Argentina/Ushuaia']],
];

/** What people and programs write by mistake, tried in every place. */
const mistakes: readonly unknown[] = [
  ...['', ' ', 'abc', 'A', '-1', '+1', '1.', '.5', '1e3', '0.0001', '0.0000001', '1.000001', '00', '0', '1000000000'],
  ...[
    '0x10',
    '١',
    '1 ',
    '10d',
    'P',
    'PT',
    'P1',
    'P1DT',
    'P1YT',
    'P1D2H',
    'PT1D',
    'P1.5D',
    '-15m',
    '15',
    '1h-1m',
    '123456h',
    '2026-02-30',
    '2026-13-01',
  ],
  ...['1999-12-31', '2026-03-01T24:00:00Z', '2026-03-01 00:00', '2026-03-01T00:00:00', '20260301', 'a/b/c', '/a', 'a/'],
  ...['-a', 'a-', 'a..b', 'UPPER', 'urgent', '😀'.repeat(64), '😀'.repeat(63), 'x'.repeat(64), 'x'.repeat(400)],
  ...[-1, 0, 1, 0.5, -0.25, 1e21, 2 ** 53, 10_000_001, null, true, [], {}, [null], [''], { a: null }, { a: '' }],
];

/** Every value that is plausible somewhere or a mistake. */
export const allValues: readonly unknown[] = [...new Set([...forms.flatMap(([, values]) => values), ...mistakes])];

/** Durations and dates that are close to one another, in all their forms. */
export const closeDurations = [
  '72h',
  'P3D',
  'P1W',
  'PT72H',
  '71h59m59.999s',
  '4320m',
  'P1M',
  'P30D',
  '720h',
  'P1Y',
  'P365D',
  'P4W2D',
];
export const closeDates = [
  ...['2026-03-01', '2026-03-02', '2026-02-28', '2026-03-01T00:00:00Z', '2026-02-28T10:00:00Z', '2026-02-28T09:59:59Z'],
  ...['2026-03-01T09:00:00+09:00', '2026-03-02T12:00:00Z', '2026-03-02T11:59:59.999Z', '2026-02-28T23:00:00-12:00'],
];

/** A manifest of the kind that is good but for, at times, one or two mistakes. */
export function manifests(kind: Kind): fc.Arbitrary<Manifest> {
  const { spec } = schemaOf(definitions[kind]).properties ?? {};
  if (spec === undefined) throw new Error(`${kind} has no spec`);
  const name = fc.constantFrom(...new Array<string>(16).fill('sample'), 'x'.repeat(63), 'x'.repeat(64));
  return fc
    .tuple(name, valuesOf(spec), fc.oneof(fc.constant([]), fc.array(mutations, { minLength: 1, maxLength: 2 })))
    .map(([name, value, changes]) => {
      const manifest = goodManifest(kind, name);
      const root: { spec: unknown } = { spec: structuredClone(value) };
      for (const change of changes) change(root);
      return { ...manifest, spec: root.spec as Manifest['spec'] };
    });
}

function valuesOf(schema: Structural): fc.Arbitrary<unknown> {
  if (
    schema['x-kubernetes-int-or-string'] === true ||
    (schema.type === 'string' && schema[validationsKey] !== undefined)
  )
    return fc.constantFrom(...plausible(schema));
  if (Array.isArray(schema.enum)) return fc.constantFrom(...(schema.enum as readonly unknown[]));
  switch (schema.type) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer({ min: schema.minimum ?? 0, max: (schema.minimum ?? 0) + 8 });
    case 'string':
      return fc.constantFrom('', 'KAIST', '한국과학기술원', '😀'.repeat(schema.maxLength ?? 0));
    case 'array':
      return listOf(schema);
    case 'object':
      return schema.additionalProperties === undefined ? objectOf(schema) : mapOf(schema.additionalProperties);
    default:
      throw new Error(`no values for ${JSON.stringify(schema)}`);
  }
}

function plausible(schema: Structural): readonly (string | number)[] {
  const [{ message = '' } = {}] = schema[validationsKey] as readonly { message?: string }[];
  const form = forms.find(([beginning]) => message.startsWith(beginning));
  if (form === undefined) throw new Error(`no plausible values for the rule "${message}"`);
  return form[1];
}

function listOf(schema: Structural): fc.Arbitrary<unknown> {
  const items = valuesOf(schema.items ?? {});
  const bounds = { minLength: schema.minItems ?? 0, maxLength: 3 };
  const [key] = (schema['x-kubernetes-list-map-keys'] ?? []) as readonly string[];
  if (key === undefined) return fc.uniqueArray(items, bounds);
  return fc.uniqueArray(items as fc.Arbitrary<Record<string, unknown>>, { ...bounds, selector: (each) => each[key] });
}

function mapOf(values: Structural): fc.Arbitrary<unknown> {
  return fc.dictionary(fc.constantFrom('zone', 'moa.dev/contributor', 'kubernetes.io/arch'), valuesOf(values), {
    minKeys: 1,
    maxKeys: 3,
    noNullPrototype: true,
  });
}

function objectOf(schema: Structural): fc.Arbitrary<unknown> {
  const properties = Object.entries(schema.properties ?? {}).map(([name, each]) => [name, valuesOf(each)] as const);
  const any = fc.record(Object.fromEntries(properties), {
    requiredKeys: [...(schema.required ?? [])],
    noNullPrototype: true,
  });
  return consistent(any);
}

/** Cross-field rules that few random objects meet: nine in ten are made to. */
function consistent(objects: fc.Arbitrary<Record<string, unknown>>): fc.Arbitrary<unknown> {
  return fc.tuple(objects, fc.nat(9)).map(([object, dice]) => (dice === 0 ? object : mended(object)));
}

function mended(object: Record<string, unknown>): Record<string, unknown> {
  const without = (...keys: string[]) =>
    Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
  if (object.kind === 'Extension') return { ...without('normalizedGpuHours'), end: object.end ?? '2027-03-31' };
  if (object.kind === 'Supplement' || object.kind === 'Reduction')
    return { ...without('end'), normalizedGpuHours: object.normalizedGpuHours ?? '1' };
  if (object.operator === 'In' || object.operator === 'NotIn') return { ...object, values: ['a'] };
  if (object.operator !== undefined) return without('values');
  return object;
}

type Mutation = (root: { spec: unknown }) => void;

const actions = ['replace', 'replace', 'remove', 'add', 'repeat'] as const;
const strangeKeys = ['surprise', '', '-a', 'a/b/c', 'x'.repeat(400), '한'];

/** Changes one random place of a tree: another value, no value, an unknown field or key, an entry twice. */
const mutations: fc.Arbitrary<Mutation> = fc
  .tuple(fc.nat(), fc.constantFrom(...actions), fc.constantFrom(...mistakes), fc.constantFrom(...strangeKeys))
  .map(([place, action, mistake, strangeKey]) => (root) => {
    const holders = [...holdersOf(root)];
    const holder = holders[place % holders.length] ?? root;
    const keys = Object.keys(holder);
    const key = keys[place % keys.length] ?? strangeKey;
    const value = structuredClone(mistake);
    if (Array.isArray(holder)) mutateList(holder, { action, index: Number(key), value });
    else if (action === 'remove') Reflect.deleteProperty(holder, key);
    else Object.assign(holder, { [action === 'add' ? strangeKey : key]: action === 'repeat' ? 'sample' : value });
  });

function mutateList(
  list: unknown[],
  change: { action: (typeof actions)[number]; index: number; value: unknown },
): void {
  const { action, index, value } = change;
  if (action === 'remove') list.splice(index, 1);
  else if (action === 'add') list.push(value);
  else if (action === 'repeat') list.push(structuredClone(list[index]));
  else if (index in list) list[index] = value;
}

/** Every object and list of a tree. */
function* holdersOf(node: object): Generator<object> {
  yield node;
  for (const each of Object.values(node) as unknown[])
    if (typeof each === 'object' && each !== null) yield* holdersOf(each);
}

const entries = [
  { name: 's1', date: '2026-07-01', kind: 'Supplement', normalizedGpuHours: '50000' },
  { name: 'r1', date: '2026-08-01', kind: 'Reduction', normalizedGpuHours: 10 },
  { name: 'e1', date: '2026-09-01', kind: 'Extension', end: '2027-05-31' },
];

/** A ResearchQuota whose budget has three adjustments. */
export function adjustedQuota(): Manifest {
  return withField(goodManifest('ResearchQuota', 'adjusted'), 'spec.budget.adjustments', entries);
}

/** The same quota with its adjustments kept, reordered, edited, dropped or joined by others. */
export const changedQuotas: fc.Arbitrary<Manifest> = fc
  .tuple(
    fc.shuffledSubarray(entries, { minLength: 2 }),
    fc.constantFrom(
      {},
      {},
      {},
      { note: 'later' },
      { date: '2026-07-02' },
      { normalizedGpuHours: '50000.0' },
      { name: 'x' },
    ),
    fc.constantFrom([], ...entries.map((entry) => [{ ...entry, name: 'further' }])),
  )
  .map(([kept, edit, further]) => {
    const edited = kept.map((entry, index) => (index === 0 ? { ...entry, ...edit } : entry));
    return withField(adjustedQuota(), 'spec.budget.adjustments', [...edited, ...further]);
  });
