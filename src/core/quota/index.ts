export * from './history.ts';
export * from './tree.ts';
