export * from './coverage.ts';
export * from './history.ts';
export * from './tree.ts';
