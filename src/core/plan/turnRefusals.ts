import { annotations, WaitReason } from '../../api/v1alpha1/constants/index.ts';
import type { QuotaState, Reservation } from '../snapshot/index.ts';
import { formatInstant } from '../units/index.ts';
import { refuse, type Refusal } from './refusal.ts';

/** Weight 0: it never borrows while another waits (DESIGN.md section 2.2). */
export function lastInLine({ spec }: QuotaState): Refusal {
  return refuse(
    WaitReason.WaitingForQuota,
    () =>
      `ResearchQuota ${spec.name} has weight 0: it borrows only while no other quota waits for capacity, and one does`,
  );
}

/** The place is there, but someone ahead has been promised it. */
export function heldBack({ workload, at }: Reservation): Refusal {
  const pod = workload.pods[0];
  const whose = pod === undefined ? 'a workload ahead' : `${pod.namespace}/${workload.gang?.name ?? pod.name}`;
  return refuse(
    WaitReason.Reserved,
    () =>
      `it would fit, but its place is held for ${whose}, which starts by ${formatInstant(at)}; ` +
      `a shorter ${annotations.walltime.key} may let it run before`,
  );
}
