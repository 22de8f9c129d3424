export { rankOptions } from './classChoice.ts';
export * from './feasibility.ts';
export * from './fitCounter.ts';
export * from './placeAt.ts';
export * from './placer.ts';
export * from './request.ts';
export { release, type PlacedPod } from './rolePlacing.ts';
export { chooseVolumes, isReservedFor, readPodClaims, type ClaimChoice } from './filters/index.ts';
