export { Constraints, isConstrained } from './constraints.ts';
export { explainObstacles } from './explain.ts';
export { readPodClaims } from './podClaims.ts';
export { chooseVolumes, isReservedFor, type ClaimChoice } from './volumeBinding.ts';
