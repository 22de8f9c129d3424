import { accounts } from './accounts.ts';
import type { Alert, AlertGroup } from './alert.ts';
import { availability } from './availability.ts';
import { processHealth } from './process.ts';
import { promises } from './promises.ts';
import { scheduling } from './scheduling.ts';

export type { Alert, AlertGroup };

/** Every alert, in the order of the reference page. */
export const alertGroups: readonly AlertGroup[] = [availability, scheduling, promises, accounts, processHealth];

/** Every alert, without its group. */
export const alerts: readonly Alert[] = alertGroups.flatMap((group) => group.alerts);
