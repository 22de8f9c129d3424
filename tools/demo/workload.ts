import { annotations, schedulerName } from '../../src/api/v1alpha1/index.ts';
import type { TraceJob } from '../../src/sim/traces/index.ts';
import { simulation } from '../cluster/index.ts';

/** Most devices of one node, so of one pod. */
const podGpus = 8;
const shortestMilliseconds = 1000;

/** Pods of equal size for a job: as few as hold eight devices each at the most. */
export function podsFor(gpus: number): { pods: number; gpus: number } {
  let pods = Math.ceil(gpus / podGpus);
  while (gpus % pods !== 0) pods += 1;
  return { pods, gpus: gpus / pods };
}

/**
 * A job of a trace as a batch/v1 Job for Moa. What needs more than one pod is a gang. It runs for its duration divided
 * by the speed-up, but at least a second.
 */
export function jobManifest(job: TraceJob, { namespace, speedup }: { namespace: string; speedup: number }): object {
  const { pods, gpus } = podsFor(job.gpus);
  const milliseconds = Math.max(shortestMilliseconds, Math.round((job.durationSeconds * 1000) / speedup));
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: job.id, namespace },
    spec: {
      parallelism: pods,
      completions: pods,
      backoffLimit: 0,
      template: {
        metadata: {
          annotations: {
            [simulation.duration]: `${milliseconds}ms`,
            ...(pods > 1 ? { [annotations.gangOfJob.key]: 'true' } : {}),
          },
        },
        spec: {
          schedulerName,
          restartPolicy: 'Never',
          containers: [
            {
              name: 'train',
              image: 'example.test/train',
              resources: {
                requests: { cpu: String(4 * gpus), memory: `${32 * gpus}Gi` },
                limits: { 'nvidia.com/gpu': String(gpus) },
              },
            },
          ],
        },
      },
    },
  };
}
