export { IsolationController } from './isolationController.ts';
