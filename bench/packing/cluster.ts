import type { OpenbNode, OpenbPod } from '../../src/sim/traces/index.ts';

/** A node while pods are placed on it. */
export interface NodeState {
  readonly model: string;
  cpuMilli: number;
  memoryMib: number;
  /** What is free of each device, in thousandths. */
  readonly devices: number[];
  /** Grows with every pod placed. */
  version: number;
}

export function emptyNode({ model, cpuMilli, memoryMib, gpus }: OpenbNode): NodeState {
  return { model, cpuMilli, memoryMib, devices: new Array<number>(gpus).fill(1000), version: 0 };
}

export function copyOf(node: NodeState): NodeState {
  return { ...node, devices: [...node.devices] };
}

export function fits(node: NodeState, pod: OpenbPod): boolean {
  if (node.cpuMilli < pod.cpuMilli || node.memoryMib < pod.memoryMib) return false;
  if (pod.models.length > 0 && !pod.models.includes(node.model)) return false;
  let devices = 0;
  for (const free of node.devices) if (free >= pod.gpuMilli) devices++;
  return devices >= pod.gpus;
}

/** Puts a pod that fits on a node; a part of a device on `device`, by default the one with the least left. */
export function put(node: NodeState, pod: OpenbPod, device = tightestDevice(node, pod)): void {
  node.cpuMilli -= pod.cpuMilli;
  node.memoryMib -= pod.memoryMib;
  node.version++;
  if (pod.gpus === 1) node.devices[device]! -= pod.gpuMilli;
  else for (let left = pod.gpus; left > 0; left--) node.devices[node.devices.indexOf(1000)] = 0;
}

export function freeMilli(node: NodeState): number {
  let sum = 0;
  for (const free of node.devices) sum += free;
  return sum;
}

/** Indices of the devices that hold one device's worth of the pod. */
export function devicesFor(node: NodeState, pod: OpenbPod): number[] {
  return node.devices.flatMap((free, i) => (free >= pod.gpuMilli ? [i] : []));
}

function tightestDevice(node: NodeState, pod: OpenbPod): number {
  let best = -1;
  node.devices.forEach((free, i) => {
    if (free >= pod.gpuMilli && (best < 0 || free < node.devices[best]!)) best = i;
  });
  return best;
}
