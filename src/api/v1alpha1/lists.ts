import { z } from 'zod';

/**
 * A list whose entries are told apart by some of their fields. The API server refuses a key that stands twice, and
 * server-side apply merges entry by entry.
 */
export function listMap<S extends z.ZodObject>(entry: S, key: string & keyof z.output<S>, max: number) {
  return z
    .array(entry)
    .max(max)
    .superRefine((entries, context) => {
      const seen = new Set<unknown>();
      entries.forEach((each, index) => {
        const value = (each as Readonly<Record<string, unknown>>)[key];
        if (seen.has(value))
          context.addIssue({ code: 'custom', path: [index], message: `duplicate ${key}`, input: each });
        seen.add(value);
      });
    })
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key] });
}

/** A list that is one value: server-side apply replaces it as a whole. */
export function atomicList<S extends z.ZodType>(entry: S, max: number) {
  return z.array(entry).max(max).meta({ 'x-kubernetes-list-type': 'atomic' });
}
