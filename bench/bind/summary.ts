import type { Table } from '../benchmark.ts';
import { median } from '../report.ts';
import { contenderNames, type ContenderName } from './contenders.ts';
import type { Measurement } from './measure.ts';

/** A measurement and the round that it was taken in, from 1. */
export type RoundMeasurement = Measurement & { readonly round: number };

/** Share of the machine that others may take before the figures are called disturbed. */
const tolerable = 0.1;

/**
 * One row for each contender: medians over its rounds. The ratio to the bare client is the median of the rounds' own
 * ratios, so that a machine that slows down for a while weighs on both sides.
 */
export function summarize(measurements: readonly RoundMeasurement[]): Table {
  const bareRates = new Map(measurementsOf(measurements, 'bare').map((bare) => [bare.round, rateFromFirst(bare)]));
  const rows = contenderNames.flatMap((name) => {
    const all = measurementsOf(measurements, name);
    if (all.length === 0) return [];
    const rates = all.map(rateFromFirst);
    const ratios = all.flatMap((one) => {
      const bare = bareRates.get(one.round);
      return bare === undefined ? [] : [rateFromFirst(one) / bare];
    });
    const middle = (figure: (measurement: Measurement) => number) => median(all.map(figure));
    return [
      [
        name,
        `${Math.round(median(rates))} [${Math.round(Math.min(...rates))}-${Math.round(Math.max(...rates))}]`,
        ratios.length === 0 ? '-' : median(ratios).toFixed(2),
        Math.round(middle(({ pods, secondsFromStart }) => pods / secondsFromStart)),
        middle(({ cpu }) => cpu.contender).toFixed(1),
        middle(({ cpu }) => cpu.apiServer).toFixed(1),
        middle(({ cpu }) => cpu.etcd).toFixed(1),
        middle(({ cpu }) => cpu.elsewhere).toFixed(1),
        middle(({ peakMemoryMiB }) => peakMemoryMiB),
      ],
    ];
  });
  const cpu = ['its CPU s', 'API server CPU s', 'etcd CPU s', 'elsewhere CPU s'];
  return { columns: ['contender', 'pods/s', 'of bare', 'from start', ...cpu, 'peak MiB'], rows };
}

/** Says which measurements other processes disturbed, if any. */
export function disturbance(measurements: readonly RoundMeasurement[], processors: number): string[] {
  const disturbed = measurements.filter(
    ({ cpu, secondsFromStart }) => cpu.elsewhere > tolerable * secondsFromStart * processors,
  );
  if (disturbed.length === 0) return [];
  const who = [...new Set(disturbed.map(({ contender }) => contender))].join(', ');
  return [
    `DISTURBED: other processes took more than ${tolerable * 100} % of the machine in ${disturbed.length} of ${measurements.length} measurements (${who}).`,
  ];
}

/** Pods a second from the first bind seen to the last. */
export function rateFromFirst({ pods, secondsFromFirst }: Measurement): number {
  return (pods - 1) / secondsFromFirst;
}

function measurementsOf(measurements: readonly RoundMeasurement[], name: ContenderName): RoundMeasurement[] {
  return measurements.filter(({ contender }) => contender === name);
}
