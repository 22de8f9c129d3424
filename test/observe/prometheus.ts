import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { alertRules } from '../../tools/generate/observability/alertRules.ts';
import { ensureBinaries, freePort, printProgress, spawnGuarded } from '../../tools/cluster/index.ts';
import { eventually } from '../support/index.ts';

/** One series of an answer, with its present value. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  /** NaN where that is the result. */
  readonly value: number;
}

/** A rule as Prometheus has it. */
export interface RuleState {
  readonly name: string;
  readonly health: string;
  readonly lastError?: string;
  readonly state: 'inactive' | 'pending' | 'firing';
}

/** A real Prometheus that scrapes the operator every second, with the alert rules loaded. */
export interface Prometheus {
  /** Evaluates PromQL now. @throws Error with what Prometheus says is wrong */
  query(expr: string): Promise<readonly Sample[]>;
  rules(): Promise<readonly RuleState[]>;
  stop(): Promise<void>;
}

/** Starts it in a directory of its own, and resolves once it has scraped the operator. @throws Error with its log */
export async function startPrometheus(scraped: string): Promise<Prometheus> {
  const { prometheus } = await ensureBinaries(['prometheus'], printProgress());
  const directory = mkdtempSync(join(tmpdir(), 'moa-prometheus-'));
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: ['alerts.yaml'],
    scrape_configs: [{ job_name: 'moa', static_configs: [{ targets: [scraped] }] }],
  };
  mkdirSync(join(directory, 'data'));
  writeFileSync(join(directory, 'prometheus.json'), JSON.stringify(config));
  writeFileSync(join(directory, 'alerts.yaml'), alertRules());
  const address = `127.0.0.1:${await freePort()}`;
  const log = join(directory, 'log');
  const output = openSync(log, 'a');
  const child = spawnGuarded(
    prometheus,
    [
      ...['--config.file', join(directory, 'prometheus.json'), '--storage.tsdb.path', join(directory, 'data')],
      ...['--web.listen-address', address, '--log.level', 'warn'],
    ],
    { output: { stdout: output, stderr: output } },
  );
  closeSync(output);

  const ask = async <T>(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<T> => {
    const url = `http://${address}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`;
    const response = await fetch(url).catch((cause: unknown) => {
      throw new Error(`Prometheus does not answer ${path}`, { cause });
    });
    const answer = (await response.json()) as { status: string; error?: string; data: T };
    if (answer.status !== 'success') throw new Error(`${parameters['query'] ?? path}: ${answer.error ?? ''}`);
    return answer.data;
  };
  const stop = async () => {
    child.kill('SIGTERM');
    await child.exited;
    rmSync(directory, { recursive: true });
  };
  const server: Prometheus = {
    query: async (expr) => {
      const { result } = await ask<{ result: { metric: Record<string, string>; value: [number, string] }[] }>('query', {
        query: expr,
      });
      return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
    },
    rules: async () => {
      const { groups } = await ask<{ groups: { rules: RuleState[] }[] }>('rules');
      return groups.flatMap(({ rules }) => rules);
    },
    stop,
  };
  try {
    await eventually(
      async () => {
        if ((await server.query('up == 1')).length === 0) throw new Error('the operator is not scraped yet');
      },
      { timeoutMs: 60_000 },
    );
  } catch (error) {
    const said = readFileSync(log, 'utf8');
    await stop();
    throw new Error(`Prometheus does not work; its log:\n${said}`, { cause: error });
  }
  return server;
}
