import { labels, funding } from '../../src/api/v1alpha1/index.ts';
import type { SimulatedNode } from '../cluster/index.ts';

/** One model of node, and the accelerator class that its devices are. */
export interface NodeModel {
  readonly class: string;
  readonly product: string;
  /** Normalized GPUs per device, as in a manifest. A price set for the demo, not a benchmark. */
  readonly weight: string;
  readonly powerWatts: number;
  readonly gpus: number;
}

const b200 = { class: 'b200', product: 'NVIDIA-B200', weight: '2', powerWatts: 1000, gpus: 8 };
const h200 = { class: 'h200', product: 'NVIDIA-H200', weight: '1', powerWatts: 700, gpus: 8 };
const a100 = { class: 'a100', product: 'NVIDIA-A100-SXM4-80GB', weight: '0.25', powerWatts: 400, gpus: 4 };
const l40s = { class: 'l40s', product: 'NVIDIA-L40S', weight: '0.2', powerWatts: 350, gpus: 2 };

/** The models of the fleet; each is one accelerator class. */
export const nodeModels: readonly NodeModel[] = [b200, h200, a100, l40s];

/** A mixed fleet as it grows over years: of ten nodes two are of either new kind, six are older and smaller. */
const mixture: readonly NodeModel[] = [b200, h200, a100, l40s, b200, l40s, h200, l40s, a100, l40s];

const zones = ['daejeon', 'gwangju', 'busan', 'seoul'] as const;
/** Nodes of one site that share a network block. */
const blockNodes = 16;

/** The first `count` nodes of the fleet, always the same ones. */
export function fleetOf(count: number): SimulatedNode[] {
  return Array.from({ length: count }, (_, index) => {
    const model = mixture[index % mixture.length] ?? h200;
    const zone = zones[Math.floor(index / blockNodes) % zones.length] ?? zones[0];
    const block = `${zone}-${Math.floor(index / blockNodes / zones.length)}`;
    return node(model, index, { 'topology.kubernetes.io/zone': zone, [labels.block.key]: block });
  });
}

/** Nodes that the fleet needs for at least so many devices. */
export function nodesFor(gpus: number): number {
  let count = 0;
  for (let devices = 0; devices < gpus; count += 1) devices += mixture[count % mixture.length]?.gpus ?? 0;
  return count;
}

/** Devices of a fleet, and what they are worth in thousandths of a normalized GPU. */
export function capacityOf(fleet: readonly SimulatedNode[]): { gpus: number; milliGpus: number } {
  let gpus = 0;
  let milliGpus = 0;
  for (const { labels: nodeLabels } of fleet) {
    const model = nodeModels.find(({ product }) => product === nodeLabels?.['nvidia.com/gpu.product']);
    if (model === undefined) continue;
    gpus += model.gpus;
    milliGpus += model.gpus * Math.round(Number(model.weight) * 1000);
  }
  return { gpus, milliGpus };
}

/** A matching investment: what is promised, and which nodes arrive when. */
export interface InvestmentPlan {
  readonly name: string;
  /** Devices of class h200 that the investor brings. */
  readonly investorGpus: number;
  /** Devices of class b200 that the state adds: worth as much. */
  readonly stateGpus: number;
  /** What it buys once all has arrived, in normalized GPUs: all of the investor's and half of the state's. */
  readonly entitlement: number;
  readonly deliveries: readonly { readonly atSeconds: number; readonly nodes: readonly SimulatedNode[] }[];
}

/** Share of the time after which each delivery arrives: the investor's nodes in two, then the state's. */
const deliveryTimes = [0.3, 0.45, 0.6] as const;

/**
 * An investment of about a twentieth of a fleet in H200 nodes, matched by the state with half as many B200 nodes.
 *
 * @param fleetNodes nodes of the fleet that it is added to
 * @param seconds over which its nodes arrive
 */
export function investmentPlan(name: string, fleetNodes: number, seconds: number): InvestmentPlan {
  const pairs = Math.max(1, Math.round(fleetNodes / 40));
  const nodes = (model: NodeModel, payer: string, count: number) =>
    Array.from({ length: count }, (_, index) =>
      node(model, index, { [labels.investment.key]: name, [labels.funding.key]: payer }, payer),
    );
  const investor = nodes(h200, funding.investor, 2 * pairs);
  const steps = [investor.slice(0, pairs), investor.slice(pairs), nodes(b200, funding.state, pairs)];
  return {
    name,
    investorGpus: 2 * pairs * h200.gpus,
    stateGpus: pairs * b200.gpus,
    entitlement: 1.5 * 2 * pairs * h200.gpus,
    deliveries: steps.map((arriving, step) => ({ atSeconds: (deliveryTimes[step] ?? 1) * seconds, nodes: arriving })),
  };
}

function node(
  model: NodeModel,
  index: number,
  nodeLabels: Readonly<Record<string, string>>,
  prefix = 'node',
): SimulatedNode {
  return {
    name: `${prefix}-${model.class}-${String(index).padStart(4, '0')}`,
    labels: { 'nvidia.com/gpu.product': model.product, 'nvidia.com/gpu.count': String(model.gpus), ...nodeLabels },
    capacity: { 'nvidia.com/gpu': String(model.gpus) },
  };
}
