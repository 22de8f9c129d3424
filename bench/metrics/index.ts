import { AccessTimes, stateSample, type ManifestStores, type ResourceProjection } from '../../src/controllers/index.ts';
import { plan } from '../../src/core/plan/index.ts';
import { Store } from '../../src/kube/index.ts';
import { createMetrics } from '../../src/observe/index.ts';
import type { Benchmark } from '../benchmark.ts';
import type { FlagSet } from '../flags.ts';
import { boundTo, gpusPerNode, makeNodes, PodMaker } from '../core/manifests.ts';
import { collectGarbage, quantile, takeAttendance, timed } from '../core/timing.ts';
import { devicesOf, fleetOf, hour, institutions, policyOf, start } from '../core/world.ts';

const flags = {
  quotas: { type: 'number', default: 10_000, least: 20, most: 100_000, meaning: 'quotas, each with a budget' },
  nodes: { type: 'number', default: 10_000, least: 1, most: 100_000, meaning: 'nodes of eight devices, all held' },
  waiting: { type: 'number', default: 10_000, least: 0, most: 1_000_000, meaning: 'workloads that wait' },
  rounds: { type: 'number', default: 15, least: 3, most: 1000, meaning: 'pages that are measured' },
} as const satisfies FlagSet;

/** How long everything else may stand still for a page, and how long a page may take: two seconds at a scrape each 30 s. */
const blockLimitMs = 500;
const pageLimitMs = 2000;

/** What a page of /metrics costs the leader of a full cluster. */
export const metrics: Benchmark<typeof flags> = {
  name: 'metrics',
  summary: 'a page of /metrics with thousands of quotas, nodes and waiting workloads',
  flags,
  async run({ quotas, nodes, waiting, rounds }) {
    const { fleet, manifests, record } = world({ quotas, nodes, waiting });
    const page = createMetrics({ version: 'bench' });
    for (const { spec } of fleet.snapshot(start).policy.quotas.values()) page.admissions.inc({ quota: spec.name });
    const gather: number[] = [];
    const print: number[] = [];
    const blocks: number[] = [];
    let bytes = 0;
    for (let round = 0; round < rounds; round++) {
      collectGarbage();
      const snapshot = fleet.snapshot(start + hour + round);
      gather.push(
        timed(() => page.recordState(stateSample(snapshot, { record, manifests, now: start + hour + round }))).ms,
      );
      const began = performance.now();
      const watch = watchBlocks();
      bytes = (await page.render()).body.length;
      print.push(performance.now() - began);
      blocks.push(watch.stop());
    }
    const median = (values: readonly number[]): number => Math.round(quantile(values, 0.5));
    const present = Math.round(100 * takeAttendance());
    const longest = Math.max(median(gather), median(blocks));
    const whole = median(gather) + median(print);
    return {
      table: {
        columns: ['quotas', 'gather ms', 'print ms', 'longest block ms', 'MB'],
        rows: [[quotas, median(gather), median(print), longest, (bytes / 1e6).toFixed(1)]],
      },
      notes: [
        `${nodes} nodes, ${nodes} pods that hold all their devices, ${waiting} workloads that wait. Medians of ${rounds} pages.`,
        'gather: working out the state, at a stretch. print: the page, with turns for others in between.',
        `While it gathered, the thread had a processor for ${present} % of the time.`,
      ],
      details: { gather, print, blocks, bytes },
      failures: [
        ...(longest > blockLimitMs ? [`everything stood still for ${longest} ms, limit ${blockLimitMs} ms`] : []),
        ...(whole > pageLimitMs ? [`a page took ${whole} ms, limit ${pageLimitMs} ms`] : []),
      ],
    };
  },
};

function world(size: { readonly quotas: number; readonly nodes: number; readonly waiting: number }) {
  const nodes = makeNodes(size.nodes);
  const { names, quotas } = institutions(size.quotas, devicesOf(nodes));
  const fleet = fleetOf(policyOf(quotas), nodes);
  const maker = new PodMaker();
  const nameOf = (i: number): string => names[i % names.length] ?? '';
  nodes.forEach((node, i) => {
    const pod = maker.make({ quota: nameOf(i), devices: gpusPerNode, createdAt: start });
    fleet.upsertPod(boundTo(pod, node.name, start));
  });
  for (let i = 0; i < size.waiting; i++)
    fleet.upsertPod(maker.make({ quota: nameOf(i), devices: 1 + (i % 8), createdAt: start + i }));
  const now = start + hour;
  const { waiting, reserve } = plan(fleet.snapshot(now), now, { maxPods: 1 });
  const manifests: ManifestStores = { pools: new Store(), quotas: new Store(), investments: new Store() };
  manifests.quotas.replace(quotas.map(({ name }) => withBudget(name)));
  return { fleet, manifests, record: { waiting, reservations: reserve, access: new AccessTimes() } };
}

/** A quota as the store has it, as far as the page reads it. */
function withBudget(name: string): ResourceProjection<'ResearchQuota'> {
  const budget = { granted: '2242560', carriedOver: '0', used: '1000.5', reserved: '12', remaining: '2241547.5' };
  const metadata = { uid: name, namespace: '', name, resourceVersion: '1', generation: 1 };
  return { ...metadata, parsed: { ok: false, problems: [] }, status: { budget } };
}

/** Notes for how long, at the most, nobody else got a turn. */
function watchBlocks(): { stop(): number } {
  let longest = 0;
  let last = performance.now();
  let running = true;
  const turn = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  return {
    stop: () => {
      running = false;
      return longest;
    },
  };
}
