export { startStatusControllers } from './startStatusControllers.ts';
export type { World } from './world.ts';
