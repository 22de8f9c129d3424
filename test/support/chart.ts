import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { loadAll } from 'js-yaml';

import { ensureBinaries, printProgress } from '../../tools/cluster/index.ts';
import type { KubeObject } from './manifests.ts';

/** Name and namespace of the release that tests render. */
export const release = { name: 'moa', namespace: 'moa-system' } as const;

/** What the API server of the local control plane serves, as Helm finds it out when it installs. */
const served = ['ValidatingAdmissionPolicy', 'MutatingAdmissionPolicy'].flatMap((kind) => [
  '--api-versions',
  `admissionregistration.k8s.io/v1/${kind}`,
]);

const chart = fileURLToPath(new URL('../../charts/moa', import.meta.url));

/**
 * What the real Helm makes of some templates of the chart, as release {@link release}. The other templates are left
 * out, so that it is quick.
 *
 * @param parts files or folders below `templates/`
 * @param values over those of values.yaml, as `--set-json` takes them: `{'isolation.enabled': false}`
 */
export async function renderChart(
  parts: readonly string[],
  values: Readonly<Record<string, unknown>> = {},
): Promise<readonly KubeObject[]> {
  const { helm } = await ensureBinaries(['helm'], printProgress());
  const directory = mkdtempSync(join(tmpdir(), 'moa-chart-'));
  try {
    const helpers = readdirSync(join(chart, 'templates')).filter((name) => name.endsWith('.tpl'));
    for (const file of ['Chart.yaml', 'values.yaml', ...[...helpers, ...parts].map((name) => `templates/${name}`)]) {
      mkdirSync(join(directory, dirname(file)), { recursive: true });
      cpSync(join(chart, file), join(directory, file), { recursive: true });
    }
    const settings = Object.entries(values).flatMap(([path, value]) => [
      '--set-json',
      `${path}=${JSON.stringify(value)}`,
    ]);
    const { stdout } = await promisify(execFile)(
      helm,
      ['template', release.name, directory, '--namespace', release.namespace, ...served, ...settings],
      { maxBuffer: 16 * 1024 ** 2 },
    );
    return loadAll(stdout).filter((object): object is KubeObject => object !== null);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
