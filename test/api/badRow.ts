/** A mistake, the field that is wrong, what is written there (undefined = left out), and the whole answer to it. */
export type BadRow = readonly [mistake: string, field: string, value: unknown, answer: string];
