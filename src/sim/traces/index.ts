export { gpuSecondsWithin, institutionsOf, peakGpus, peakOf, type TraceJob } from './job.ts';
export { readOpenbNodes, readOpenbPods, type OpenbNode, type OpenbPod } from './openb.ts';
export { isOpenb, readOpenbJobs } from './openbJobs.ts';
export { readPhilly } from './philly.ts';
export { seededRandom } from './random.ts';
export { sampleDay, sampleInstitutions } from './sample.ts';
export { busyWindow } from './window.ts';
