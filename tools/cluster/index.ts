export { ensureBinaries } from './binaries.ts';
export { applyCrds } from './crds.ts';
export { startControlPlane, type ControlPlane, type ControlPlaneOptions } from './control-plane.ts';
export { simulation } from './kwok/index.ts';
export { createNodes, nodeObject, sampleNodes, type SimulatedNode } from './nodes.ts';
export { endWithParent } from './parent.ts';
export { printProgress } from './progress.ts';
