import { z } from 'zod';
import { form, withRules } from './rule.ts';

/** Text of at most `max` characters, counted as the API server does: in code points, not in UTF-16 units. */
export function boundedText(max: number) {
  return z
    .string()
    .refine((text) => Array.from(text).length <= max, { error: `write at most ${max} characters` })
    .meta({ maxLength: max });
}

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const qualifiedName = '[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?';
const prefix = `${label}(\\.${label})*`;

/** Longest name of a resource of Moa: the names are values of node labels and taints as well. */
export const maxNameLength = 63;

/** Name of another resource of Moa. */
export function reference() {
  const message = 'write the name of a resource: lower-case letters, digits, "-" and ".", such as "kaist"';
  return withRules(boundedText(maxNameLength), form(message, new RegExp(`^${prefix}$`)));
}

/** Name of an entry in a list: a DNS label. */
export function entryName() {
  const message = 'write a name of lower-case letters, digits and "-", such as "h200"';
  return withRules(boundedText(63), form(message, new RegExp(`^${label}$`)));
}

/** Pattern of the key of a label, with or without prefix. */
export const labelKeyForm = new RegExp(`^(${prefix}/)?${qualifiedName}$`);

/** Longest key of a label: a prefix of 253 characters, the slash, a name of 63. */
export const maxLabelKeyLength = 317;

/** Key of a label. */
export function labelKey() {
  const message = 'write the key of a label, such as "topology.kubernetes.io/zone"';
  return withRules(boundedText(maxLabelKeyLength), form(message, labelKeyForm));
}

/** Value of a label; may be empty. */
export function labelValue() {
  const message = 'write a label value: letters, digits, "-", "_" and ".", beginning and ending with a letter or digit';
  return withRules(boundedText(63), form(message, new RegExp(`^(${qualifiedName})?$`)));
}

/** Name of an extended resource, always with a prefix. */
export function extendedResource() {
  const message = 'write an extended resource name with its prefix, such as "nvidia.com/gpu"';
  return withRules(boundedText(maxLabelKeyLength), form(message, new RegExp(`^${prefix}/${qualifiedName}$`)));
}

/** IANA name of a time zone. Only its form is checked here: the list of zones is the operator's. */
export function timeZone() {
  const message = 'write the IANA name of a time zone, such as "Asia/Seoul"';
  const pattern = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+){0,2}$/;
  return withRules(boundedText(64), form(message, pattern));
}
