export { Backfill, type Attempt } from './backfill.ts';
export type { Ask } from './reservation.ts';
