export { gpuSecondsWithin, institutionsOf, peakGpus, peakOf, type TraceJob } from './job.ts';
export { readPhilly } from './philly.ts';
export { sampleDay, sampleInstitutions } from './sample.ts';
export { busyWindow } from './window.ts';
