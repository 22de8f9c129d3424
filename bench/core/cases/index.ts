import type { Case } from '../case.ts';
import { fill } from './fill.ts';
import { gangs } from './gangs.ts';
import { growth } from './growth.ts';
import { horizon } from './horizon.ts';
import { large } from './large.ts';
import { reclaim } from './reclaim.ts';
import { refusal } from './refusal.ts';
import { steady } from './steady.ts';
import { unlike } from './unlike.ts';

/** In the order that they run. */
export const cases: readonly Case[] = [fill, gangs, steady, refusal, unlike, reclaim, horizon, growth, large];
