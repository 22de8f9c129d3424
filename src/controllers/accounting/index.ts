export { Accounting } from './accounting.ts';
