import { z } from 'zod';
import type { Frozen } from './frozen.ts';
import { listMap } from './lists.ts';
import { decimal } from './numbers.ts';
import { boundedText } from './texts.ts';

/** A decimal that Moa writes: text, so that no reader makes a float of it. May be negative. */
export function amount() {
  return boundedText(32);
}

/** A number of the spec that Moa repeats as it is written there. */
export function intOrText() {
  return decimal;
}

/** Name of an entry that Moa repeats from the spec. */
export function key() {
  return boundedText(63);
}

/** A whole number of devices, nodes or workloads that Moa writes. */
export function total() {
  return z.int().min(0);
}

/** A moment that Moa writes, RFC 3339 in UTC. */
export function moment() {
  return z.string().meta({ format: 'date-time' });
}

const condition = z.object({
  type: boundedText(316).describe('What the condition is about.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  reason: boundedText(1024).describe('Token of the reason, see conditions.md.'),
  message: boundedText(32_768).describe('One sentence for people, with numbers and the next step.'),
  lastTransitionTime: moment().describe('When `status` last changed.'),
  observedGeneration: total().optional().describe('Generation of the spec that the condition was worked out for.'),
});

/** What every status begins with. */
export const statusBase = {
  observedGeneration: total().optional().describe('Generation of the spec that was last evaluated, Ready or not.'),
  conditions: listMap(condition, 'type', 16).optional().describe('See conditions.md.'),
};

/** One condition of a status, the shape of `metav1.Condition`. */
export type Condition = Frozen<z.output<typeof condition>>;
