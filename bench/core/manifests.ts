import { annotations, foreignKeys, labels, schedulerName } from '../../src/api/v1alpha1/constants/index.ts';
import { PodReader, readNode, type NodeFacts, type Pod, type PodFacts } from '../../src/core/snapshot/index.ts';
import { randomFrom } from './random.ts';

export const gpusPerNode = 8;
export const gpuResource = 'nvidia.com/gpu';
export const model = 'NVIDIA-H200';

/** Node labels of the simulated wiring, widest first. */
export const zoneLabel = 'topology.kubernetes.io/zone';
export const blockLabel = labels.block.key;
export const cliqueLabel = 'nvidia.com/gpu.clique';

/** Shares of the nodes that stand in each zone. */
const zoneShares = [0.4, 0.3, 0.2, 0.1];
const nodesOfBlock = 255;
/** NVLink domains as they are met: uneven, some of one node only. */
const nodesOfCliques = [9, 9, 7, 9, 4, 9, 11, 1, 9, 8, 9, 2, 10];

/**
 * Nodes of eight GPUs in zones, blocks and cliques of uneven sizes, read from manifests with the labels, amounts and
 * conditions of a real one.
 */
export function makeNodes(count: number): readonly NodeFacts[] {
  const nodes: NodeFacts[] = [];
  let left = count;
  zoneShares.forEach((share, zone) => {
    const inZone = zone === zoneShares.length - 1 ? left : Math.round(count * share);
    left -= inZone;
    let clique = 0;
    for (let inClique = 0, i = 0; i < inZone; i++, inClique++) {
      const startsBlock = i % nodesOfBlock === 0;
      if (i > 0 && (startsBlock || inClique === nodesOfCliques[clique % nodesOfCliques.length])) {
        clique++;
        inClique = 0;
      }
      const wiring = {
        [zoneLabel]: `zone-${zone}`,
        [blockLabel]: `block-${zone}-${Math.floor(i / nodesOfBlock)}`,
        [cliqueLabel]: `clique-${zone}-${clique}`,
      };
      nodes.push(readNode(parsed(nodeObject(`gpu-${String(nodes.length).padStart(6, '0')}`, wiring))));
    }
  });
  return nodes;
}

function nodeObject(name: string, wiring: Readonly<Record<string, string>>) {
  return {
    metadata: {
      name,
      labels: {
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/os': 'linux',
        [foreignKeys.hostname.key]: name,
        'node.kubernetes.io/instance-type': 'hgx-h200-8',
        'nvidia.com/gpu.product': model,
        'nvidia.com/gpu.count': String(gpusPerNode),
        'nvidia.com/gpu.memory': '143771',
        'nvidia.com/cuda.driver.major': '570',
        'topology.kubernetes.io/region': 'kr',
        ...wiring,
      },
    },
    spec: {},
    status: {
      conditions: [{ type: 'Ready', status: 'True' }],
      allocatable: {
        cpu: '192',
        memory: '2Ti',
        'ephemeral-storage': '7Ti',
        pods: '250',
        [gpuResource]: String(gpusPerNode),
      },
    },
  };
}

/** What one pod of a benchmark asks for. */
export interface PodWish {
  /** Name of the quota, and of its namespace. */
  readonly quota: string;
  readonly devices: number;
  readonly user?: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** A duration as people write it. */
  readonly walltime?: string;
  readonly gang?: { readonly name: string; readonly size: number };
  /** Node label one domain of which must hold the whole gang. */
  readonly within?: string;
  /** Cores; 16 for each device unless given. */
  readonly cpu?: number;
  /** Further fields of the pod's spec. */
  readonly spec?: object;
  /** Bound there since `createdAt`. */
  readonly nodeName?: string;
}

/** Pods of one owner: a job array of one user. */
const podsOfOwner = 50;

/** Makes pods as the watch delivers them: parsed from JSON, with a name and uid of their own, read by one reader. */
export class PodMaker {
  readonly #reader = new PodReader();
  readonly #random = randomFrom(1);
  /** By namespace and user, the job that makes their pods now. */
  readonly #jobs = new Map<string, { readonly owner: string; pods: number }>();
  #made = 0;

  make(wish: PodWish): Pod {
    const owner = this.#ownerFor(`${wish.quota}/${wish.user ?? ''}`);
    const name = `train-${owner.slice(0, 8)}-${String(this.#made++).padStart(7, '0')}`;
    return this.#reader.read(parsed(podObject(wish, { name, uid: this.#uid(), owner })));
  }

  #ownerFor(whose: string): string {
    let job = this.#jobs.get(whose);
    if (job === undefined || job.pods === podsOfOwner) {
      job = { owner: this.#uid(), pods: 0 };
      this.#jobs.set(whose, job);
    }
    job.pods++;
    return job.owner;
  }

  #uid(): string {
    const hex = Array.from({ length: 4 }, () => this.#random().toString(16).padStart(8, '0')).join('');
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  }
}

/** The pod as the watch shows it once it runs on a node, bound at `boundAt` (epoch milliseconds). */
export function boundTo(pod: PodFacts, nodeName: string, boundAt: number): PodFacts {
  if (!wasRead(pod)) throw new TypeError(`${pod.name} was not read from a manifest`);
  return pod.runningOn(nodeName, boundAt);
}

function wasRead(pod: PodFacts): pod is Pod {
  return 'runningOn' in pod;
}

function podObject(wish: PodWish, own: { readonly name: string; readonly uid: string; readonly owner: string }) {
  const { devices, cpu = devices * 16, gang, within, walltime, user, nodeName, spec } = wish;
  const createdAt = new Date(wish.createdAt).toISOString();
  return {
    metadata: {
      name: own.name,
      namespace: wish.quota,
      uid: own.uid,
      creationTimestamp: createdAt,
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'train', uid: own.owner, controller: true }],
      labels: {
        ...(user === undefined ? {} : { [labels.user.key]: user }),
        ...(gang === undefined ? {} : { [labels.gang.key]: gang.name }),
      },
      annotations: {
        ...(gang === undefined ? {} : { [annotations.gangSize.key]: String(gang.size) }),
        ...(within === undefined ? {} : { [annotations.topology.key]: within }),
        ...(walltime === undefined ? {} : { [annotations.walltime.key]: walltime }),
      },
    },
    spec: {
      schedulerName,
      ...(nodeName === undefined ? {} : { nodeName }),
      ...spec,
      containers: [
        {
          name: 'main',
          resources: {
            requests: { cpu: String(cpu), memory: `${devices * 128}Gi`, [gpuResource]: String(devices) },
          },
        },
      ],
    },
    status:
      nodeName === undefined
        ? { phase: 'Pending' }
        : {
            phase: 'Running',
            conditions: [{ type: 'PodScheduled', status: 'True', lastTransitionTime: createdAt }],
          },
  };
}

function parsed(manifest: object): Readonly<Record<string, unknown>> {
  return JSON.parse(JSON.stringify(manifest)) as Readonly<Record<string, unknown>>;
}
