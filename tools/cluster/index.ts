export { ensureBinaries, type BinaryName } from './binaries.ts';
export type { Component } from './components.ts';
export { applyCrds } from './crds.ts';
export { startControlPlane, type ControlPlane, type ControlPlaneOptions } from './control-plane.ts';
export { simulation } from './kwok/index.ts';
export { createNodes, nodeObject, sampleNodes, type SimulatedNode } from './nodes.ts';
export { endWithParent } from './parent.ts';
export { printProgress, type BuildProgress } from './progress.ts';
