import type { TraceJob } from './job.ts';
import { seededRandom } from './random.ts';

/** What {@link sampleDay} makes. */
export interface SampleOptions {
  readonly seed: number;
  readonly jobs: number;
}

const daySeconds = 86_400;

/** Who submits in a sample: institutions of our own invention, the busiest first. */
export const sampleInstitutions = [
  'haneul-university',
  'bada-institute',
  'sancheong-university',
  'gaon-company',
  'narae-institute',
  'maru-university',
  'dasom-company',
  'sora-startup',
  'byeol-institute',
  'noeul-university',
  'areum-company',
  'iseul-startup',
  'garam-institute',
  'bora-startup',
  'taebaek-university',
] as const;

/** How often jobs ask for so many GPUs, in parts per thousand: what public traces of shared clusters have in common. */
const sizes = [
  { gpus: 1, perMille: 915 },
  { gpus: 2, perMille: 30 },
  { gpus: 4, perMille: 28 },
  { gpus: 8, perMille: 22 },
  { gpus: 16, perMille: 4 },
  { gpus: 32, perMille: 1 },
] as const;

/** Share of the jobs that run already when the day begins. */
const carriedShare = 0.08;
/** Of the jobs that a day begins with: mostly the long ones are left. */
const carriedFactor = 16;
const medianSeconds = 3000;
/** Standard deviation of the logarithm of durations. */
const spread = 1.6;
const longestSeconds = 5 * daySeconds;
/** People submit sweeps: so many jobs at once at the most. */
const longestSweep = 24;

/**
 * A day of jobs like those of shared GPU clusters: few institutions submit most of them, most ask for one GPU, most are
 * short and a few run for days, many come in sweeps, more by day than by night. The same options give the same day.
 *
 * @returns by time of submission, in seconds since the beginning of the day
 */
export function sampleDay({ seed, jobs: count }: SampleOptions): TraceJob[] {
  const random = seededRandom(seed);
  const jobs: Omit<TraceJob, 'id'>[] = [];
  const carried = Math.round(count * carriedShare);
  for (let n = 0; n < carried; n += 1) {
    jobs.push({
      submitSeconds: 0,
      durationSeconds: duration(random, carriedFactor * medianSeconds),
      gpus: size(random),
      institution: institution(random),
    });
  }
  while (jobs.length < count) {
    const sweep = Math.min(count - jobs.length, random() < 0.2 ? 1 + Math.floor(random() * longestSweep) : 1);
    const submitSeconds = timeOfDay(random);
    const who = institution(random);
    const gpus = size(random);
    for (let n = 0; n < sweep; n += 1) {
      jobs.push({ submitSeconds, durationSeconds: duration(random, medianSeconds), gpus, institution: who });
    }
  }
  jobs.sort((a, b) => a.submitSeconds - b.submitSeconds);
  return jobs.map((job, index) => ({ id: `sample-${index + 1}`, ...job }));
}

/** More in the afternoon than at night, by rejection: the rate swings between half and one and a half of its mean. */
function timeOfDay(random: () => number): number {
  for (;;) {
    const seconds = Math.floor(random() * daySeconds);
    const rate = 1 - 0.5 * Math.cos((2 * Math.PI * (seconds / 3600 - 3)) / 24);
    if (random() * 1.5 < rate) return seconds;
  }
}

/** Log-normal, from two uniform numbers by Box and Muller. */
function duration(random: () => number, median: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Math.min(longestSeconds, Math.max(1, Math.round(median * Math.exp(spread * normal))));
}

/** The n-th institution submits in proportion to 1 / n (Zipf). */
function institution(random: () => number): string {
  const total = sampleInstitutions.reduce((sum, _, index) => sum + 1 / (index + 1), 0);
  let left = random() * total;
  for (const [index, name] of sampleInstitutions.entries()) {
    left -= 1 / (index + 1);
    if (left < 0) return name;
  }
  return sampleInstitutions[0];
}

function size(random: () => number): number {
  let left = random() * 1000;
  for (const { gpus, perMille } of sizes) {
    left -= perMille;
    if (left < 0) return gpus;
  }
  return 1;
}
