/** The value with everything in it read-only: what was read from the API server is never changed in place. */
export type Frozen<T> = T extends object ? { readonly [Key in keyof T]: Frozen<T[Key]> } : T;
