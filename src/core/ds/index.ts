export * from './arrays.ts';
export * from './bitSet.ts';
export * from './heap.ts';
