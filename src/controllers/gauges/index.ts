export { stateSample } from './stateSample.ts';
