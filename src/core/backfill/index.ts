export { Backfill, type Attempt } from './backfill.ts';
export type { Ask, Reservation } from './reservation.ts';
