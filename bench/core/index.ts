import { setImmediate as nextTurn } from 'node:timers/promises';

import type { Benchmark } from '../benchmark.ts';
import type { FlagSet } from '../flags.ts';
import type { Outcome } from './case.ts';
import { cases } from './cases/index.ts';
import { summarize } from './summary.ts';
import { collectGarbage, takeAttendance } from './timing.ts';

const flags = {
  case: { type: 'names', names: cases.map(({ name }) => name), meaning: 'what is measured' },
  rounds: { type: 'number', default: 3, least: 1, most: 50, meaning: 'times that each case is measured' },
} as const satisfies FlagSet;

/** Share of the time that the thread must have a processor: below it the figures tell of the machine. */
const undisturbed = 0.9;

/** How fast the decision core is, on one thread, through what the operator calls. */
export const core: Benchmark<typeof flags> = {
  name: 'core',
  summary: 'decisions per second of the core alone, each case with what it is to reach',
  flags,
  async run({ case: names, rounds }, signal) {
    const outcomes = new Map<string, Outcome>();
    const disturbed: string[] = [];
    for (const { name, measure } of cases) {
      if (!names.includes(name)) continue;
      process.stderr.write(`${name} ...\n`);
      collectGarbage();
      outcomes.set(
        name,
        outcomeOf(() => measure(rounds)),
      );
      const share = takeAttendance();
      if (share < undisturbed) disturbed.push(`${name} ${Math.round(share * 100)} %`);
      // The cases never wait: an interrupt is heard here.
      await nextTurn(undefined, { signal });
    }
    return {
      table: summarize(outcomes),
      notes: [
        `One thread; medians of ${rounds} rounds after warm-up, range in brackets; garbage is collected before each.`,
        'A cycle is what the operator does: snapshot, plan, and counting what was admitted as started.',
        'Answers are checked by other means than the core; a case that was wrong shows WRONG and fails the run.',
        ...(disturbed.length === 0
          ? []
          : [`DISTURBED: the thread had a processor for only this share of the time: ${disturbed.join(', ')}.`]),
      ],
      details: { cases: Object.fromEntries(outcomes) },
      failures: [...outcomes].flatMap(([name, { faults }]) => faults.map((fault) => `${name}: ${fault}`)),
    };
  },
};

/** A core that throws has answered wrongly; the other cases are still worth knowing. */
function outcomeOf(measure: () => Outcome): Outcome {
  try {
    return measure();
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { figures: [], faults: [`threw ${text}`] };
  }
}
