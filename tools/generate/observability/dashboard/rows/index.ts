import type { Row } from '../panel.ts';
import { accounts } from './accounts.ts';
import { investments } from './investments.ts';
import { kubernetes } from './kubernetes.ts';
import { now } from './now.ts';
import { pools } from './pools.ts';
import { processes } from './processes.ts';
import { scheduler } from './scheduler.ts';
import { sharing } from './sharing.ts';
import { waiting } from './waiting.ts';

/** The dashboard from top to bottom: what people ask first stands first. */
export const rows: readonly Row[] = [
  now,
  waiting,
  sharing,
  pools,
  accounts,
  investments,
  scheduler,
  kubernetes,
  processes,
];
