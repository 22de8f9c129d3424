import { schedulerName } from '../../../src/api/v1alpha1/constants/index.ts';
import { Feasibility } from '../../../src/core/place/index.ts';
import {
  Fleet,
  objectOf,
  PodReader,
  readClaim,
  readCsiNode,
  readNode,
  readStorageClass,
  readVolume,
  textMembersOf,
} from '../../../src/core/snapshot/index.ts';
import type { KubeObject, TestClient } from '../../support/index.ts';

type Raw = Readonly<Record<string, unknown>>;

/** Answers the question as Moa does: with the core's own code, from what the API server holds. */
export class Judge {
  readonly #fleet: Fleet;
  readonly #reader: PodReader;

  private constructor(fleet: Fleet, reader: PodReader) {
    this.#fleet = fleet;
    this.#reader = reader;
  }

  /** Reads the cluster. Pods that are named in `except` are not there yet. */
  static async read(client: TestClient, except: ReadonlySet<string>): Promise<Judge> {
    const list = (apiVersion: string, kind: string) => client.list({ apiVersion, kind });
    const [namespaces, nodes, pods, claims, volumes, classes, csiNodes] = await Promise.all([
      list('v1', 'Namespace'),
      list('v1', 'Node'),
      list('v1', 'Pod'),
      list('v1', 'PersistentVolumeClaim'),
      list('v1', 'PersistentVolume'),
      list('storage.k8s.io/v1', 'StorageClass'),
      list('storage.k8s.io/v1', 'CSINode'),
    ]);
    const fleet = new Fleet();
    const reader = new PodReader();
    fleet.setPolicy({
      pools: [],
      quotas: [],
      investments: [],
      unreadablePools: [],
      namespaces: namespaces.map(({ metadata }) => ({ name: metadata.name, labels: textMembersOf(metadata.labels) })),
    });
    for (const raw of claims) fleet.storage.putClaim(readClaim(asRaw(raw)));
    for (const raw of volumes) fleet.storage.putVolume(readVolume(asRaw(raw)));
    for (const raw of classes) fleet.storage.putClass(readStorageClass(asRaw(raw)));
    for (const raw of csiNodes) fleet.storage.putCsiNode(readCsiNode(asRaw(raw)));
    for (const raw of nodes) fleet.upsertNode(readNode(asRaw(raw)));
    for (const raw of pods) if (!except.has(raw.metadata.uid ?? '')) fleet.upsertPod(reader.read(asRaw(raw)));
    return new Judge(fleet, reader);
  }

  /** Reads the pods, so that their selectors are known; then answers for each whether it may run on its node. */
  answer(questions: readonly { readonly pod: KubeObject; readonly nodeName: string }[]): boolean[] {
    const facts = questions.map(({ pod }) => this.#reader.read(asOurs(pod)));
    for (const pod of facts) this.#fleet.upsertPod(pod);
    const snapshot = this.#fleet.snapshot(0);
    const feasibility = new Feasibility(snapshot);
    return facts.map((pod, i) => {
      const node = snapshot.nodes.idOf(questions[i]?.nodeName ?? '');
      if (node === undefined || pod.shape.unsupported !== undefined)
        throw new Error(pod.shape.unsupported ?? 'no such node');
      const profile = snapshot.nodes.profileOf(node);
      if (!feasibility.profilesOf(pod.shape).includes(profile) || !feasibility.accepts(pod.shape, node)) return false;
      if (snapshot.nodes.copiesThatFit(node, snapshot.requestOf(pod.shape)) < 1) return false;
      return feasibility.allows(pod, node);
    });
  }
}

function asRaw(object: KubeObject): Raw {
  return object as unknown as Raw;
}

/** The pod as it would be, had it been left to Moa and not held back. */
function asOurs(pod: KubeObject): Raw {
  const raw = asRaw(pod);
  return { ...raw, spec: { ...objectOf(raw['spec']), schedulerName, schedulingGates: [] } };
}
