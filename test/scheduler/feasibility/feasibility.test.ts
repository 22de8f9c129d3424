import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { eventually, Random, withCluster, type KubeObject, type Pod } from '../../support/index.ts';
import { cellNodeObject, cellObjects, makeCell } from './cell.ts';
import { leavingAnnotation, makeProbe, topics, type Probe, type Topic } from './probe.ts';
import { Judge } from './verdict.ts';

const cells = 90;
const rounds = 24;
const seed = Number(process.env['FEASIBILITY_SEED'] ?? 1);
/** Time for kube-scheduler to see volumes, which it watches apart from pods. */
const settleMs = 250;

/** A pod that kube-scheduler has been asked about. */
interface AskedPod extends Pod {
  readonly status: Pod['status'] & { readonly nominatedNodeName?: string };
}

/**
 * kube-scheduler and Moa's core are asked the same: may this pod run on this node? Each pod can run on one node alone,
 * and each cell of nodes is asked one question at a time, so that an answer depends on nothing but what is there.
 */
describe('feasibility beside kube-scheduler', () => {
  // No controllers: nothing but the scheduler may change what was created.
  const cluster = withCluster({ kwok: false, controllerManager: false, kubeScheduler: true });
  const random = new Random(seed);
  const all = Array.from({ length: cells }, (_, id) => makeCell(id, random));

  before(async () => {
    const { client } = cluster;
    await atOnce(all.flatMap(cellObjects), (object) => client.create(object));
    await atOnce(
      all.flatMap(({ nodes }) => nodes),
      async (node) => {
        const created = await client.create(cellNodeObject(node));
        // The API server marks every new node as not ready.
        await client.patch(created, { spec: { taints: node.taints, unschedulable: node.cordoned } });
      },
    );
  });

  it(`says the same as kube-scheduler for ${cells * rounds} pods and nodes over all filters`, async (context) => {
    const tally = new Map(topics.map((topic) => [topic, { yes: 0, no: 0 }]));
    const disagreements: string[] = [];
    for (let round = 0; round < rounds; round++) {
      const probes = all.map((cell) => makeProbe(topics[(round + cell.id) % topics.length] as Topic, cell, random));
      for (const { probe, ours, theirs, said } of await ask(probes)) {
        const counts = tally.get(probe.topic);
        if (counts !== undefined) counts[theirs ? 'yes' : 'no']++;
        if (ours === theirs) continue;
        disagreements.push(
          `${probe.topic}: ${probe.pod.metadata.name} on ${probe.node.name}: Moa ${answer(ours)}, kube-scheduler ` +
            `${answer(theirs)} (${said})\n${JSON.stringify({ pod: probe.pod, node: probe.node, before: probe.before })}`,
        );
      }
    }
    for (const [topic, { yes, no }] of tally) context.diagnostic(`${topic}: ${yes} yes, ${no} no`);
    assert.deepEqual(disagreements, []);
    for (const [topic, { yes, no }] of tally) assert.ok(Math.min(yes, no) >= 15, `${topic}: ${yes} yes, ${no} no`);
  });

  /** Puts the questions, one to a cell, and clears away what was asked; what is bound stays now and then. */
  async function ask(probes: readonly Probe[]) {
    const { client } = cluster;
    await atOnce(probes, async ({ before }) => {
      for (const object of before) await createWhole(object);
    });
    const pods = await atOnce(probes, ({ pod }) => client.create<Pod>(gated(pod)));
    await atOnce(probes, async ({ owned }, i) => {
      for (const claim of owned) await client.create(ownedBy(claim, pods[i] as Pod));
    });
    await sleep(settleMs);
    const judge = await Judge.read(client, new Set(pods.map(({ metadata }) => metadata.uid ?? '')));
    const questions = probes.map(({ node }, i) => ({ pod: pods[i] as Pod, nodeName: node.name }));
    const ours = judge.answer(questions);
    await atOnce(pods, (pod) => client.patch(pod, { spec: { schedulingGates: null } }));
    const answers = await eventually(() => answersOf(pods, probes), { timeoutMs: 30_000, everyMs: 100 });
    await atOnce(probes, async ({ before, owned }, i) => {
      await client.delete(pods[i] as Pod, { gracePeriodSeconds: 0 });
      for (const object of [...before, ...owned]) await clear(object);
    });
    return probes.map((probe, i) => ({ probe, ours: ours[i] === true, ...(answers[i] as Answer) }));
  }

  interface Answer {
    readonly theirs: boolean;
    readonly said: string;
  }

  /** kube-scheduler binds volumes before the pod; without controllers it then waits for them for ever: that is a yes. */
  async function answersOf(pods: readonly Pod[], probes: readonly Probe[]): Promise<Answer[]> {
    const { client } = cluster;
    const names = new Set(pods.map(({ metadata }) => metadata.name));
    const now = await client.list<AskedPod>({ apiVersion: 'v1', kind: 'Pod' });
    const byName = new Map(
      now.filter(({ metadata }) => names.has(metadata.name)).map((pod) => [pod.metadata.name, pod]),
    );
    return probes.map((probe, i): Answer => {
      const pod = byName.get((pods[i] as Pod).metadata.name);
      assert.ok(pod);
      if (pod.spec.nodeName !== undefined) return { theirs: true, said: 'bound' };
      const scheduled = pod.status.conditions?.find(({ type }) => type === 'PodScheduled');
      const refused = scheduled?.status === 'False' && scheduled.reason !== 'SchedulingGated';
      if (refused) return { theirs: false, said: scheduled.message ?? '' };
      assert.equal(pod.status.nominatedNodeName, probe.node.name, `${pod.metadata.name} (${probe.topic}) waits`);
      return { theirs: true, said: 'binding volumes' };
    });
  }

  /** The API server ignores the status of a new volume. */
  async function createWhole(object: KubeObject): Promise<void> {
    const { client } = cluster;
    const { status } = object as { readonly status?: object };
    const created = await client.create(object);
    if (object.metadata.annotations?.[leavingAnnotation] !== undefined) await client.delete(object);
    if (object.kind === 'PersistentVolume' && status !== undefined) await client.patch(created, { status }, 'status');
  }

  async function clear(object: KubeObject): Promise<void> {
    const { client } = cluster;
    const protectedBy = object.kind.startsWith('PersistentVolume');
    if (protectedBy) await client.patch(object, { metadata: { finalizers: null } });
    await client.delete(object, { gracePeriodSeconds: 0 });
  }
});

/** The probe cannot be scheduled before everything that it needs is there. */
function gated(pod: KubeObject): KubeObject {
  const { spec, ...rest } = pod as KubeObject & { readonly spec: object };
  return { ...rest, spec: { ...spec, schedulingGates: [{ name: 'example.test/wait' }] } } as KubeObject;
}

function ownedBy(claim: KubeObject, { metadata }: Pod): KubeObject {
  const owner = { apiVersion: 'v1', kind: 'Pod', name: metadata.name, uid: metadata.uid, controller: true };
  return { ...claim, metadata: { ...claim.metadata, ownerReferences: [owner] } } as KubeObject;
}

function answer(yes: boolean): string {
  return yes ? 'yes' : 'no';
}

/** Does something for each of many, a good number at a time. @returns the results in order */
async function atOnce<T, R>(items: readonly T[], work: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array<R>(items.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i] as T, i);
  };
  await Promise.all(Array.from({ length: 24 }, worker));
  return results;
}
