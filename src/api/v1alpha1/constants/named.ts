/**
 * The names of a documented table as constants: `{NoQuota: {...}}` gives `{NoQuota: 'NoQuota'}`. A token is so written
 * once, as the key that carries its documentation.
 */
export function namesOf<T extends Readonly<Record<string, unknown>>>(
  table: T,
): { readonly [Name in keyof T & string]: Name } {
  return Object.fromEntries(Object.keys(table).map((name) => [name, name])) as {
    readonly [Name in keyof T & string]: Name;
  };
}
