import process from 'node:process';

import { createTransport, loadKubeConfig } from '../../src/kube/index.ts';
import { attacks } from '../../test/abuse/attacks.ts';
import { quantile, type Latencies } from '../../test/abuse/probe.ts';
import { Scene, type Memory, type Round } from '../../test/abuse/scene.ts';
import { startOperator, TestClient, uniqueName, type TestCluster } from '../../test/support/index.ts';
import { applyCrds, startControlPlane } from '../../tools/cluster/index.ts';
import type { Benchmark, Table } from '../benchmark.ts';
import type { FlagSet } from '../flags.ts';

const flags = {
  nodes: { type: 'number', default: 100, least: 2, most: 2000, meaning: 'nodes of eight GPUs' },
  size: {
    type: 'number',
    default: 10_000,
    least: 6,
    most: 50_000,
    meaning: 'pods of an attack that keeps pods waiting',
  },
  seconds: { type: 'number', default: 15, least: 1, most: 600, meaning: 'of each measurement' },
  rounds: { type: 'number', default: 2, least: 1, most: 50, meaning: 'times that each attack is made, taking turns' },
  inflight: {
    type: 'number',
    default: 20,
    least: 3,
    most: 10_000,
    meaning: 'requests that the API server takes at once; 600 unless it is told otherwise',
  },
  turns: {
    type: 'names',
    names: ['without', 'with'],
    meaning: 'the flow control of the chart, by which namespaces take turns at the API server',
  },
  attacks: { type: 'names', names: attacks.map(({ name }) => name), meaning: 'what one institution does' },
} as const satisfies FlagSet;

/** A round, and whether namespaces took turns. */
interface Measured extends Round {
  readonly turn: string;
}

/** What one institution that does its worst takes from the others. */
export const abuse: Benchmark<typeof flags> = {
  name: 'abuse',
  summary: 'time until a pod of someone else is bound while one institution does its worst, and memory of the operator',
  flags,
  async run({ nodes, size, seconds, rounds, inflight, turns, attacks: names }, signal) {
    const mutating = Math.floor(inflight / 3);
    const apiServerFlags = [
      `--max-requests-inflight=${inflight - mutating}`,
      `--max-mutating-requests-inflight=${mutating}`,
    ];
    const plane = await startControlPlane({ signal, apiServerFlags });
    const client = new TestClient(
      createTransport({ kubeConfig: loadKubeConfig(plane.kubeconfig), userAgent: 'moa-bench' }),
    );
    const done: Measured[] = [];
    const failures: string[] = [];
    try {
      await applyCrds(client.transport);
      const operator = await startOperator(plane);
      const cluster: TestCluster = { plane, kubeconfig: plane.kubeconfig, client, namespace: namespacesOf(client) };
      const scene = await Scene.create(cluster, operator, nodes);
      for (let round = 1; round <= rounds; round++) {
        for (const attack of attacks.filter(({ name }) => names.includes(name))) {
          for (const turn of turns) {
            await scene.takeTurns(turn === 'with');
            const one = { ...(await scene.round(attack, { size, seconds, signal })), turn };
            done.push(one);
            process.stderr.write(`round ${round} of ${rounds}: ${attack.name} ${rowOf([one]).slice(1).join(' | ')}\n`);
          }
        }
      }
      await scene.close();
      await operator.stop();
    } catch (error) {
      signal.throwIfAborted();
      failures.push(error instanceof Error ? error.message : String(error));
    } finally {
      await client.transport.close();
      await plane.stop();
    }
    return {
      table: tableOf(done),
      notes: [
        `Milliseconds from the answer to a pod's creation until a watch shows it bound, p50 / p95 of all rounds; ${nodes} nodes, ${size} pods where an attack keeps pods waiting.`,
        `turns: with or without the flow control of the chart; the API server takes ${inflight} requests at once.`,
        'alone: a pod that the benchmark binds itself at once: what the API server takes, on the same processors as all the rest.',
        'told: until a pod of someone else that cannot start is told why. Memory: resident MiB of the operator, the last without the attack again.',
      ],
      details: { rounds: done },
      failures,
    };
  },
};

function tableOf(rounds: readonly Measured[]): Table {
  const cases = Map.groupBy(rounds, ({ attack, turn }) => `${attack} ${turn}`);
  return {
    columns: [
      'attack',
      'turns',
      'quiet',
      'attacked',
      'times',
      'alone, quiet',
      'alone, attacked',
      'times',
      'told',
      'MiB before / under / after',
    ],
    rows: [...cases.values()].map(rowOf),
  };
}

function rowOf(rounds: readonly Measured[]): readonly (string | number)[] {
  const all = (of: (round: Round) => Latencies, who: keyof Latencies) => rounds.flatMap((round) => of(round)[who]);
  const columns = (who: keyof Latencies) => {
    const quiet = all((round) => round.quiet, who);
    const attacked = all((round) => round.attacked, who);
    const times = quantile(attacked, 0.5) / quantile(quiet, 0.5);
    return [shown(quiet), shown(attacked), times.toFixed(1)];
  };
  const told = quantile(
    rounds.map(({ toldAfterMs }) => toldAfterMs),
    0.5,
  );
  const memory = (of: (round: Round) => Memory) => Math.max(...rounds.map((round) => of(round).resident)).toFixed(0);
  const peaks = [
    memory((one) => one.memory.before),
    memory((one) => one.memory.under),
    memory((one) => one.memory.after),
  ];
  return [
    rounds[0]?.attack ?? '',
    rounds[0]?.turn ?? '',
    ...columns('moa'),
    ...columns('bare'),
    told.toFixed(0),
    peaks.join(' / '),
  ];
}

function shown(values: readonly number[]): string {
  return `${quantile(values, 0.5).toFixed(0)} / ${quantile(values, 0.95).toFixed(0)}`;
}

function namespacesOf(client: TestClient): TestCluster['namespace'] {
  return async (labels = {}) => {
    const name = uniqueName('ns');
    await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
    return name;
  };
}
