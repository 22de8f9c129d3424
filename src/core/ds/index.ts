export * from './arrays.ts';
export * from './bitSet.ts';
