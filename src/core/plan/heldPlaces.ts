import type { Ask, Backfill } from '../backfill/index.ts';
import { placeAt, release, type Feasibility, type PlacedPod } from '../place/index.ts';
import type { Nomination, Reservation, Snapshot, Workload } from '../snapshot/index.ts';
import { milli } from '../units/index.ts';
import type { Proposal } from './proposals.ts';
import { refusalByLimits, refusalByQuota, type Limits } from './checks.ts';
import type { Kin } from './kin.ts';

/** A workload for which others were evicted, and the place that it was given. */
interface HeldPlace {
  readonly kin: Kin;
  readonly workload: Workload;
  readonly proposal: Proposal;
  readonly placed: readonly PlacedPod[];
}

/** A reservation that keeps the places of several workloads of one quota. */
export interface KeptPlaces {
  readonly reservation: Reservation;
  readonly kins: readonly Kin[];
  readonly workloads: readonly Workload[];
  readonly ask: Ask;
}

/** A workload that starts where its place was held. */
export interface StartedInPlace {
  readonly kin: Kin;
  readonly workload: Workload;
  readonly pods: readonly PlacedPod[];
  readonly asBorrower: boolean;
}

/** What became of the places that were held. */
export interface Honoured {
  readonly started: readonly StartedInPlace[];
  readonly kept: readonly KeptPlaces[];
}

/**
 * Looks after the places that earlier plans gave away (DESIGN.md section 4.2: the space is held until it starts), before
 * anyone else has a turn: whose place is free starts there, whose place is still being freed keeps it. A place that is
 * lost, as its node has failed or its quota has shrunk, is given up, and its workload has its turn like all others, only
 * first.
 *
 * Cost: O(pods that have a place + pods that are being deleted).
 *
 * @param kins those with a nomination, in its order
 */
export function honourPlaces(
  context: { readonly limits: Limits; readonly feasibility: Feasibility; readonly backfill: Backfill },
  kins: readonly Kin[],
  proposalOf: (kin: Kin, workload: Workload) => Proposal | undefined,
): Honoured {
  const { limits, feasibility, backfill } = context;
  const { snapshot } = limits;
  const started: StartedInPlace[] = [];
  const waiting: HeldPlace[] = [];
  for (const kin of kins) {
    const place = heldPlace(snapshot, kin, proposalOf);
    if (place === undefined) continue;
    const { workload, placed, proposal } = place;
    const admitted = refusalByQuota(limits, { kin, workload }, proposal.option) === undefined;
    snapshot.tryAsBorrowers(workload.pods, proposal.asBorrower);
    if (!admitted || !backfill.placeAt(proposal.ask, placed)) waiting.push(place);
    else {
      limits.budgets.spend(kin, proposal.option);
      started.push({ kin, workload, pods: placed, asBorrower: proposal.asBorrower });
    }
  }
  if (waiting.length === 0) return { started, kept: [] };

  const tenable = backfill.prospect(() => {
    const held = waiting.filter(({ kin, workload, proposal: { option, ask }, placed }) => {
      const { quota } = kin;
      if (quota?.pool === undefined || quota.pool.tree.available(quota.index) < ask.cost) return false;
      if (refusalByLimits(limits, { kin, workload }, option) !== undefined) return false;
      return placeAt(snapshot, feasibility, placed);
    });
    for (const { placed } of held.toReversed()) release(snapshot, placed);
    return held;
  });
  const kept: KeptPlaces[] = [];
  for (const places of Map.groupBy(tenable, ({ kin }) => kin.quota).values()) {
    const ask = askForAll(places);
    if (ask === undefined) continue;
    const reservation = backfill.keep(
      ask,
      places.flatMap(({ placed }) => placed),
    );
    kept.push({
      reservation,
      kins: places.map(({ kin }) => kin),
      workloads: places.map(({ workload }) => workload),
      ask,
    });
  }
  return { started, kept };
}

function heldPlace(
  snapshot: Snapshot,
  kin: Kin,
  proposalOf: (kin: Kin, workload: Workload) => Proposal | undefined,
): HeldPlace | undefined {
  const workload = kin.head;
  const nomination = workload === undefined ? undefined : snapshot.nominationOf(workload.key);
  if (workload === undefined || nomination === undefined) return undefined;
  const proposal = proposalOf(kin, workload);
  const placed = placesOf(snapshot, workload, nomination);
  return proposal === undefined || placed === undefined ? undefined : { kin, workload, proposal, placed };
}

function placesOf(snapshot: Snapshot, { pods }: Workload, { nodes }: Nomination): readonly PlacedPod[] | undefined {
  const placed: PlacedPod[] = [];
  for (const pod of pods) {
    const node = snapshot.nodes.idOf(nodes.get(pod.uid) ?? '');
    if (node === undefined) return undefined;
    placed.push({ pod, node });
  }
  return placed;
}

/** What all of them ask for together. */
function askForAll(places: readonly HeldPlace[]): Ask | undefined {
  const first = places[0]?.proposal.ask;
  if (first === undefined) return undefined;
  const asks = places.map(({ proposal }) => proposal.ask);
  return {
    ...first,
    workload: { ...first.workload, pods: asks.flatMap(({ workload }) => workload.pods) },
    request: asks.flatMap(({ request }) => request),
    cost: milli(asks.reduce((sum, { cost }) => sum + cost, 0)),
    walltime: Math.max(...asks.map(({ walltime }) => walltime)),
  };
}
