export * from './arrays.ts';
export * from './bitSet.ts';
export * from './heap.ts';
export * from './recentMap.ts';
export * from './sortedList.ts';
