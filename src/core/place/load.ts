import type { AcceleratorRequest, NodeProfile, PodShape, SlottedRequest, Snapshot } from '../snapshot/index.ts';

/** What a node must hold at once: one pod, or several as one. */
export interface Load {
  readonly request: SlottedRequest;
  readonly accelerators: readonly AcceleratorRequest[];
  /** The node must accept each. */
  readonly shapes: readonly PodShape[];
  readonly profiles: readonly NodeProfile[];
}

/** One pod of a shape, on nodes of these profiles. */
export function loadOfPod(snapshot: Snapshot, shape: PodShape, profiles: readonly NodeProfile[]): Load {
  return {
    request: snapshot.requestOf(shape),
    accelerators: snapshot.acceleratorsOf(shape),
    shapes: [shape],
    profiles,
  };
}

/** All of `parts` on one node. Each part is `copies` of a load; only profiles that all of them may use are left. */
export function sumOfLoads(parts: readonly { readonly load: Load; readonly copies: number }[]): Load {
  const amounts = new Map<number, number>();
  const accelerators: AcceleratorRequest[] = [];
  let profiles = parts[0]?.load.profiles ?? [];
  for (const { load, copies } of parts) {
    load.request.slots.forEach((slot, i) => {
      amounts.set(slot, (amounts.get(slot) ?? 0) + (load.request.amounts[i] ?? 0) * copies);
    });
    accelerators.push(...load.accelerators.map((a) => ({ ...a, devices: a.devices * copies })));
    const allowed = new Set(load.profiles.map(({ id }) => id));
    profiles = profiles.filter(({ id }) => allowed.has(id));
  }
  return {
    request: { slots: [...amounts.keys()], amounts: [...amounts.values()] },
    accelerators,
    shapes: parts.flatMap(({ load }) => load.shapes),
    profiles,
  };
}
